"""AWS Glue jobs: the shipped script really runs, as a process of this Python.

Citations: StartJobRun, GetJobRun and JobRun of the Glue API Reference; "Using job parameters in AWS
Glue jobs"; "Automating AWS Glue with EventBridge" for Glue Job State Change. There is no Spark
cluster: a script that wants one must find pyspark in this environment by itself.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.bus import Bus
from localcloud.engines.base import Outside
from localcloud.engines.process import Ended, Processes
from localcloud.wiring import Job
from localcloud.world import World

# Virtual seconds a run spends in STARTING, and in RUNNING whatever the script takes. While time is
# real the first is nothing and the second is what it is.
_START_S, _RUN_S = 10.0, 60.0
_ACTIVE = {"STARTING", "RUNNING", "STOPPING"}
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}
_LONGEST_LINE = 2000
_LAUNCH = str(Path(__file__).with_name("launch.py"))


@dataclass(frozen=True)
class Run:
    """One job run."""

    job: Job
    name: str
    id: str
    arguments: Mapping[str, str]
    timeout_min: int
    record: int


class GlueEngine:
    """Plays every job run of the account.

    Args:
        world: the cloud.
        bus: where state changes go.
        outside: does the work.
        minute_s: real seconds that one minute of a job's Timeout lasts.
    """

    def __init__(self, world: World, bus: Bus, outside: Outside, *, minute_s: float = 60.0) -> None:
        self._world = world
        self._bus = bus
        self._outside = outside
        self._minute_s = minute_s
        self._processes = Processes()
        self._waiting: list[Run] = []

    def start(self, job: Job, request: Mapping[str, Any], cause: int | None) -> str:
        """StartJobRun: begin a run, let it wait, or refuse it above MaxConcurrentRuns."""
        definition = job.definition
        name = str(definition["Name"])
        most = int(definition["ExecutionProperty"].get("MaxConcurrentRuns", 1))
        busy = sum(state in _ACTIVE for state in job.states()) >= most
        if busy and not self._queues(name, request):
            job.refuse_concurrent()
        state = "WAITING" if busy else "STARTING"
        given = {str(key): str(value) for key, value in (request.get("Arguments") or {}).items()}
        arguments = {**definition["DefaultArguments"], **given}
        arguments |= definition.get("NonOverridableArguments") or {}
        timeout = int(request.get("Timeout") or definition["Timeout"])
        facts = self._facts(definition, state, timeout)
        run_id = job.add_run(arguments, facts)
        record = self._world.journal.add("job", name, state, cause=cause, run_id=run_id)
        run = Run(job, name, run_id, arguments, timeout, record.id)
        if busy:
            self._waiting.append(run)
        else:
            self._soon(_START_S, partial(self._running, run))
        return run_id

    def close(self) -> None:
        """Stop every script that still runs."""
        self._processes.close()

    def _queues(self, name: str, request: Mapping[str, Any]) -> bool:
        if request.get("JobRunQueuingEnabled") is not None:  # the run's word goes before the job's
            return bool(request["JobRunQueuingEnabled"])
        job = self._world.stack.find("AWS::Glue::Job", name)
        return bool(job and job.facts["queuing"])

    def _facts(self, definition: Mapping[str, Any], state: str, timeout: int) -> dict[str, Any]:
        now = self._world.clock.now()
        facts = {
            "Attempt": 0,
            "JobRunState": state,
            "StartedOn": now,
            "LastModifiedOn": now,
            "Timeout": timeout,
            "LogGroupName": "/aws-glue/jobs",
            "PredecessorRuns": [],
            "ExecutionTime": 0,
        }
        same = ("ExecutionClass", "GlueVersion", "NumberOfWorkers", "WorkerType")
        return facts | {key: definition[key] for key in same if definition.get(key)}

    def _running(self, run: Run) -> None:
        record = self._tell(run, "RUNNING", run.record)
        since = self._world.clock.now()
        self._outside(partial(self._execute, run, record), partial(self._executed, run, since))

    def _execute(self, run: Run, record: int) -> Ended | str:
        """Fetch the script and its libraries and run it; a text says why it could not start."""
        with tempfile.TemporaryDirectory(prefix="glue-") as place:
            folder = Path(place)
            try:
                location = run.job.definition["Command"]["ScriptLocation"]
                script = self._fetch(run, record, location, folder)
                libraries = [
                    self._fetch(run, record, each, folder / "libraries")
                    for each in run.arguments.get("--extra-py-files", "").split(",")
                    if each
                ]
                check_modules(run.arguments.get("--additional-python-modules", ""))
            except (ClientError, ValueError) as error:
                return str(error)
            arguments = [part for pair in run.arguments.items() for part in pair]
            return self._processes.run(
                [sys.executable, "-u", _LAUNCH, str(script), "--JOB_NAME", run.name, *arguments],
                self._environment(run, record, libraries, folder),
                folder,
                run.timeout_min * self._minute_s,
                partial(self._heard, run, record),
            )

    def _fetch(self, run: Run, record: int, uri: str, folder: Path) -> Path:
        """Glue fetches in the name of the job's role."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise ValueError(f"{uri!r} is not an S3 location")
        decision = self._world.guard.act(
            self._role(run), "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}",
            by="glue.amazonaws.com", cause=record,
        )  # fmt: skip
        if not decision.allowed:
            raise ValueError(f"AccessDenied: s3:GetObject on {uri}; {decision.reason}")
        folder.mkdir(exist_ok=True)
        path = folder / Path(key).name
        self._world.client("s3").download_file(bucket, key, str(path))
        return path

    def _environment(
        self, run: Run, record: int, libraries: list[Path], folder: Path
    ) -> dict[str, str]:
        role = self._role(run)
        session = f"GlueJobRunnerSession-{run.id[-12:]}"
        sts = self._world.client("sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
        self._world.callers[given["AccessKeyId"]] = record
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_DEFAULT_REGION": self._world.region,
            "AWS_ENDPOINT_URL": self._world.endpoint(),
            "AWS_REGION": self._world.region,
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": ":".join(str(path) for path in libraries),
            "TZ": "UTC",
        }

    def _role(self, run: Run) -> str:
        role = str(run.job.definition["Role"])
        return (
            role if role.startswith("arn:") else f"arn:aws:iam::{self._world.account}:role/{role}"
        )

    def _heard(self, run: Run, record: int, line: str) -> None:
        short = line[:_LONGEST_LINE]
        self._world.journal.add("log", run.name, cause=record, line=short, run_id=run.id)

    def _executed(self, run: Run, since: datetime, ended: Ended | str) -> None:
        state, message = "SUCCEEDED", ""
        if isinstance(ended, str):
            state, message = "FAILED", ended
        elif ended.code is None:
            state, message = "TIMEOUT", f"Job run exceeded its timeout of {run.timeout_min} minutes"
        elif ended.code != 0:
            last = "\n".join(ended.last_errors[-10:])
            state, message = "FAILED", last or f"the script ended with status {ended.code}"
        self._soon(_RUN_S, partial(self._finished, run, since, state, message))

    def _soon(self, virtual_s: float, task: Callable[[], None]) -> None:
        self._world.clock.after(0.0 if self._world.real_time else virtual_s, task)

    def _finished(self, run: Run, since: datetime, state: str, message: str) -> None:
        seconds = int((self._world.clock.now() - since).total_seconds())
        facts: dict[str, Any] = {"ErrorMessage": message} if message else {}
        record = self._tell(run, state, run.record, ExecutionTime=seconds, **facts)
        detail = {
            "jobName": run.name,
            "severity": _SEVERITY[state],
            "state": state,
            "jobRunId": run.id,
            "message": message or "Job run succeeded",
        }
        self._bus.publish("aws.glue", "Glue Job State Change", detail, cause=record)
        waiting = next((each for each in self._waiting if each.name == run.name), None)
        if waiting is not None:
            self._waiting.remove(waiting)
            self._tell(waiting, "STARTING", waiting.record)
            self._soon(_START_S, partial(self._running, waiting))

    def _tell(self, run: Run, state: str, cause: int, **facts: Any) -> int:
        now: datetime = self._world.clock.now().astimezone(UTC)
        if state in _SEVERITY:
            facts["CompletedOn"] = now
        run.job.tell(run.id, JobRunState=state, LastModifiedOn=now, **facts)
        shown = {key: value for key, value in facts.items() if key == "ErrorMessage"}
        journal = self._world.journal
        return journal.add("job", run.name, state, cause=cause, run_id=run.id, **shown).id


def check_modules(wanted: str) -> None:
    """See that `--additional-python-modules` are here: nothing is installed for a run.

    Args:
        wanted: comma-separated requirements, each `name==version`.

    Raises:
        ValueError: one is missing, has another version, or names none.
    """
    for requirement in filter(None, (each.strip() for each in wanted.split(","))):
        name, _, version = requirement.partition("==")
        found = next((each.version for each in metadata.distributions(name=name)), None)
        if not version or found != version:
            message = f"--additional-python-modules wants {requirement}, here is {found or 'none'}"
            raise ValueError(message)
