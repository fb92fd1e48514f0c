"""Due units become one run a window, whatever fails; what failed becomes due again."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from signalbox.contracts.sagemaker import ProcessingJobChange, windows_job
from signalbox.domain.due import MAX_NAMED, note_of
from signalbox.domain.scoring import MAX_ATTEMPTS, MAX_NOTES, OpenRun, Retry, Scoring, request_of
from signalbox.errors import Misconfigured, Transient
from tests.fakes import (
    NOON,
    Crash,
    Fuse,
    HeardBus,
    InMemoryModels,
    InMemoryRequests,
    InMemoryRunTable,
    InMemoryWindowsJobs,
    model_in_service,
    sample,
    workload,
)

FIRST, SECOND = note_of("a", ("A1", "B2"), NOON), note_of("b", ("B2", "C3"), NOON)


class World:
    def __init__(self, *notes, fuse=None):
        fuse = fuse or Fuse()
        self.table = InMemoryRunTable()
        for note in notes:
            self.table.note("hvac", note)
        self.table.fuse = fuse
        self.models = InMemoryModels({"hvac": model_in_service()})
        self.requests = InMemoryRequests(fuse)
        self.jobs = InMemoryWindowsJobs(fuse)
        self.bus = HeardBus(fuse)
        workloads = {n: workload(n, prediction={}) for n in ("hvac", "pumps")}
        workloads["plain"] = workload("plain")
        self.scoring = Scoring(workloads, self.models, self.table, self.requests, self.jobs)
        self.retry = Retry(self.table, self.bus)


def failed(run, status="Failed", **changes):
    event = sample("aws.sagemaker/processing-job-state-change.failed.json")
    event["detail"] |= {"ProcessingJobName": windows_job("hvac", run)} | changes
    event["detail"]["ProcessingJobStatus"] = status
    return ProcessingJobChange.model_validate(event)


def test_all_that_is_due_is_one_run():
    world = World(FIRST, SECOND)
    assert world.scoring.start(NOON) == "started"
    ((run, of),) = world.jobs.jobs.items()
    request = world.requests.written[run]
    assert (of, request.units, request.model) == ("hvac", ["A1", "B2", "C3"], model_in_service())
    assert world.table.waiting == world.table.opened == {}
    assert world.scoring.start(NOON) == "nothing"


def test_nothing_due_is_no_run_and_asks_for_no_model():
    world = World()
    world.models.models["hvac"] = Misconfigured("would be raised")
    assert world.scoring.start(NOON) == "nothing"


def test_a_model_withdrawn_meanwhile_leaves_the_units_due():
    world = World(FIRST)
    world.models.models.clear()
    assert world.scoring.start(NOON) == "nothing"
    assert world.table.due("hvac", 9) == [FIRST]


def test_the_run_follows_from_its_notes_and_the_model():
    one = request_of("hvac", model_in_service(), [FIRST, SECOND], NOON)
    later = request_of("hvac", model_in_service(), [SECOND, FIRST], NOON + timedelta(hours=1))
    assert one.run == later.run
    others = [
        request_of("pumps", model_in_service("pumps"), [FIRST, SECOND], NOON),
        request_of("hvac", model_in_service(version="v2"), [FIRST, SECOND], NOON),
        request_of("hvac", model_in_service(), [FIRST], NOON),
        request_of("hvac", model_in_service(), [FIRST, replace(SECOND, attempt=2)], NOON),
    ]
    assert len({one.run, *(each.run for each in others)}) == 5


def test_all_units_swallow_those_named_and_too_many_are_all():
    everything = note_of("all", None, NOON)
    assert request_of("hvac", model_in_service(), [FIRST, everything], NOON).units is None
    halves = [
        note_of(str(n), tuple(f"{n}-{k}" for k in range(MAX_NAMED // 2 + 1)), NOON)
        for n in range(2)
    ]
    assert request_of("hvac", model_in_service(), halves, NOON).units is None


def test_what_a_run_cannot_take_waits_for_the_next():
    world = World(*(note_of(str(n), ("A1",), NOON) for n in range(MAX_NOTES + 1)))
    world.scoring.start(NOON)
    assert len(world.table.due("hvac", 9999)) == 1
    world.scoring.start(NOON)
    assert len(world.jobs.jobs) == 2


def test_a_note_that_comes_while_a_run_starts_waits_for_the_next():
    world = World(FIRST, fuse=Fuse(4))  # the run is open, nothing is taken
    with pytest.raises(Crash):
        world.scoring.start(NOON)
    world.table.note("hvac", SECOND)
    world.scoring.start(NOON)
    (run,) = world.jobs.jobs
    assert world.requests.written[run].units == ["A1", "B2"]
    assert world.table.due("hvac", 9) == [SECOND]


def test_a_run_whose_notes_another_took_starts_nothing():
    world = World(FIRST)
    world.table.begin(OpenRun("hvac", "f" * 32, (FIRST.slot,), NOON))
    world.table.waiting.clear()
    assert world.scoring.start(NOON) == "nothing"
    assert (world.jobs.jobs, world.table.opened) == ({}, {})


def test_of_two_that_open_at_once_one_run_comes():
    world = World(FIRST)
    other = OpenRun("hvac", "e" * 32, (FIRST.slot,), NOON)

    class Racing(InMemoryRequests):
        """So slow that another one opens a run meanwhile."""

        def write(self, request):
            world.table.begin(other)

    replace(world.scoring, requests=Racing()).start(NOON)
    assert list(world.jobs.jobs) == [other.run]


def test_trouble_with_one_workload_keeps_no_other_waiting():
    world = World(FIRST)
    world.models.models |= {"hvac": Misconfigured("broken"), "pumps": model_in_service("pumps")}
    world.table.note("pumps", SECOND)
    with pytest.raises(Misconfigured):
        world.scoring.start(NOON)
    assert list(world.jobs.jobs.values()) == ["pumps"]


def test_a_job_that_cannot_start_now_is_tried_in_the_next_window():
    world = World(FIRST)

    class Full(InMemoryWindowsJobs):
        def start(self, workload, run):
            raise Transient("no instance is free")

    with pytest.raises(Transient):
        replace(world.scoring, jobs=Full()).start(NOON)
    assert world.scoring.start(NOON) == "started"


@pytest.mark.parametrize("at", range(1, 14))
def test_power_may_fail_at_any_point_and_one_job_starts(at):
    """Steps: request, open, two notes taken, job, closed; each before and after."""
    whole = World(FIRST, SECOND)
    whole.scoring.start(NOON)
    world = World(FIRST, SECOND, fuse=Fuse(at))
    if at <= 12:
        with pytest.raises(Crash):
            world.scoring.start(NOON)
    world.scoring.start(NOON + timedelta(minutes=5))
    assert world.jobs.jobs == whole.jobs.jobs
    assert world.table.given == whole.table.given
    assert (world.table.waiting, world.table.opened) == ({}, {})
    (run,) = world.jobs.jobs
    assert world.requests.written[run].units == ["A1", "B2", "C3"]


def test_units_of_a_failed_run_are_due_again_once():
    world = World(FIRST, SECOND)
    world.scoring.start(NOON)
    (run,) = world.jobs.jobs
    for _ in range(2):
        assert world.retry.windows_failed(failed(run)) == "due-again"
    again = world.table.due("hvac", 9)
    assert again == [replace(note, attempt=2) for note in sorted((FIRST, SECOND), key=_slot)]
    assert len(world.bus.said()) == 1
    event = world.bus.heard[0]
    assert (event.run, event.stage, event.again) == (run, "windows", True)
    assert event.reason == "ValueError: the fragments of unit A1 cannot be read"


def _slot(note):
    return note.slot


def test_what_the_program_said_goes_before_what_the_service_says():
    assert (
        failed("0" * 32, ExitMessage="", FailureReason="AlgorithmError").reason == "AlgorithmError"
    )
    assert failed("0" * 32, ExitMessage="why", FailureReason="AlgorithmError").reason == "why"


def test_nobody_tries_for_ever():
    world = World(FIRST)
    told = []
    for _ in range(MAX_ATTEMPTS):
        world.scoring.start(NOON)
        told.append(world.retry.windows_failed(failed(list(world.jobs.jobs)[-1])))
    assert told == ["due-again", "due-again", "given-up"]
    assert world.scoring.start(NOON) == "nothing"
    assert len(world.jobs.jobs) == MAX_ATTEMPTS
    assert [event.again for event in world.bus.heard] == [True, True, False]


def test_units_that_joined_a_failing_run_keep_their_own_count():
    world = World(FIRST)
    world.scoring.start(NOON)
    world.retry.windows_failed(failed(list(world.jobs.jobs)[-1]))
    world.table.note("hvac", SECOND)
    world.scoring.start(NOON)
    world.retry.windows_failed(failed(list(world.jobs.jobs)[-1]))
    assert {n.name: n.attempt for n in world.table.due("hvac", 9)} == {
        FIRST.name: 3,
        SECOND.name: 2,
    }


@pytest.mark.parametrize("name", ["windows-of-opportunity", windows_job("hvac", "f" * 32)])
def test_a_job_of_somebody_else_is_ignored(name):
    world = World()
    assert world.retry.windows_failed(failed("0" * 32, ProcessingJobName=name)) == "ignored"
    assert world.bus.heard == []


@pytest.mark.parametrize("at", range(1, 8))
def test_power_may_fail_while_units_become_due_again(at):
    """Steps: two notes, emit; each before and after."""
    world = World(FIRST, SECOND)
    world.scoring.start(NOON)
    (run,) = world.jobs.jobs
    world.table.fuse = world.bus.fuse = Fuse(at)
    if at <= 6:
        with pytest.raises(Crash):
            world.retry.windows_failed(failed(run))
    world.retry.windows_failed(failed(run))
    assert {note.attempt for note in world.table.due("hvac", 9)} == {2}
    assert len(world.table.due("hvac", 9)) == 2
    assert len(world.bus.said()) == 1


@pytest.mark.parametrize("seed", range(20))
def test_twice_and_shuffled_every_note_is_scored_at_least_once_and_taken_once(seed):
    random.seed(seed)
    notes = [note_of(str(n), (f"U{n}",), NOON + timedelta(seconds=n)) for n in range(8)]
    world = World()
    steps = [("note", note) for note in notes * 2] + [("start", None)] * 6
    random.shuffle(steps)
    for what, note in [*steps, ("start", None)]:
        world.table.fuse = world.requests.fuse = world.jobs.fuse = Fuse(random.randint(1, 20))
        try:
            world.table.note("hvac", note) if what == "note" else world.scoring.start(NOON)
        except Crash:
            world.table.fuse = world.requests.fuse = world.jobs.fuse = Fuse()
            world.table.note("hvac", note) if what == "note" else world.scoring.start(NOON)
    world.table.fuse = world.requests.fuse = world.jobs.fuse = Fuse()
    world.scoring.start(NOON)
    scored = {unit for run in world.jobs.jobs for unit in world.requests.written[run].units}
    assert scored == {f"U{n}" for n in range(8)}
    taken = [slot for run, slot in world.table.given]
    assert sorted(taken) == sorted(note.slot for note in notes)
    assert {run for run, _ in world.table.given} == set(world.jobs.jobs)
