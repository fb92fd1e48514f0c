"""Verdicts: the latest stands, in whatever order they come."""

import json
from itertools import permutations

import pytest

from signalbox.contracts.alerts import Feedback
from signalbox.contracts.keys import feedback_key
from signalbox.domain.feedback import Hearing
from signalbox.errors import Rejected
from tests.fakes import NOON, Crash, Fuse, HeardBus, InMemoryObjects
from tests.unit.signalbox.domain.test_alerting import DAY, World

KEY = feedback_key("hvac", "hvac-A1-0001")


def said(verdict, day=1, **changes):
    told = {
        "workload": "hvac", "unit": "A1", "episode": "hvac-A1-0001", "verdict": verdict,
        "by": "dealer", "at": NOON + day * DAY,
    }  # fmt: skip
    return Feedback.model_validate(told | changes)


class Heard(World):
    def __init__(self, fuse=None):
        super().__init__()
        self.score(0)
        fuse = fuse or Fuse()
        self.files, self.bus = InMemoryObjects(fuse=fuse), HeardBus(fuse)
        self.episodes.fuse = fuse
        self.hearing = Hearing(self.episodes, self.files, self.bus)

    def state(self):
        standing = self.episodes.standing("hvac", "A1").latest
        return standing.feedback, self.files.state(), self.bus.said()


def test_a_verdict_stands_on_its_episode_and_as_a_file():
    world = Heard()
    verdict = said("confirmed", note="valve stuck")
    assert world.hearing.hear(verdict) == "recorded"
    assert world.episodes.standing("hvac", "A1").latest.feedback == verdict
    assert json.loads(world.files.read(KEY))["note"] == "valve stuck"
    (event,) = world.bus.heard
    assert (event.detail_type(), event.verdict, event.model) == (
        "FeedbackRecorded", "confirmed", "v1",
    )  # fmt: skip
    assert event.feedback_key == KEY


def test_the_cycle_at_which_it_was_heard_is_kept_and_a_repeat_does_not_move_it():
    world = Heard()
    world.hearing.hear(said("false alarm"))
    world.score(3, 0.1)
    world.hearing.hear(said("false alarm"))
    assert world.episodes.standing("hvac", "A1").latest.heard_at_cycle == 1


def test_the_latest_verdict_stands_in_any_order_and_however_often():
    verdicts = [said("confirmed", 1), said("false alarm", 2), said("confirmed", 2)]
    for order in permutations([*verdicts, verdicts[1]]):
        world = Heard()
        for verdict in order:
            world.hearing.hear(verdict)
        assert world.episodes.standing("hvac", "A1").latest.feedback == verdicts[1]
        assert json.loads(world.files.read(KEY))["verdict"] == "false alarm"


@pytest.mark.parametrize("change", [{"episode": "hvac-A1-0002"}, {"unit": "B2"}])
def test_a_verdict_on_no_alert_is_refused(change):
    world = Heard()
    with pytest.raises(Rejected) as problem:
        world.hearing.hear(said("confirmed", **change))
    assert problem.value.reason == "unknown-episode"
    assert world.bus.heard == []


@pytest.mark.parametrize("at", range(1, 8))
def test_power_may_fail_while_hearing(at):
    whole = Heard()
    whole.hearing.hear(said("confirmed"))
    world = Heard(Fuse(at))
    if at <= 6:  # note, file, emit: each before and after
        with pytest.raises(Crash):
            world.hearing.hear(said("confirmed"))
    world.hearing.hear(said("confirmed"))
    assert world.state() == whole.state()
