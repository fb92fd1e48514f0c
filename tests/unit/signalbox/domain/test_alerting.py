"""One alert for each unit and episode, however score files arrive and wherever the power fails."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.alerts import Feedback
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.contracts.keys import scores_prefix, windows_manifest_key
from signalbox.contracts.sns import AlertNotification
from signalbox.domain.alerting import Alerting, Ledger
from signalbox.domain.episodes import LEASE
from signalbox.errors import Rejected, Transient
from tests.alerted import InMemoryEpisodes, SentMessages, manifest_file, schema, score_line
from tests.fakes import NOON, Crash, Fuse, HeardBus, InMemoryFleet, InMemoryObjects, ref, workload

DAY = timedelta(days=1)
RUN = "0" * 31 + "1"
PREDICTION = {"snooze": 14, "inspect": {"pressure": "the filter"}}


class World:
    """A fleet of one unit, A1, and the files that speak of it."""

    def __init__(self, fuse=None, model=None, prediction=PREDICTION, *, ledger=False):
        fuse = fuse or Fuse()
        self.model = model or schema()
        self.objects, self.fleet = InMemoryObjects(), InMemoryFleet()
        self.episodes, self.bus = InMemoryEpisodes(fuse), HeardBus(fuse)
        self.topic = SentMessages(fuse)
        self.objects.put(windows_manifest_key("hvac", RUN), manifest_file(RUN, self.model))
        self.fleet.merge("hvac", unit_record(), "1")
        self.ledger = Ledger(self.episodes) if ledger else None
        told = workload(prediction={"time": self.model.time} | prediction)
        self.alerting = Alerting(
            {"hvac": told}, self.objects, self.episodes, self.fleet, self.topic, self.bus
        )

    def file(self, name, *lines):
        key = f"{scores_prefix('hvac', RUN)}{name}.out"
        self.objects.put(key, b"\n".join(lines))
        return ref(key, "1", None)

    def score(self, day, probability=0.95, unit="A1", now=None, cycle=None):
        """A file with one score of this day arrives."""
        at = NOON + day * DAY
        line = score_line(unit, probability, at, cycle or int(day * 10) + 1, self.model)
        return self.alerting.judge(self.file(f"{unit}-{day}", line), now or at)

    def fault(self, day, repaired=None, order="1"):
        record = FaultRecord(
            unit="A1", fault="compressor", failed_at=NOON + day * DAY,
            repaired_at=None if repaired is None else NOON + repaired * DAY,
        )  # fmt: skip
        self.fleet.merge("hvac", record, order)

    def hear(self, verdict, day, cycle=None):
        episode = self.episodes.standing("hvac", "A1").latest
        told = Feedback(
            workload="hvac", unit="A1", episode=episode.id, verdict=verdict, by="dealer",
            at=NOON + day * DAY,
        )  # fmt: skip
        self.episodes.hear(episode, told, cycle)

    def deliver_notices(self):
        """The topic delivers to the door on_alert_sent."""
        for message in self.topic.messages:
            self.ledger.note(notification(message))

    @property
    def alerts(self):
        return [message.attributes["episode"] for message in self.topic.messages]


def unit_record(unit="A1", dealer="north"):
    return UnitRecord(
        unit=unit, model="XC-20", dealer=dealer, location="Oslo", installed=NOON.date()
    )


def notification(message):
    attributes = {n: {"Type": "String", "Value": v} for n, v in message.attributes.items()}
    sns = {
        "Type": "Notification", "MessageId": "m1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:t",
        "Timestamp": "2026-07-02T12:00:00.000Z", "MessageAttributes": attributes,
    }  # fmt: skip
    return AlertNotification.model_validate({"Records": [{"EventSource": "aws:sns", "Sns": sns}]})


def test_the_first_score_at_the_threshold_is_the_alert_and_then_there_is_silence():
    world = World()
    assert world.score(0, 0.5) == "judged"
    assert world.score(1, world.model.threshold + 1e-9) == "alerted"
    assert [world.score(day, 0.99) for day in (2, 3)] == ["judged"] * 2
    assert world.alerts == ["hvac-A1-0001"]
    (event,) = world.bus.heard
    assert (event.detail_type(), event.episode, event.dealer) == (
        "FaultPredicted", "hvac-A1-0001", "north",
    )  # fmt: skip
    assert event.at == NOON + DAY


def test_a_repeated_file_and_an_older_score_change_nothing():
    world = World()
    world.score(2)
    assert world.score(2) == "repeated"
    assert world.score(1, 0.99) == "repeated"
    assert len(world.alerts) == len(world.bus.heard) == 1


def test_a_fault_after_the_alert_ends_the_episode_and_its_repair_arms_again():
    world = World()
    world.score(0)
    world.fault(5, repaired=7)
    assert world.score(4) == "judged"  # before the fault
    assert world.score(6) == "judged"  # the unit is down
    assert world.score(8) == "alerted"
    assert world.alerts == ["hvac-A1-0001", "hvac-A1-0002"]


def test_a_fault_that_nobody_repaired_arms_again_at_once():
    world = World()
    world.score(0)
    world.fault(5)
    assert world.score(6) == "alerted"


def test_a_fault_before_the_alert_ends_nothing():
    world = World()
    world.fault(-1, repaired=1)
    world.score(0)
    assert world.score(2) == "judged"
    world.hear("confirmed", 2)
    assert world.score(3) == "alerted"  # confirmed: the repair closes it, whenever it failed


def test_a_false_alarm_leaves_the_unit_in_peace_for_a_while():
    world = World()
    world.score(0)
    world.hear("false alarm", 1)
    assert world.score(15) == "judged"
    assert world.score(15.1) == "alerted"


def test_a_confirmed_alert_stays_until_something_is_repaired():
    world = World()
    world.score(0)
    world.hear("confirmed", 1)
    assert world.score(30) == "judged"
    world.fault(31, repaired=33)
    assert world.score(32) == "judged"
    assert world.score(34) == "alerted"


def test_after_horizon_and_grace_an_alert_has_matured():
    world = World()
    world.score(0)
    assert world.score(90) == "judged"
    assert world.score(90.1) == "alerted"


def test_in_cycles_everything_counts_the_units_cycles():
    model = schema(time="cycles", horizon=30, grace=15)
    world = World(model=model, prediction={"snooze": 10})
    world.score(0, cycle=100)
    assert world.score(1, cycle=145) == "judged"
    assert world.score(0.5, cycle=146) == "alerted"  # later by cycle, whatever the clock says
    world.hear("false alarm", 2, cycle=150)
    assert world.score(3, cycle=160) == "judged"
    assert world.score(4, cycle=161) == "alerted"


def test_out_of_season_nobody_is_warned():
    world = World(prediction={"months": [12]})
    assert world.score(0, 0.99) == "judged"


def test_a_unit_that_the_registry_does_not_know_is_warned_of_all_the_same():
    world = World()
    assert world.score(0, unit="Z9") == "alerted"
    (message,) = world.topic.messages
    assert message.attributes["dealer"] == "unknown"
    assert "registry does not know" in message.body
    assert world.bus.heard[0].dealer is None


def test_units_of_one_file_are_judged_one_by_one_in_the_order_of_their_cycles():
    world = World()
    lines = [
        score_line("A1", 0.99, NOON + DAY, 2, world.model),
        score_line("B2", 0.95, NOON, 1, world.model),
        score_line("A1", 0.5, NOON, 1, world.model),
    ]
    assert world.alerting.judge(world.file("all", *lines), NOON) == "alerted"
    assert world.alerts == ["hvac-A1-0001", "hvac-B2-0001"]
    assert world.bus.heard[0].cycle == 2


# ---- bad days -------------------------------------------------------------------------------

STEPS = 12  # open, publish, note, emit, note, advance: each before and after
PUBLISHED = (4, 5)  # after the topic took it and before that is noted


@pytest.mark.parametrize("at", range(1, STEPS + 2))
def test_power_may_fail_at_any_point_and_the_alert_goes_out_once(at):
    whole = World()
    whole.score(0)
    world = World(Fuse(at), ledger=True)
    if at <= STEPS:
        with pytest.raises(Crash):
            world.score(0)
    again(world)
    assert world.alerts == whole.alerts
    # a claim may have been renewed; everything else is the same
    assert set(world.bus.said()) == set(whole.bus.said())
    assert world.episodes.newest == whole.episodes.newest


@pytest.mark.parametrize("at", range(1, STEPS + 2))
def test_without_the_topics_own_word_only_a_death_between_publish_and_note_repeats_it(at):
    world = World(Fuse(at))
    if at <= STEPS:
        with pytest.raises(Crash):
            world.score(0)
    again(world)
    assert world.alerts == ["hvac-A1-0001"] * (2 if at in PUBLISHED else 1)


def again(world):
    """Lambda's two retries, and the topic's delivery in between."""
    if world.ledger:
        world.deliver_notices()
    for minutes in (1, 3):
        try:
            world.score(0, now=NOON + timedelta(minutes=minutes))
            break
        except Transient:
            assert minutes == 1, "still waiting after the last retry"


def test_an_alert_whose_sender_never_comes_back_goes_out_with_the_units_next_score():
    world = World(Fuse(2))
    with pytest.raises(Crash):
        world.score(0)
    assert world.score(0.001, 0.1, now=NOON + timedelta(seconds=1)) == "judged"  # may be on its way
    assert world.alerts == []
    assert world.score(1, 0.1) == "judged"
    assert world.alerts == ["hvac-A1-0001"]
    assert world.score(0, now=NOON + DAY) == "repeated"


def test_of_two_deliveries_at_once_one_sends():
    world = World()

    class Slow(SentMessages):
        """While it publishes, the same file is delivered once more."""

        def publish(self, message):
            with pytest.raises(Transient, match="lease ends after 150 s"):
                world.score(0)
            world.topic.publish(message)

    slow = Alerting(
        world.alerting.workloads, world.objects, world.episodes, world.fleet, Slow(), world.bus
    )
    file = world.file("slow", score_line("A1", 0.95, NOON, 1, world.model))
    assert slow.judge(file, NOON) == "alerted"
    assert len(world.alerts) == len(world.bus.heard) == 1


def test_one_unit_that_has_to_wait_keeps_none_of_the_others_waiting():
    world = World(Fuse(2))
    with pytest.raises(Crash):
        world.score(0)
    lines = [score_line(unit, 0.95, NOON, 1, world.model) for unit in ("A1", "B2")]
    with pytest.raises(Transient, match="hvac-A1-0001"):
        world.alerting.judge(world.file("both", *lines), NOON + DAY / 10**4)
    assert world.alerts == ["hvac-B2-0001"]


def test_the_lease_outlives_the_door_and_ends_before_the_last_retry():
    assert timedelta(seconds=120) < LEASE < timedelta(minutes=3)


def test_a_notice_of_no_episode_is_refused():
    world = World(ledger=True)
    world.score(0)
    world.deliver_notices()
    world.episodes.items.clear()
    with pytest.raises(Rejected) as problem:
        world.deliver_notices()
    assert problem.value.reason == "unknown-episode"


# ---- twice, late, out of order --------------------------------------------------------------

SCORES = [(0, 0.2), (1, 0.95), (2, 0.97), (3, 0.1), (93, 0.92), (94, 0.99), (200, 0.91)]


def alerts_of(order):
    world = World()
    world.fault(96, repaired=97)
    for place in order:
        world.score(*SCORES[place])
    events = {(e.episode, e.at, e.cycle) for e in world.bus.heard}
    assert len(events) == len(world.alerts)
    return events


@given(st.lists(st.integers(0, len(SCORES) - 1), min_size=1, max_size=20))
def test_any_order_and_repetition_warns_as_those_scores_do_that_were_the_newest_when_they_came(
    order,
):
    """What cannot be had: a score that comes after a newer one of its unit is not judged any more."""
    newest = [place for n, place in enumerate(order) if place > max(order[:n], default=-1)]
    assert alerts_of(order) == alerts_of(newest)


@given(st.lists(st.integers(1, 3), min_size=len(SCORES), max_size=len(SCORES)))
def test_repeats_in_order_change_nothing(times):
    order = [place for place, count in enumerate(times) for _ in range(count)]
    assert alerts_of(order) == alerts_of(range(len(SCORES)))
