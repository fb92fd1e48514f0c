"""Data files arrive: those of a window become one pipeline run, each file in one run.

    file ─► a note ─► quiet, or _SUCCESS ─► the run is opened ─► its notes are taken ─► inputs.json
         ─► StartPipelineExecution, by a token ─► PipelineStarted ─► closed
         └─ nothing to judge by, no such pipeline ─► PipelineRefused, and one mail ─► closed

Ground truth also waits for predictions that are still being made (signalbox.domain.truth).

Notes and runs are those of scoring (signalbox.domain.scoring): whoever finds an open run ends its start
first, and every step may be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from signalbox.contracts.datasets import (
    NO_TRUTH,
    PIPELINE_OF,
    Consumed,
    Pipeline,
    is_data,
    listed,
    manifest,
    says_ready,
)
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.operation_keys import (
    DATASET_KINDS,
    DatasetKind,
    inputs_key,
    parse_dataset_key,
    predictions_key,
)
from signalbox.contracts.triggers import MAX_BYTES, parameters_of
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import pipeline_started
from signalbox.domain.aside import Troubles
from signalbox.domain.due import Note, Notes, note_of
from signalbox.domain.refusal_mail import (
    no_such_workload,
    not_deployed,
    nothing_predicted,
    nothing_to_repeat,
    trigger_unclear,
)
from signalbox.domain.refusing import Refused, Refusing
from signalbox.domain.scoring import OpenRun, RunTable
from signalbox.domain.telling import Ledger, Topic, once
from signalbox.domain.truth import PATIENCE, Predicted
from signalbox.errors import NotDeployed, Rejected

MAX_FILES = 5000
"""Files that one run takes: what an open run takes is listed in one item of the table (400 KB), and each
costs two calls within the five minutes of the door."""
GRACE = timedelta(minutes=1)
"""How long after ``_SUCCESS`` files of the same window may be told of: events keep no order."""

Noted = Literal["noted", "repeated", "ignored"]
Started = Literal["started", "nothing"]


class Folder(Protocol):
    """The data bucket."""

    @property
    def bucket(self) -> str:
        """Its name."""

    def put(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``."""

    def present(self, keys: Collection[str]) -> list[str]:
        """Return those of some keys that are still there, in order."""

    def current(self, key: str) -> tuple[ObjectRef, int] | None:
        """Return the current version of a file and its bytes, or None if there is none."""

    def find(self, key: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""


class History(Protocol):
    """What runs of each kind consumed."""

    def latest(self, kind: DatasetKind, workload: str) -> Consumed | None:
        """Return what the latest run of a kind was given, or None if there was none."""

    def remember(self, kind: DatasetKind, workload: str, consumed: Consumed) -> None:
        """Note what a run was given; it is the latest unless a later run was noted already."""


class Pipelines(Protocol):
    """The pipelines."""

    def start(
        self, pipeline: Pipeline, workload: Workload, run: str, parameters: Mapping[str, str]
    ) -> str:
        """Start a run unless it was started; return its ARN."""


def notes_of(kind: DatasetKind, workload: str) -> str:
    """Return under which name the notes of a kind wait."""
    return f"{kind}/{workload}"


@dataclass(frozen=True, slots=True)
class DatasetIntake:
    """Everything that one data file meets."""

    workloads: Mapping[str, Workload]
    notes: Notes
    ledger: Ledger
    topic: Topic

    def take_in(self, source: ObjectRef, at: datetime, now: datetime | None = None) -> Noted:
        """Note a file, once for each of its versions.

        Args:
            source: the file.
            at: when it came.
            now: when this is tried; ``at`` where it is not told.

        Raises:
            Rejected: its key names no workload, or one that has no pipelines; a mail says so once a day for
                each such place.
            Transient: somebody else is telling it right now.
        """
        try:
            kind, name = parse_dataset_key(source.key)
        except ValueError as problem:
            raise self._refused(source, str(problem), now or at) from None
        workload = self.workloads.get(name)
        if workload is None or workload.operations is None:
            have = sorted(n for n, w in self.workloads.items() if w.operations is not None)
            why = f"{source.key!r}: workload {name!r} has no pipelines; those are {', '.join(have)}"
            raise self._refused(source, why, now or at)
        if not (is_data(source.key) or says_ready(source.key)):
            return "ignored"
        note = note_of(f"{source.key} {source.sequencer}", (source.key,), at)
        return "noted" if self.notes.note(notes_of(kind, name), note) else "repeated"

    def _refused(self, source: ObjectRef, why: str, now: datetime) -> Rejected:
        place = "/".join(source.key.split("/")[:2]) if source.key.count("/") > 1 else "no workload"
        with once(self.ledger, f"refused {place} {now:%Y-%m-%d}", now) as new:
            if new:
                self.topic.publish(no_such_workload(source.key, why))
        return Rejected("unknown-workload", why)


@dataclass(frozen=True, slots=True)
class PipelineStart:
    """Everything that files meet until their pipeline runs."""

    workloads: Mapping[str, Workload]
    table: RunTable
    folder: Folder
    history: History
    predicted: Predicted
    pipelines: Pipelines
    bus: Bus
    ledger: Ledger
    topic: Topic

    def start(self, now: datetime) -> Started:
        """Start one run for each workload and kind whose files are complete.

        Raises:
            SignalboxError: the first trouble, after every workload had its turn.
        """
        outcome: Started = "nothing"
        troubles = Troubles()
        for _, workload in sorted(self.workloads.items()):
            if workload.operations is None:
                continue
            quiet = timedelta(minutes=workload.operations.quiet_minutes)
            for kind in DATASET_KINDS:
                with troubles.aside():
                    if self._start(kind, workload, now, quiet):
                        outcome = "started"
        troubles.tell()
        return outcome

    def _start(
        self, kind: DatasetKind, workload: Workload, now: datetime, quiet: timedelta
    ) -> bool:
        waiting = notes_of(kind, workload.name)
        run = self.table.open_run(waiting) or self._open(kind, workload.name, now, quiet)
        if run is None:
            return False
        for slot in run.slots:
            self.table.take(run, slot)
        keys = sorted({k for note in self.table.taken(run.run) for k in note.units or ()})
        files = self.folder.present([key for key in keys if is_data(key)])
        asked, why_not = self._asked(PIPELINE_OF[kind], [key for key in keys if says_ready(key)])
        if asked and not files:
            files = latest_files(self.history.latest(kind, workload.name), self.folder)
            why_not = "" if files else nothing_to_repeat(kind, workload.name)
        if why_not:
            self._refuse(workload, run, inputs_key(workload.name, run.run), why_not, now)
        elif files:
            self._run(kind, workload, run, files, asked, now)
        # else an empty _SUCCESS came alone, another run took all of them, or they were deleted since
        self.table.close(run)
        return bool(files) and not why_not

    def _asked(self, pipeline: Pipeline, triggers: Sequence[str]) -> tuple[dict[str, str], str]:
        """Return the parameters that trigger files ask for, or why one is none; the last by name decides."""
        asked: dict[str, str] = {}
        for key in self.folder.present(triggers):
            found = self.folder.current(key)
            if found is not None and found[1] > MAX_BYTES:
                return {}, trigger_unclear(
                    key, f"has {found[1]} bytes, {MAX_BYTES} at most are taken"
                )
            try:
                asked |= parameters_of(self.folder.find(key) or b"", pipeline)
            except ValueError as problem:
                return {}, trigger_unclear(key, str(problem))
        return asked, ""

    def _open(
        self, kind: DatasetKind, workload: str, now: datetime, quiet: timedelta
    ) -> OpenRun | None:
        waiting = notes_of(kind, workload)
        notes = self.table.due(waiting, MAX_FILES)
        if not notes or not complete(notes, now, quiet):
            return None
        if kind == "ground-truth" and self._too_early(workload, notes, now):
            return None
        slots = tuple(note.slot for note in notes)
        digest = hashlib.sha256("\n".join([waiting, *slots]).encode()).hexdigest()[:32]
        return self.table.begin(OpenRun(waiting, digest, slots, now))

    def _too_early(self, workload: str, truth: Sequence[Note], now: datetime) -> bool:
        """Whether truth should wait: for files that are to be predicted for, or for predictions under way."""
        if min(note.at for note in truth) + PATIENCE <= now:
            return False
        inputs = notes_of("inference", workload)
        waiting = self.table.open_run(inputs) is not None or bool(self.table.due(inputs, 1))
        return waiting or self.predicted.coming(workload, now)

    def _run(
        self,
        kind: DatasetKind,
        workload: Workload,
        run: OpenRun,
        files: Sequence[str],
        asked: Mapping[str, str],
        now: datetime,
    ) -> None:
        key, bucket = inputs_key(workload.name, run.run), self.folder.bucket
        self.folder.put(key, manifest(bucket, files))
        inputs = f"s3://{bucket}/{key}"
        told = {**asked, "Inputs": inputs} | ({"Truth": NO_TRUTH} if kind == "inference" else {})
        if kind == "ground-truth":
            predictions = self.predicted.files(workload.name)
            if not predictions:
                self._refuse(workload, run, key, nothing_predicted(workload.name), now)
                return
            listed = predictions_key(workload.name, run.run)
            self.folder.put(listed, manifest(bucket, predictions))
            told |= {"Truth": inputs, "Predictions": f"s3://{bucket}/{listed}"}
        try:
            arn = self.pipelines.start(PIPELINE_OF[kind], workload, run.run, told)
        except NotDeployed as problem:
            self._refuse(workload, run, key, not_deployed(workload.name, str(problem)), now)
            return
        consumed = Consumed(run=run.run, inputs=inputs, at=run.at, execution=arn)
        self.history.remember(kind, workload.name, consumed)
        self.bus.emit(pipeline_started(workload.name, PIPELINE_OF[kind], run.run, arn, len(files)))

    def _refuse(self, workload: Workload, run: OpenRun, key: str, why: str, now: datetime) -> None:
        """Say that files became no run: an event, and one mail to the owner."""
        refused = Refused(workload, run.run, self.folder.bucket, key, run.at)
        Refusing(self.bus, self.ledger, self.topic).tell(refused, why, now)


def latest_files(latest: Consumed | None, folder: Folder) -> list[str]:
    """Return the files that the latest run of a kind was given and that are still there."""
    if latest is None:
        return []
    content = folder.find(latest.inputs.removeprefix(f"s3://{folder.bucket}/"))
    return [] if content is None else folder.present(listed(content))


def complete(notes: Sequence[Note], now: datetime, quiet: timedelta) -> bool:
    """Whether the files that wait are all that will come for now."""
    if len(notes) >= MAX_FILES:
        return True
    if any(note.at + GRACE <= now for note in notes for key in note.units or () if says_ready(key)):
        return True
    return max(note.at for note in notes) + quiet <= now
