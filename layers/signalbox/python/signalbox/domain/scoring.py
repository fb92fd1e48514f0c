"""Units are due: those of a window become one scoring run; and what failed becomes due again.

    notes that wait ─► request.json ─► the run is opened ─► its notes are taken ─► job ─► closed

A run is opened on condition that none is open for its workload, after its request is written, and
is closed when its job is known to exist. Whoever finds an open run ends its start first: every step
may be repeated. What comes meanwhile waits for the next run. The run's name is a digest of the
notes it takes and of the model, and the job's name holds it, so no run has two jobs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.sagemaker import ProcessingJobChange, run_of
from signalbox.contracts.scoring import CurrentModel, ScoringRequest
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus, scoring_failed
from signalbox.domain.aside import Troubles
from signalbox.domain.due import MAX_NAMED, Models, Note, Notes

MAX_NOTES = 500
"""Notes that one run takes: each costs two calls; the rest waits five minutes for the next."""
MAX_ATTEMPTS = 3

Started = Literal["started", "nothing"]
Failed = Literal["due-again", "given-up", "ignored"]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose start is under way: the slots of the notes it takes."""

    workload: str
    run: str
    slots: tuple[str, ...]
    at: datetime


class RunTable(Notes, Protocol):
    """Notes and runs. Every change is conditional: of two contenders one wins."""

    def due(self, workload: str, most: int) -> list[Note]:
        """Return notes that wait, oldest first."""

    def open_run(self, workload: str) -> OpenRun | None:
        """Return the run whose start is under way, if there is one."""

    def begin(self, run: OpenRun) -> OpenRun:
        """Open a run unless one is open; return the one that is.

        Raises:
            Transient: another one was open, and was closed meanwhile.
        """

    def take(self, run: OpenRun, slot: str) -> bool:
        """Give a waiting note to a run; return whether the run has it now."""

    def close(self, run: OpenRun) -> None:
        """Note that the start of a run is over; another run stays open."""

    def workload_of(self, run: str) -> str | None:
        """Return the workload of a run that was opened, or None."""

    def taken(self, run: str) -> list[Note]:
        """Return the notes that a run took."""


class Requests(Protocol):
    """Where requests of runs stand."""

    def write(self, request: ScoringRequest) -> None:
        """Write what a run is asked for."""


class WindowsJobs(Protocol):
    """The processing jobs that make windows."""

    def start(self, workload: str, run: str) -> None:
        """Start the job of a run unless it exists."""


def request_of(
    workload: str, model: CurrentModel, notes: Sequence[Note], at: datetime
) -> ScoringRequest:
    """Return what a run is asked for that takes these notes."""
    names = sorted(note.slot for note in notes)
    text = "\n".join([workload, model.schema_.version, *names])
    due = {unit for note in notes for unit in note.units or ()}
    everything = any(note.units is None for note in notes) or len(due) > MAX_NAMED
    return ScoringRequest(
        workload=workload,
        run=hashlib.sha256(text.encode()).hexdigest()[:32],
        units=None if everything else sorted(due),
        model=model,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Scoring:
    """Everything due units meet until the job of their run is under way."""

    workloads: Mapping[str, Workload]
    models: Models
    table: RunTable
    requests: Requests
    jobs: WindowsJobs

    def start(self, now: datetime) -> Started:
        """Start one run for each workload with units due.

        Raises:
            SignalboxError: the first trouble, after every workload had its turn.
        """
        outcome: Started = "nothing"
        troubles = Troubles()
        for name, workload in sorted(self.workloads.items()):
            if not workload.scored:
                continue
            with troubles.aside():
                outcome = "started" if self._start(name, now) else outcome
        troubles.tell()
        return outcome

    def _start(self, workload: str, now: datetime) -> bool:
        run = self.table.open_run(workload) or self._open(workload, now)
        if run is None:
            return False
        taken = [self.table.take(run, slot) for slot in run.slots]
        if any(taken):  # else another run took all of them between our looking and our opening
            self.jobs.start(workload, run.run)
        self.table.close(run)
        return any(taken)

    def _open(self, workload: str, now: datetime) -> OpenRun | None:
        notes = self.table.due(workload, MAX_NOTES)
        model = self.models.current(workload) if notes else None
        if model is None:
            return None
        request = request_of(workload, model, notes, now)
        self.requests.write(request)
        slots = tuple(note.slot for note in notes)
        return self.table.begin(OpenRun(workload, request.run, slots, now))


@dataclass(frozen=True, slots=True)
class Retry:
    """What happens to the units of a run that failed."""

    table: RunTable
    bus: Bus

    def windows_failed(self, change: ProcessingJobChange) -> Failed:
        """Make the units of a run whose windows were not made due again."""
        job = change.detail
        return self.failed("windows", (job.job_name, job.status, change.reason))

    def failed(self, stage: Literal["windows", "scores"], job: tuple[str, str, str]) -> Failed:
        """Make the units of a run due again, as often as is sensible, and say so.

        Args:
            stage: what the job was to make.
            job: its name, its status and the reason.
        """
        run = run_of(job[0])
        workload = self.table.workload_of(run) if run else None
        if run is None or workload is None:
            return "ignored"  # somebody else's job under a name like ours
        again = [note for note in self.table.taken(run) if note.attempt < MAX_ATTEMPTS]
        for note in again:
            self.table.note(workload, replace(note, attempt=note.attempt + 1))
        self.bus.emit(scoring_failed(workload, run, stage, job, again=bool(again)))
        return "due-again" if again else "given-up"
