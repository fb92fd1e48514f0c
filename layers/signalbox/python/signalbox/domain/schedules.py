"""A workload's schedules: at its time a pipeline starts anew on the files of its latest run, once.

    due, an hour ago at most ─► claimed ─► inputs.json ─► StartPipelineExecution, by token ─► PipelineStarted
                                 └─ no files, no such pipeline ─► PipelineRefused, and one mail

A due time is claimed as things that are told are (signalbox.domain.telling). The run is a digest of workload,
pipeline and due time, so that who starts it again after a power failure meets the run that is there. What is
due longer ago than an hour is not made up for: a workload that is deployed today did not miss yesterday.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from signalbox.contracts.datasets import (
    NO_TRUTH,
    PIPELINE_OF,
    Consumed,
    listed,
    manifest,
)
from signalbox.contracts.operation_keys import DatasetKind, inputs_key
from signalbox.contracts.operations import WEEKDAYS, Schedule
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import pipeline_started
from signalbox.domain.aside import Troubles
from signalbox.domain.datasets import Folder, History, Pipelines, Started, latest_files
from signalbox.domain.refusal_mail import no_files, not_deployed_now
from signalbox.domain.refusing import Refused, Refusing
from signalbox.domain.telling import Ledger, Topic, once
from signalbox.errors import NotDeployed

LATE = timedelta(hours=1)
"""As long as EventBridge Scheduler tries to deliver a tick of start_pipelines."""


class Starting(Protocol):
    """Something that starts what is to be started at a time."""

    def start(self, now: datetime) -> Started:
        """Start it."""


def latest_due(schedule: Schedule, now: datetime) -> datetime:
    """Return the latest time up to now that a schedule names.

    >>> monthly = Schedule(pipeline="train", every="month", day=1, at="03:00")
    >>> f"{latest_due(monthly, datetime(2026, 3, 1, 2, 59, tzinfo=UTC)):%Y-%m-%d %H:%M}"
    '2026-02-01 03:00'
    """
    hour, minute = map(int, schedule.at.split(":"))
    due = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    while due > now or not _fits(schedule, due):
        due -= timedelta(days=1)
    return due


def _fits(schedule: Schedule, due: datetime) -> bool:
    if schedule.weekday is not None:
        return WEEKDAYS[due.weekday()] == schedule.weekday
    return schedule.day is None or schedule.day == due.day


@dataclass(frozen=True, slots=True)
class Schedules:
    """Everything that a schedule meets when its time comes."""

    workloads: Mapping[str, Workload]
    store: Folder
    history: History
    pipelines: Pipelines
    bus: Bus
    ledger: Ledger
    topic: Topic

    def start(self, now: datetime) -> Started:
        """Start a run for each schedule that is due, once.

        Raises:
            SignalboxError: the first trouble, after every schedule had its turn.
        """
        outcome: Started = "nothing"
        troubles = Troubles()
        for _, workload in sorted(self.workloads.items()):
            for schedule in workload.operations.schedule if workload.operations else ():
                with troubles.aside():
                    if self._start(workload, schedule, now):
                        outcome = "started"
        troubles.tell()
        return outcome

    def _start(self, workload: Workload, schedule: Schedule, now: datetime) -> bool:
        due = latest_due(schedule, now)
        if due + LATE < now:
            return False
        thing = f"scheduled {schedule.pipeline} of {workload.name} at {due:%Y-%m-%dT%H:%MZ}"
        with once(self.ledger, thing, now) as new:
            if new:
                run = hashlib.sha256(thing.encode()).hexdigest()[:32]
                self._run(workload, schedule, run, due, now)
        return new

    def _run(
        self, workload: Workload, schedule: Schedule, run: str, due: datetime, now: datetime
    ) -> None:
        kind: DatasetKind = "training" if schedule.pipeline == "train" else "inference"
        bucket, key = self.store.bucket, inputs_key(workload.name, run)
        refusing = Refusing(self.bus, self.ledger, self.topic)
        refused = Refused(workload, run, bucket, key, due, "a schedule started no run")
        content = self.store.find(key)
        if content is None:
            files = latest_files(self.history.latest(kind, workload.name), self.store)
            self.store.put(key, manifest(bucket, files))
        else:  # somebody died over it, and the run may be under way on just these
            files = listed(content)
        if not files:
            refusing.tell(refused, no_files(workload.name, kind), now)
            return
        inputs = f"s3://{bucket}/{key}"
        told = {"Inputs": inputs} | ({} if kind == "training" else {"Truth": NO_TRUTH})
        try:
            execution = self.pipelines.start(PIPELINE_OF[kind], workload, run, told)
        except NotDeployed as problem:
            refusing.tell(refused, not_deployed_now(str(problem)), now)
            return
        consumed = Consumed(run=run, inputs=inputs, at=due, execution=execution)
        self.history.remember(kind, workload.name, consumed)
        self.bus.emit(
            pipeline_started(
                workload.name, PIPELINE_OF[kind], run, execution, len(files), why="schedule"
            )
        )


@dataclass(frozen=True, slots=True)
class Tick:
    """What happens every five minutes: files that are complete, and schedules that are due."""

    starting: Sequence[Starting]

    def start(self, now: datetime) -> Started:
        """Start all there is to be started.

        Raises:
            SignalboxError: the first trouble, after everything had its turn.
        """
        outcome: Started = "nothing"
        troubles = Troubles()
        for each in self.starting:
            with troubles.aside():
                outcome = "started" if each.start(now) == "started" else outcome
        troubles.tell()
        return outcome
