"""The table of episodes: the fake and the adapter on moto, by the same tests."""

from datetime import timedelta

import pytest

from signalbox.adapters.episodes import EpisodeTable
from signalbox.contracts.alerts import Episode, Feedback, Judgement, Message, Newest
from signalbox.domain.episodes import Standing
from signalbox.errors import Misconfigured, Transient
from tests.alerted import InMemoryEpisodes
from tests.fakes import NOON

EPISODE = Episode(
    workload="hvac", unit="A1", number=1, model="v1", threshold=0.9, time="days", horizon=60,
    grace=30, snooze=14, at=NOON, cycle=7, probability=0.95, moved=[], dealer="north",
    location="Oslo", unit_model=None, claimed_at=NOON,
    message=Message(subject="s", body="größer\nals", attributes={"dealer": "north"}),
)  # fmt: skip
SECOND = EPISODE.model_copy(update={"number": 2, "at": NOON + timedelta(days=100)})
VERDICT = Feedback(
    workload="hvac", unit="A1", episode=EPISODE.id, verdict="confirmed", by="north", at=NOON
)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(params=["fake", "moto"])
def episodes(request):
    if request.param == "fake":
        return InMemoryEpisodes()
    request.getfixturevalue("aws")
    return EpisodeTable("EpisodeTable")


def newest(cycle, time="days"):
    return Newest(time=time, at=NOON + timedelta(hours=cycle), cycle=cycle)


def test_a_unit_that_nobody_knows_stands_nowhere(episodes):
    assert episodes.standing("hvac", "A1") == Standing()
    assert episodes.get("hvac", "A1", EPISODE.id) is None
    assert episodes.get("hvac", "A1", "~newest") is None


def test_an_episode_is_opened_once_and_the_latest_stands(episodes):
    assert episodes.open(EPISODE)
    assert not episodes.open(EPISODE.model_copy(update={"probability": 0.99}))
    assert episodes.standing("hvac", "A1") == Standing(None, EPISODE)
    episodes.open(SECOND)
    episodes.advance("hvac", "A1", newest(3))
    assert episodes.standing("hvac", "A1") == Standing(newest(3), SECOND)
    assert episodes.get("hvac", "A1", EPISODE.id) == EPISODE


def test_a_score_without_an_alert_stands_alone(episodes):
    episodes.advance("hvac", "A1", newest(3))
    assert episodes.standing("hvac", "A1") == Standing(newest(3), None)
    assert episodes.get("hvac", "A1", "~newest") is None


def test_the_newest_score_only_moves_forward(episodes):
    for cycle in (2, 5, 3, 5):
        episodes.advance("hvac", "A1", newest(cycle))
    assert episodes.standing("hvac", "A1").newest == newest(5)


def test_everything_noted_is_remembered(episodes):
    episodes.open(EPISODE)
    judgement = Judgement(outcome="late", fault_at=LATER, at=LATER)
    assert episodes.sent("hvac", "A1", EPISODE.id)
    episodes.announced(EPISODE)
    episodes.hear(EPISODE, VERDICT, 9)
    episodes.judge(EPISODE, judgement)
    assert episodes.standing("hvac", "A1").latest == EPISODE.model_copy(
        update={
            "sent": True, "announced": True, "feedback": VERDICT, "heard_at_cycle": 9,
            "judgement": judgement,
        }
    )  # fmt: skip


def test_nothing_can_be_noted_of_an_episode_that_is_not_there(episodes):
    assert not episodes.sent("hvac", "A1", EPISODE.id)
    episodes.advance("hvac", "A1", newest(1))
    assert not episodes.sent("hvac", "A1", "~newest")
    assert episodes.standing("hvac", "A1") == Standing(newest(1), None)


def test_of_two_that_take_over_one_wins(episodes):
    episodes.open(EPISODE)
    assert episodes.renew(EPISODE, LATER) == EPISODE.model_copy(update={"claimed_at": LATER})
    with pytest.raises(Transient):
        episodes.renew(EPISODE, LATER)


def test_an_alert_that_is_out_is_not_taken_over(episodes):
    episodes.open(EPISODE)
    episodes.sent("hvac", "A1", EPISODE.id)
    with pytest.raises(Transient):
        episodes.renew(EPISODE, LATER)


def test_of_two_that_say_something_at_once_one_has_to_look_again(episodes):
    episodes.open(EPISODE)
    other = VERDICT.model_copy(update={"verdict": "false alarm"})
    episodes.hear(EPISODE, VERDICT, None)
    with pytest.raises(Transient):
        episodes.hear(EPISODE, other, None)
    episodes.hear(EPISODE.model_copy(update={"feedback": VERDICT}), other, 4)
    assert episodes.get("hvac", "A1", EPISODE.id).feedback == other


def test_a_judgement_is_final(episodes):
    episodes.open(EPISODE)
    judgement = Judgement(outcome="true", fault_at=LATER, at=LATER)
    episodes.judge(EPISODE, judgement)
    with pytest.raises(Transient):
        episodes.judge(EPISODE, judgement.model_copy(update={"outcome": "late"}))


def test_a_survey_tells_all(episodes):
    others = [EPISODE.model_copy(update={"unit": f"B{n}"}) for n in range(3)]
    for each in (SECOND, EPISODE, *others):
        episodes.open(each)
    episodes.advance("hvac", "A1", newest(4))
    found, places = episodes.survey()
    assert sorted(each.id for each in found) == sorted(e.id for e in (EPISODE, SECOND, *others))
    assert found[-1] == SECOND
    assert places == {("hvac", "A1"): newest(4)}


def test_a_survey_turns_every_page(aws):
    episodes = EpisodeTable("EpisodeTable")
    large = Message(subject="s", body="x" * 200_000, attributes={})
    for n in range(1, 13):  # a page of a scan holds 1 MB
        episodes.open(EPISODE.model_copy(update={"number": n, "message": large}))
    assert len(episodes.survey()[0]) == 12


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    nowhere = EpisodeTable("nowhere")
    for call in (
        lambda: nowhere.standing("hvac", "A1"),
        lambda: nowhere.get("hvac", "A1", "e"),
        lambda: nowhere.open(EPISODE),
        lambda: nowhere.sent("hvac", "A1", "e"),
        lambda: nowhere.advance("hvac", "A1", newest(1)),
        nowhere.survey,
    ):
        with pytest.raises(Misconfigured, match="dynamodb:"):
            call()
