"""AWS Glue jobs: the shipped script really runs, as a process of this Python.

Citations: StartJobRun, BatchStopJobRun, GetJobRun and JobRun of the Glue API Reference; "AWS Glue
job run statuses", "Using job parameters in AWS Glue jobs" and "Automating AWS Glue with EventBridge"
of its User Guide. There is no Spark cluster: a script that wants one must find pyspark in this
environment by itself. ERROR (a trigger of a job that is gone) and EXPIRED cannot come up here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.base import OVER, Program, Run, RunError, Service, State
from localcloud.engines.process import Ended
from localcloud.engines.python import LAUNCH, check_modules
from localcloud.engines.runs import Runs
from localcloud.wiring import Job
from localcloud.world import World, iso_seconds

_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}
_DELAYED = ("STARTING", "RUNNING", "STOPPING")


@dataclass(frozen=True)
class Asked:
    """What one run was asked for.

    Attributes:
        job: its job, as moto keeps it.
        request: StartJobRun's.
        arguments: defaults, given and non-overridable ones together.
        attempt: 0, and one more for each retry.
        first: id of the first attempt.
    """

    job: Job
    request: Mapping[str, Any]
    arguments: Mapping[str, str]
    attempt: int
    first: str


class GlueJobs(Service):
    """Plays every job run of the account.

    Args:
        world: the cloud.
        bus: where state changes go.
        runs: who plays them.
    """

    groups: Mapping[str, str] = {"out": "/aws-glue/jobs/output", "err": "/aws-glue/jobs/error"}

    def __init__(self, world: World, bus: Bus, runs: Runs) -> None:
        self._world = world
        self._bus = bus
        self._runs = runs

    def start(self, job: Job, request: Mapping[str, Any], cause: int | None) -> str:
        """StartJobRun: begin a run, let it wait, or refuse it above MaxConcurrentRuns."""
        return self._start(job, request, cause).id

    def stop(self, job: Job, run_ids: list[str], cause: int | None) -> dict[str, Any]:
        """BatchStopJobRun."""
        name = str(job.definition["Name"])
        taken: list[dict[str, str]] = []
        errors: list[dict[str, Any]] = []
        for run_id in run_ids:
            run = self._runs.find(run_id)
            about = {"JobName": name, "JobRunId": run_id}
            if run is None or run.service is not self or run.name != name:
                errors.append(about | _error("EntityNotFoundException", "Job run not found."))
            elif self._runs.stop(run, cause):
                taken.append(about)
            else:
                message = f"Job Run {run_id} is in {run.state} state and cannot be stopped."
                errors.append(about | _error("InvalidStateException", message))
        return {"SuccessfulSubmissions": taken, "Errors": errors}

    def _start(
        self,
        job: Job,
        request: Mapping[str, Any],
        cause: int | None,
        before: Run | None = None,
    ) -> Run:
        definition = job.definition
        name = str(definition["Name"])
        most = int(definition["ExecutionProperty"].get("MaxConcurrentRuns", 1))
        with self._runs.lock:
            busy = self._runs.active(self, name) >= most
            if busy and not self._queues(name, request):
                job.refuse_concurrent()
            attempt = before.data.attempt + 1 if before else 0
            given = {str(k): str(v) for k, v in (request.get("Arguments") or {}).items()}
            arguments = {**definition["DefaultArguments"], **given}
            arguments |= definition.get("NonOverridableArguments") or {}
            timeout = int(request.get("Timeout") or definition["Timeout"])
            facts = self._facts(definition, timeout) | {"Attempt": attempt}
            if before is not None:
                facts["PreviousRunId"] = before.id
            first = before.data.first if before else None
            run_id = job.add_run(arguments, facts, f"{first}_attempt_{attempt}" if first else None)
            run = Run(
                self,
                name,
                run_id,
                self._role(str(definition["Role"])),
                f"GlueJobRunnerSession-{run_id[-12:]}",
                timeout * 60.0,
                Asked(job, request, arguments, attempt, first or run_id),
                most,
                "WAITING" if busy else "STARTING",
            )
            self.show(run)
            self._runs.start(run, cause)
        return run

    def _role(self, role: str) -> str:
        return (
            role if role.startswith("arn:") else f"arn:aws:iam::{self._world.account}:role/{role}"
        )

    def _queues(self, name: str, request: Mapping[str, Any]) -> bool:
        if request.get("JobRunQueuingEnabled") is not None:  # the run's word goes before the job's
            return bool(request["JobRunQueuingEnabled"])
        job = self._world.stack.find("AWS::Glue::Job", name)
        return bool(job and job.facts["queuing"])

    def _facts(self, definition: Mapping[str, Any], timeout: int) -> dict[str, Any]:
        facts = {
            "StartedOn": self._world.clock.now(),
            "Timeout": timeout,
            "LogGroupName": "/aws-glue/jobs",
            "PredecessorRuns": [],
            "ExecutionTime": 0,
        }
        same = ("ExecutionClass", "GlueVersion", "NumberOfWorkers", "WorkerType")
        return facts | {key: definition[key] for key in same if definition.get(key)}

    def show(self, run: Run) -> None:
        """Change what GetJobRun says."""
        now = self._world.clock.now()
        facts: dict[str, Any] = {"JobRunState": run.state, "LastModifiedOn": now}
        if run.reason:
            facts["ErrorMessage"] = run.reason
        if run.state in OVER:
            facts["CompletedOn"] = now
            if run.since is not None:
                facts["ExecutionTime"] = int((now - run.since).total_seconds())
        run.data.job.tell(run.id, **facts)

    def emit(self, run: Run, record: int) -> None:
        """Glue Job State Change at the end; Glue Job Run Status after NotifyDelayAfter minutes."""
        if run.state in OVER:
            detail = {
                "jobName": run.name,
                "severity": _SEVERITY[run.state],
                "state": run.state,
                "jobRunId": run.id,
                "message": run.reason or f"Job run {run.state.lower()}",
            }
            self._publish("Glue Job State Change", run, detail, record)
        elif run.state == "STARTING" and (delay := self._delay(run)) is not None:
            started = self._world.clock.now()
            due = started + timedelta(minutes=delay)
            self._world.clock.at(due, partial(self._late, run, delay, iso_seconds(started)))

    def _delay(self, run: Run) -> float | None:
        wanted = run.data.request.get("NotificationProperty") or {}
        wanted = wanted or run.data.job.definition.get("NotificationProperty") or {}
        return float(wanted["NotifyDelayAfter"]) if wanted.get("NotifyDelayAfter") else None

    def _late(self, run: Run, delay: float, started: str) -> None:
        if run.state not in _DELAYED:
            return
        detail = {
            "jobName": run.name,
            "severity": "INFO",
            "notificationCondition": {"NotifyDelayAfter": delay},
            "state": run.state,
            "jobRunId": run.id,
            "message": f"Job run is in {run.state} state",
            "startedOn": started,
        }
        self._publish("Glue Job Run Status", run, detail, run.record)

    def _publish(self, name: str, run: Run, detail: dict[str, Any], cause: int) -> None:
        self._bus.publish("aws.glue", name, detail, cause=cause, account=run.account)

    def prepare(self, run: Run, client: Callable[[str], Any]) -> Program:
        """Fetch the script and its libraries."""
        folder, asked = run.folder, run.data
        s3 = client("s3")
        script = _fetch(s3, asked.job.definition["Command"]["ScriptLocation"], folder)
        libraries = [
            _fetch(s3, each, folder / "libraries")
            for each in asked.arguments.get("--extra-py-files", "").split(",")
            if each
        ]
        wanted = asked.arguments.get("--additional-python-modules", "")
        check_modules("--additional-python-modules", wanted.split(","))
        arguments = [part for pair in asked.arguments.items() for part in pair]
        command = [sys.executable, "-u", LAUNCH, str(script), "--JOB_NAME", run.name, *arguments]
        return Program(command, {"PYTHONPATH": ":".join(map(str, libraries))}, folder)

    def finish(self, run: Run, state: State, client: Callable[[str], Any]) -> str:
        """Why it ended so: of a script that failed, the end of its standard error."""
        del client
        if isinstance(run.ended, str):
            return run.ended
        if state == "TIMEOUT":
            return f"Job run exceeded its timeout of {int(run.limit_s / 60)} minutes"
        if state == "FAILED" and isinstance(run.ended, Ended):
            last = "\n".join(run.ended.last_errors[-10:])
            return last or f"the script ended with status {run.ended.code}"
        return ""

    def again(self, run: Run, record: int) -> None:
        """MaxRetries: a run that failed is attempted again; one that timed out is not."""
        asked: Asked = run.data
        if asked.attempt < int(asked.job.definition.get("MaxRetries") or 0):
            self._start(asked.job, asked.request, record, before=run)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}


def _fetch(s3: Any, uri: str, folder: Path) -> Path:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not key:
        raise RunError(f"{uri!r} is not an S3 location")
    folder.mkdir(exist_ok=True)
    path = folder / Path(key).name
    s3.download_file(bucket, key, str(path))
    return path
