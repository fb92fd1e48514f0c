"""Predictions held against the fault log."""

import json
from datetime import timedelta

import pytest

from signalbox.contracts.alerts import Newest
from signalbox.contracts.keys import judgements_key
from signalbox.domain.judging import Judging, judgement_of, tallies
from tests.alerted import schema
from tests.fakes import NOON, Crash, Fuse, HeardBus, InMemoryObjects
from tests.unit.signalbox.domain.test_alerting import DAY, World

DUE = NOON + 90.5 * DAY


class Matured(World):
    """An alert on day 0."""

    def __init__(self, fuse=None, **options):
        super().__init__(**options)
        self.score(0, cycle=100)
        fuse = fuse or Fuse()
        self.files, self.bus = InMemoryObjects(fuse=fuse), HeardBus(fuse)
        self.episodes.fuse = fuse
        self.judging = Judging(self.episodes, self.fleet, self.files, self.bus)

    @property
    def episode(self):
        return self.episodes.standing("hvac", "A1").latest

    def outcome(self, now=DUE):
        judged = judgement_of(
            self.episode, self.fleet.faults("hvac", "A1"), self.episodes.newest["hvac", "A1"], now
        )
        return judged and judged.outcome


@pytest.mark.parametrize(
    ("day", "outcome"),
    [(60, "true"), (60.1, "late"), (90, "late"), (90.1, "false alarm"), (-1, "false alarm")],
)
def test_a_fault_within_the_horizon_is_true_within_the_grace_late(day, outcome):
    world = Matured()
    world.fault(day)
    assert world.outcome() == outcome


def test_nothing_is_judged_before_its_time():
    world = Matured()
    world.fault(5)
    assert world.outcome(NOON + 90 * DAY) is None
    assert world.judging.judge(NOON + 90 * DAY) == "nothing-due"
    assert (world.files.state(), world.bus.heard) == ({}, [])


@pytest.mark.parametrize(
    ("newest", "fault", "outcome"),
    [
        ((20, 145), None, None),
        ((20, 146), None, "false alarm"),
        ((10, 130), 11, "true"),  # it ran to failure: 30 cycles
        ((10, 131), 11, "late"),
        ((10, 200), 3, "true"),  # 30 of 100 cycles at an even pace
        ((10, 200), 5, "false alarm"),
        ((0, 100), 1, "true"),
    ],
)
def test_in_cycles_a_fault_is_due_at_once(newest, fault, outcome):
    world = Matured(model=schema(time="cycles", horizon=30, grace=15))
    day, cycle = newest
    world.episodes.newest["hvac", "A1"] = Newest(time="cycles", at=NOON + day * DAY, cycle=cycle)
    if fault is not None:
        world.fault(fault)
    assert world.outcome(NOON + 30 * DAY) == outcome


def test_a_days_judging_is_reported_and_counts_all_so_far():
    world = Matured()
    world.fault(70, repaired=71)
    world.hear("confirmed", 71)
    world.score(72)
    world.score(0.2, unit="B2")
    assert world.judging.judge(DUE) == "judged"
    key = judgements_key("hvac", "2026-10-01")
    report = json.loads(world.files.read(key))
    assert [(e["episode"], e["outcome"], e["verdict"]) for e in report["episodes"]] == [
        ("hvac-A1-0001", "late", "confirmed"),
        ("hvac-B2-0001", "false alarm", None),
    ]
    assert report["models"] == [
        {
            "model": "v1", "true": 0, "late": 1, "false_alarm": 1, "precision": 0.0,
            "effective_precision": 0.5,
        }
    ]  # fmt: skip
    (event,) = world.bus.heard
    assert (event.judged, event.output_key) == (2, key)
    later = DUE + 80 * DAY
    assert world.judging.judge(later) == "judged"
    assert world.bus.heard[-1].models[0].false_alarm == 2
    assert tallies(world.episodes.survey()[0]) == world.bus.heard[-1].models


def test_the_same_day_again_writes_and_says_the_same():
    world = Matured()
    world.judging.judge(DUE)
    before = world.files.state()
    assert world.judging.judge(DUE) == "judged"
    assert world.files.state() == before
    assert len(world.bus.said()) == 1
    assert world.judging.judge(DUE + timedelta(days=1)) == "nothing-due"


@pytest.mark.parametrize("at", range(1, 8))
def test_power_may_fail_while_judging(at):
    whole = Matured()
    whole.judging.judge(DUE)
    world = Matured(Fuse(at))
    if at <= 6:  # note, file, emit: each before and after
        with pytest.raises(Crash):
            world.judging.judge(DUE)
    world.judging.judge(DUE)
    assert world.files.state() == whole.files.state()
    assert world.bus.said() == whole.bus.said()
    assert world.episode == whole.episode
