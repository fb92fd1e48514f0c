"""The model is asked about a run's windows once; what became of it is told."""

import pytest

from signalbox.contracts.keys import windows_manifest_key
from signalbox.contracts.sagemaker import TransformJobChange, scores_job
from signalbox.domain.due import note_of
from signalbox.domain.scores import Ask, Outcome
from signalbox.domain.scoring import OpenRun, Retry
from signalbox.errors import Misconfigured, Rejected
from tests.fakes import (
    NOON,
    Crash,
    Fuse,
    HeardBus,
    InMemoryInference,
    InMemoryRunTable,
    InMemoryWindows,
    ref,
    sample,
    windows_manifest,
)

RUN = "0" * 32
SOURCE = ref(windows_manifest_key("hvac", RUN))
NOTE = note_of("a", ("A1",), NOON)


class World:
    def __init__(self, fuse=None, **changes):
        fuse = fuse or Fuse()
        self.windows = InMemoryWindows({RUN: windows_manifest(**changes)})
        self.inference = InMemoryInference(fuse)
        self.bus = HeardBus(fuse)
        self.ask = Ask(self.windows, self.inference, self.bus)
        self.table = InMemoryRunTable()
        self.table.note("hvac", NOTE)
        run = self.table.begin(OpenRun("hvac", RUN, (NOTE.slot,), NOON))
        self.table.take(run, NOTE.slot)
        self.table.fuse = fuse
        self.outcome = Outcome(self.windows, Retry(self.table, self.bus))


def change(status="Completed", **changes):
    event = sample("aws.sagemaker/transform-job-state-change.json")
    event["detail"] |= {"TransformJobName": scores_job("hvac", RUN), "TransformJobStatus": status}
    event["detail"] |= changes
    return TransformJobChange.model_validate(event)


def test_windows_are_scored_once_and_said_so():
    world = World()
    assert [world.ask.about(SOURCE) for _ in range(2)] == ["scoring"] * 2
    assert world.inference.jobs == {RUN: "v1"}
    assert len(world.bus.said()) == 1
    event = world.bus.heard[0]
    assert (event.detail_type(), event.run, event.model, event.units) == (
        "ScoringStarted",
        RUN,
        "v1",
        2,
    )


def test_a_run_without_a_unit_to_score_is_done():
    world = World(units=0)
    assert world.ask.about(SOURCE) == "nothing-to-score"
    assert world.inference.jobs == {}
    (event,) = world.bus.heard
    assert (event.detail_type(), event.units, event.skipped) == ("FleetScored", 0, 1)
    assert event.manifest_key == SOURCE.key


def test_a_manifest_that_is_gone_is_ignored():
    world = World()
    world.windows.manifests.clear()
    assert world.ask.about(SOURCE) == "ignored"


@pytest.mark.parametrize("key", ["windows/hvac/x/manifest.json", "windows/a/b/c/manifest.json"])
def test_a_manifest_elsewhere_is_none(key):
    with pytest.raises(Rejected, match="no manifest of windows"):
        World().ask.about(ref(key))


@pytest.mark.parametrize("changes", [{"workload": "pumps"}, {"run": "1" * 32}])
def test_a_manifest_of_another_run_is_an_alarm(changes):
    with pytest.raises(Misconfigured, match="speaks of run"):
        World(**changes).ask.about(SOURCE)


@pytest.mark.parametrize("at", range(1, 8))
def test_power_may_fail_while_asking(at):
    """Steps: model, job, emit; each before and after."""
    whole = World()
    whole.ask.about(SOURCE)
    world = World(Fuse(at))
    if at <= 6:
        with pytest.raises(Crash):
            world.ask.about(SOURCE)
    world.ask.about(SOURCE)
    assert world.inference.jobs == whole.inference.jobs
    assert world.bus.said() == whole.bus.said()


def test_a_fleet_that_was_scored_is_told():
    world = World()
    assert [world.outcome.tell(change()) for _ in range(2)] == ["scored"] * 2
    assert len(world.bus.said()) == 1
    event = world.bus.heard[0]
    assert (event.detail_type(), event.units, event.skipped) == ("FleetScored", 2, 1)


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_units_that_were_not_scored_are_due_again(status):
    world = World()
    told = change(status, FailureReason="ClientError: no model")
    assert [world.outcome.tell(told) for _ in range(2)] == ["due-again"] * 2
    assert [note.attempt for note in world.table.due("hvac", 9)] == [2]
    event = world.bus.heard[0]
    assert (event.stage, event.status, event.reason) == ("scores", status, "ClientError: no model")


def test_a_job_of_somebody_else_is_ignored():
    for name in ("scores-of-the-match", scores_job("hvac", "f" * 32)):
        for status in ("Completed", "Failed"):
            assert World().outcome.tell(change(status, TransformJobName=name)) == "ignored"


def test_scores_of_windows_that_are_gone_are_an_alarm():
    world = World()
    world.windows.manifests.clear()
    with pytest.raises(Misconfigured, match="windows are gone"):
        world.outcome.tell(change())


@pytest.mark.parametrize("at", range(1, 6))
def test_power_may_fail_while_a_failure_is_told(at):
    """Steps: one note, emit; each before and after."""
    world = World(Fuse(at))
    if at <= 4:
        with pytest.raises(Crash):
            world.outcome.tell(change("Failed"))
    world.outcome.tell(change("Failed"))
    assert [note.attempt for note in world.table.due("hvac", 9)] == [2]
    assert len(world.bus.said()) == 1
