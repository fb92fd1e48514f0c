"""A schedule starts one run at its time, on what the latest run took, whatever fails or comes again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from signalbox.contracts.datasets import Consumed, manifest
from signalbox.contracts.operation_keys import inputs_key
from signalbox.contracts.operations import Schedule
from signalbox.domain.schedules import LATE, Schedules, Tick, latest_due
from signalbox.domain.telling import LEASE
from signalbox.errors import NotDeployed, Transient
from tests.fakes import BUCKET, NOON, Crash, Fuse, HeardBus, InMemoryObjects, workload
from tests.operated import InMemoryLedger
from tests.promoted import HeardTopic
from tests.unit.signalbox.domain.test_datasets import OPERATIONS, Past, Started

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NIGHTLY = {"pipeline": "batch", "every": "day", "at": "12:00"}
MONTHLY = {"pipeline": "train", "every": "month", "day": 2, "at": "12:00"}
FILES = ["inference/abalone/a.csv", "inference/abalone/b.csv"]


class World:
    def __init__(self, *schedules, fuse=None):
        fuse = fuse or Fuse()
        operations = OPERATIONS | {"schedule": list(schedules or (NIGHTLY,))}
        self.objects, self.past, self.started = InMemoryObjects(), Past(fuse), Started(fuse)
        self.bus, self.topic = HeardBus(fuse), HeardTopic(fuse)
        self.schedules = Schedules(
            {"abalone": workload("abalone", operations=operations), "hvac": workload("hvac")},
            self.objects, self.past, self.started, self.bus, InMemoryLedger(fuse), self.topic,
        )  # fmt: skip

    def consumed(self, kind, files=FILES, run="1" * 32):
        """A run that files started has taken these."""
        for key in files:
            self.objects.put(key, b"x")
        key = inputs_key("abalone", run)
        self.objects.put(key, manifest(BUCKET, files))
        consumed = Consumed(
            run=run, inputs=f"s3://{BUCKET}/{key}", at=NOON - DAY, execution=f"arn:{run}"
        )
        self.past.held[kind, "abalone", run] = consumed
        return self

    def files(self, run):
        _, *keys = json.loads(self.objects.read(inputs_key("abalone", run)))
        return keys


def test_a_nightly_run_takes_what_the_latest_run_took_once_a_night():
    world = World().consumed("inference")
    outcomes = [world.schedules.start(NOON + n * 5 * MINUTE) for n in range(-2, 14)]
    assert outcomes == ["nothing"] * 2 + ["started"] + ["nothing"] * 13
    assert world.schedules.start(NOON + DAY) == "started"
    assert len(world.started.runs) == 2
    for (pipeline, name, run), told in world.started.runs.items():
        assert (pipeline, name, world.files(run)) == ("batch", "abalone", FILES)
        assert told == {"Inputs": f"s3://{BUCKET}/{inputs_key('abalone', run)}", "Truth": "none"}
    assert [(e.pipeline, e.why, e.files) for e in world.bus.heard] == [("batch", "schedule", 2)] * 2
    assert world.past.latest("inference", "abalone").run == world.bus.heard[-1].run


def test_who_takes_a_schedule_over_leaves_the_files_of_a_run_that_may_be_under_way():
    world = World(fuse=(fuse := Fuse())).consumed("inference")
    fuse.at = fuse.steps + 4  # the run is started, and the power fails
    with pytest.raises(Crash):
        world.schedules.start(NOON)
    ((_, _, run),) = world.started.runs
    world.consumed("inference", ["inference/abalone/c.csv"], run="2" * 32)
    world.past.held["inference", "abalone", "2" * 32] = world.past.held[
        "inference", "abalone", "2" * 32
    ].model_copy(update={"at": NOON - MINUTE})
    assert world.schedules.start(NOON + 5 * MINUTE) == "started"
    assert len(world.started.runs) == 1
    assert world.files(run) == FILES
    assert world.past.held["inference", "abalone", run].at == NOON


def test_a_monthly_training():
    world = World(MONTHLY).consumed("training", ["training/abalone/a.csv"])
    assert [world.schedules.start(NOON + n * DAY) for n in range(-1, 31)].count("started") == 1
    ((pipeline, _, run),) = world.started.runs
    assert pipeline == "train"
    assert "Truth" not in world.started.runs[pipeline, "abalone", run]


def test_files_that_were_deleted_since_are_left_out():
    world = World().consumed("inference")
    world.objects.delete(FILES[0])
    world.schedules.start(NOON)
    ((_, _, run),) = world.started.runs
    assert world.files(run) == FILES[1:]


@pytest.mark.parametrize("gone", ["never", "files", "manifest"])
def test_a_schedule_without_files_is_told_once_a_time(gone):
    world = World()
    if gone != "never":
        world.consumed("inference")
        for key in FILES if gone == "files" else [inputs_key("abalone", "1" * 32)]:
            world.objects.delete(key)
    for n in range(4):
        world.schedules.start(NOON + n * 5 * MINUTE)
    (event,) = world.bus.heard
    assert event.detail_type() == "PipelineRefused"
    assert world.files(event.run) == []
    (mail,) = world.topic.messages
    assert mail.subject == "abalone: a schedule started no run - Action Required"
    assert "inference/abalone/" in mail.body
    assert world.started.runs == {}


def test_a_pipeline_that_is_not_there_is_told_once():
    world = World().consumed("inference")

    def failing(*_):
        raise NotDeployed("pipeline signalbox-batch does not exist")

    world.started.start = failing
    for n in range(4):
        world.schedules.start(NOON + n * 5 * MINUTE)
    (event,) = world.bus.heard
    assert "signalbox-batch does not exist" in event.message
    assert len(world.topic.messages) == 1


@pytest.mark.parametrize("fails", range(1, 12))
def test_power_fails_anywhere_and_one_run_begins(fails):
    world = World(fuse=Fuse(fails)).consumed("inference")
    for n in range(4):
        try:
            world.schedules.start(NOON + n * LEASE)
        except Crash:
            continue
    assert len(world.started.runs) == len(world.bus.said()) == 1


def test_what_was_due_long_ago_is_not_made_up_for():
    world = World().consumed("inference")
    assert world.schedules.start(NOON + LATE + MINUTE) == "nothing"
    assert world.schedules.start(NOON + LATE) == "started"


def test_trouble_of_one_keeps_no_other_from_its_turn():
    world = World(MONTHLY | {"day": NOON.day}, NIGHTLY).consumed("inference").consumed("training")
    start = world.started.start

    def failing(pipeline, *rest):
        if pipeline == "train":
            raise Transient("throttled")
        return start(pipeline, *rest)

    world.started.start = failing
    other = World().consumed("inference")
    with pytest.raises(Transient, match="throttled"):
        Tick([world.schedules, other.schedules]).start(NOON)
    assert [pipeline for pipeline, *_ in world.started.runs] == ["batch"]
    assert len(other.started.runs) == 1
    world.started.start = start
    assert Tick([world.schedules, other.schedules]).start(NOON + 5 * MINUTE) == "started"
    assert sorted(pipeline for pipeline, *_ in world.started.runs) == ["batch", "train"]


@given(
    st.sampled_from(
        [{"every": "day"}, {"every": "week", "weekday": "sun"}, {"every": "month", "day": 28}]
    ),
    st.integers(0, 24 * 60 - 1),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_latest_due_time_is_the_last_that_fits(told, minute, now):
    schedule = Schedule.model_validate({"pipeline": "train", "at": minute} | told)
    due = latest_due(schedule, now)
    longest = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY}[schedule.every]
    assert now - longest < due <= now
    assert f"{due:%H:%M}" == schedule.at
    assert schedule.weekday is None or due.weekday() == 6
    assert schedule.day is None or due.day == 28


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"every": "day", "at": "24:00"}, "at"),
        ({"every": "day", "at": "2:00"}, "at"),
        ({"every": "day", "at": 1440}, "at"),
        ({"every": "week", "at": "02:00"}, "weekday"),
        ({"every": "day", "weekday": "mon", "at": "02:00"}, "weekday"),
        ({"every": "month", "at": "02:00"}, "day"),
        ({"every": "month", "day": 31, "at": "02:00"}, "day"),
        ({"every": "hour", "at": "02:00"}, "every"),
        ({"every": "day", "at": "02:00", "pipeline": "tune"}, "pipeline"),
    ],
)
def test_what_is_no_schedule_is_refused(told, wrong):
    with pytest.raises(ValidationError, match=wrong):
        Schedule.model_validate({"pipeline": "train"} | told)


def test_a_time_that_yaml_takes_for_a_number_is_a_time():
    told = {"pipeline": "batch", "every": "week", "weekday": "fri", "at": 750}
    assert Schedule.model_validate(told).at == "12:30"
