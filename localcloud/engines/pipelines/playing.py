"""Plays executions: which step begins when, what its end means, and when all of it is over.

Everything here happens on the agenda, one thing at a time; what ends elsewhere (a job, a function)
puts its end there. Steps that need nothing of each other are under way at once. Once a step has
failed none begins, and when the others are over the execution is Failed ("Pipeline execution" of the
SageMaker Developer Guide).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.bus import Bus
from localcloud.engines import identity
from localcloud.engines.base import Outside, RunError
from localcloud.engines.pipelines import kinds, retries
from localcloud.engines.pipelines.events import tell_execution, tell_step
from localcloud.engines.pipelines.execution import OVER, Execution, StepRun
from localcloud.engines.pipelines.kinds import Attempt, Begun, Done
from localcloud.engines.pipelines.scope import job_name, scope_of
from localcloud.engines.pipelines.types import JOBS
from localcloud.world import World

STARTING_S = 1.0
FAILED = "Step failure: One or multiple steps failed."
_LONGEST_REASON = 1024
_TROUBLE = (RunError, ClientError, BotoCoreError)


class Player:
    """Plays every execution.

    Args:
        world: the cloud.
        bus: where status changes go.
        outside: invokes functions.

    Attributes:
        lock: held while an execution changes.
    """

    def __init__(self, world: World, bus: Bus, outside: Outside) -> None:
        self._world = world
        self._bus = bus
        self._outside = outside
        self._waiting: dict[str, tuple[Execution, StepRun]] = {}
        self.lock = threading.RLock()

    def start(self, execution: Execution, cause: int | None) -> None:
        """Begin an execution, or go on with one that is over: what has succeeded stays so."""
        with self.lock:
            execution.facts.pop("FailureReason", None)
            execution.record = 0
            self._become(execution, "Executing", cause=cause)
            self._soon(0, partial(self._advance, execution))

    def stop(self, execution: Execution, cause: int | None) -> None:
        """Stop an execution: jobs are stopped, a function is waited for, a callback is told."""
        with self.lock:
            self._become(execution, "Stopping", cause=cause)
            for run in execution.busy:
                self._soon(0, partial(self._stop, execution, run))
            self._soon(0, partial(self._advance, execution))

    def waiting(self, token: str) -> tuple[Execution, StepRun] | None:
        """The execution and step that a token or an ARN is awaited by."""
        return self._waiting.get(token)

    def ended(self, arn: str) -> None:
        """A job has ended, of whoever it was; may be called from any thread."""
        if arn in self._waiting:
            self._soon(0, partial(self._job_ended, arn))

    def answer(self, token: str, done: Done) -> None:
        """A callback was answered."""
        with self.lock:
            execution, run = self._waiting.pop(token)
            self._soon(0, partial(self._end, execution, run, done))

    def _advance(self, execution: Execution) -> None:
        with self.lock:
            if execution.status == "Executing" and not execution.failed:
                for run in execution.ready():
                    run.started, run.attempts = self._world.clock.now(), 0
                    self._step(execution, run, "Starting")
                    self._soon(STARTING_S, partial(self._begin, execution, run))
            if execution.busy or execution.status in OVER:
                return
            if execution.status == "Stopping":
                self._become(execution, "Stopped")
            elif execution.failed:
                execution.facts["FailureReason"] = FAILED
                self._become(execution, "Failed")
            else:
                self._become(execution, "Succeeded")

    def _begin(self, execution: Execution, run: StepRun) -> None:
        with self.lock:
            if run.status in OVER:
                return
            if execution.status == "Stopping":
                self._end(execution, run, Done("Stopped"))
                return
            run.attempts += 1
            attempt = self._attempt(execution, run)
            try:
                begun = kinds.begin(attempt)
                self._begun(execution, run, begun)
                if run.step.type == "Lambda":
                    work = partial(self._invoke, attempt)
                    self._outside(work, lambda done: self._invoked(execution, run, done))
            except _TROUBLE as error:
                self._trouble(execution, run, error)

    def _begun(self, execution: Execution, run: StepRun, begun: Begun) -> None:
        run.metadata, run.waits = begun.metadata, begun.waits
        if run.waits:
            self._waiting[run.waits] = execution, run
        if run.step.type == "Callback":
            self._world.guard.callbacks[run.waits] = execution.arn
        if run.status == "Starting":
            self._step(execution, run, "Executing")
        if run.waits:
            return
        if begun.failure:
            self._end(execution, run, Done("Failed", begun.failure))
            return
        properties = begun.properties
        if properties is None:  # a model or a model package is there at once
            properties = self._described(execution, run)
        self._end(execution, run, Done("Succeeded", properties=properties))

    def _invoke(self, attempt: Attempt) -> Done | Exception:
        try:
            return kinds.invoked(attempt)
        except _TROUBLE as error:
            return error

    def _invoked(self, execution: Execution, run: StepRun, done: Done | Exception) -> None:
        with self.lock:
            self._waiting.pop(run.waits)
            if isinstance(done, Exception):
                self._trouble(execution, run, done)
            else:
                self._end(execution, run, done)

    def _job_ended(self, arn: str) -> None:
        with self.lock:
            execution, run = self._waiting.pop(arn)
            facts = self._described(execution, run)
            done = kinds.job_end(run.step.type, facts, execution.status == "Stopping")
            if done.status != "Failed" or not self._again(
                execution, run, retries.exception_in(done.reason), done.reason
            ):
                self._end(execution, run, done)

    def _described(self, execution: Execution, run: StepRun) -> dict[str, Any]:
        ((_, made),) = run.metadata.items()
        client = self._clients(execution, run)("sagemaker")
        return kinds.described(client, run.step.type, made["Arn"])

    def _trouble(self, execution: Execution, run: StepRun, error: Exception) -> None:
        reason = str(error) if isinstance(error, RunError) else f"ClientError: {error}"
        if not self._again(execution, run, retries.exception_of(error), reason):
            self._end(execution, run, Done("Failed", reason))

    def _again(self, execution: Execution, run: StepRun, exception: str, reason: str) -> bool:
        """Try a step again later, if its policies say so."""
        wait = retries.wait_s(run.step.body, exception, run.attempts)
        if wait is None or execution.status != "Executing":
            return False
        self._world.journal.add(
            "job", run.step.name, run.status, cause=run.record, run_id=execution.arn,
            attempt=run.attempts, ErrorMessage=reason,
        )  # fmt: skip
        self._soon(wait, partial(self._begin, execution, run))
        return True

    def _end(self, execution: Execution, run: StepRun, done: Done) -> None:
        with self.lock:
            run.ended = self._world.clock.now()
            run.reason, run.properties = done.reason[:_LONGEST_REASON], done.properties
            run.metadata = done.metadata or run.metadata
            self._step(execution, run, done.status)
            self._soon(0, partial(self._advance, execution))

    def _stop(self, execution: Execution, run: StepRun) -> None:
        """Stop what a step does; a step that cannot be stopped is waited for."""
        with self.lock:
            if not run.busy or run.waits not in self._waiting:
                return
            self._step(execution, run, "Stopping")
            clients = self._clients(execution, run)
            try:
                if run.step.type in JOBS:
                    _stop_job(clients("sagemaker"), run)
                elif run.step.type == "Callback":
                    queue = run.metadata["Callback"]["SqsQueueUrl"]
                    kinds.stop_callback(clients, execution.arn, run.waits, queue)
            except ClientError as error:  # it is over, or the role may not: its end will tell
                self._world.journal.add(
                    "job", run.step.name, run.status, cause=run.record, run_id=execution.arn,
                    ErrorMessage=str(error),
                )  # fmt: skip

    def _attempt(self, execution: Execution, run: StepRun) -> Attempt:
        kind, word = run.step.type, self._word()
        name = job_name(execution.id, run.step.name, word, tuning=kind == "Tuning")
        job = {f"{kind}JobName": name} if kind in {"Processing", "Training"} else {}
        clients = self._clients(execution, run)
        scope = scope_of(execution, self._world.clock.now(), clients, job)
        return Attempt(execution, run, clients, scope, name, self._word())

    def _clients(self, execution: Execution, run: StepRun) -> Callable[[str], Any]:
        given = identity.credentials(self._world, execution.role, "SageMaker", run.record)
        return identity.clients(self._world, given)

    def _word(self) -> str:
        return self._world.new_id().replace("-", "")[:10]

    def _become(self, execution: Execution, status: str, *, cause: int | None = None) -> None:
        facts = execution.facts
        before = str(facts.get("PipelineExecutionStatus") or "")
        facts["PipelineExecutionStatus"] = status
        facts["LastModifiedTime"] = self._world.clock.now()
        reason = {"ErrorMessage": facts["FailureReason"]} if status == "Failed" else {}
        record = self._world.journal.add(
            "job", execution.name, status, cause=cause or execution.record or None,
            run_id=execution.arn, **reason,
        ).id  # fmt: skip
        execution.record = execution.record or record
        tell_execution(self._bus, execution, before, record)

    def _step(self, execution: Execution, run: StepRun, status: str) -> None:
        before, run.status = run.status, status
        reason = {"ErrorMessage": run.reason} if run.reason else {}
        first = status == "Starting"
        record = self._world.journal.add(
            "job", run.step.name, status, cause=execution.record if first else run.record,
            run_id=execution.arn, **reason,
        ).id  # fmt: skip
        run.record = record if first else run.record
        tell_step(self._bus, execution, run, before, record)

    def _soon(self, virtual_s: float, task: Callable[[], None]) -> None:
        self._world.clock.after(0.0 if self._world.real_time else virtual_s, task)


def _stop_job(client: Any, run: StepRun) -> None:
    name = run.waits.rpartition("/")[2]
    if run.step.type == "Tuning":
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return
    stop = getattr(client, f"stop_{run.step.type.lower()}_job")
    stop(**{f"{run.step.type}JobName": name})
