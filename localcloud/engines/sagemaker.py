"""SageMaker jobs: what processing, training and batch transform have in common.

Citations: Create-, Describe- and StopProcessingJob and -TrainingJob of the SageMaker API Reference;
"Events that Amazon SageMaker AI sends to Amazon EventBridge" of its Developer Guide, whose event
details are the Describe answers with times in milliseconds.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.base import OVER, Run, Service, State
from localcloud.engines.ml import MlFolder
from localcloud.engines.process import Ended
from localcloud.engines.runs import Runs
from localcloud.wiring import RefusedError
from localcloud.world import World

_STATUS: dict[State, str] = {
    "WAITING": "InProgress",
    "STARTING": "InProgress",
    "RUNNING": "InProgress",
    "STOPPING": "Stopping",
    "SUCCEEDED": "Completed",
    "FAILED": "Failed",
    "STOPPED": "Stopped",
    "TIMEOUT": "Stopped",
}
NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
ROLE = r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
_LONGEST_REASON = 1024


class SageMakerJobs(Service):
    """One kind of jobs.

    Args:
        world: the cloud.
        bus: where state changes go.
        runs: who plays them.

    Attributes:
        kind: "Processing", "Training" or "Transform", as names of the API begin.
        longest_s: how long a job may take where no StoppingCondition says less.
    """

    kind: str
    longest_s = 86_400.0
    grace_s = 120.0  # "StopTrainingJob"

    def __init__(self, world: World, bus: Bus, runs: Runs) -> None:
        self.world = world
        self._bus = bus
        self.runs = runs

    def create(self, facts: dict[str, Any], cause: int | None) -> None:
        """Begin a job.

        Args:
            facts: what Describe answers; holds the request now and follows the job from here.
            cause: record behind the request.

        Raises:
            RefusedError: the request asks for what the local cloud does not have.
        """
        must_match(facts, f"{self.kind}JobName", NAME)
        self.check(facts)
        role = self.role(facts)
        name, arn = str(facts[f"{self.kind}JobName"]), str(facts[f"{self.kind}JobArn"])
        limit = facts.get("StoppingCondition") or {}
        seconds = float(limit.get("MaxRuntimeInSeconds") or self.longest_s)
        run = Run(self, name, arn, role, "SageMaker", seconds, facts)
        facts["CreationTime"] = self.world.clock.now()
        self.show(run)
        self.runs.start(run, cause)

    def stop(self, facts: Mapping[str, Any], cause: int | None) -> None:
        """Stop a job.

        Raises:
            RefusedError: it is over, or being stopped.
        """
        run = self.runs.find(str(facts[f"{self.kind}JobArn"]))
        if run is None or not self.runs.stop(run, cause):
            status = facts[f"{self.kind}JobStatus"]
            what = self.kind.lower()
            raise RefusedError(
                f"The request was rejected because the {what} job is in status {status}."
            )

    def role(self, facts: Mapping[str, Any]) -> str:
        """ARN of the role that a job runs as.

        Raises:
            RefusedError: it is none.
        """
        must_match(facts, "RoleArn", ROLE)
        return str(facts["RoleArn"])

    @abstractmethod
    def check(self, facts: dict[str, Any]) -> None:
        """Refuse what a request asks for and is not played; fill in defaults AWS answers with."""

    def show(self, run: Run) -> None:
        """Change what Describe answers."""
        facts, now, kind = run.data, self.world.clock.now(), self.kind
        facts[f"{kind}JobStatus"] = _STATUS[run.state]
        facts["LastModifiedTime"] = now
        if run.state == "RUNNING":
            facts[f"{kind}StartTime"] = now
        if run.state in OVER:
            facts[f"{kind}EndTime"] = now
        if run.state == "FAILED":
            facts["FailureReason"] = run.reason[:_LONGEST_REASON]

    def word(self, run: Run) -> str:
        """The job's status."""
        return _STATUS[run.state]

    def emit(self, run: Run, record: int) -> None:
        """SageMaker Processing (Training, Transform) Job State Change."""
        detail = self.detail(run)
        name = f"SageMaker {self.kind} Job State Change"
        self._bus.publish(
            "aws.sagemaker", name, detail, resources=[run.id], cause=record, account=run.account
        )

    def detail(self, run: Run) -> dict[str, Any]:
        """What an event tells: the Describe answer."""
        plain: dict[str, Any] = in_milliseconds(run.data)
        return plain

    def folder(self, run: Run, client: Callable[[str], Any]) -> MlFolder:
        """The job's /opt/ml."""
        return MlFolder(run.folder, client("s3"))

    def stream(self, run: Run) -> str:
        """`<job>/algo-1-<epoch seconds>`, as SageMaker names its streams."""
        return f"{run.name}/algo-1-{int(run.data['CreationTime'].timestamp())}"


def must_match(facts: Mapping[str, Any], name: str, pattern: str) -> None:
    """Patterns of the API Reference, which clients do not check."""
    if not re.fullmatch(pattern, str(facts[name])):
        member = name[0].lower() + name[1:]
        raise RefusedError(
            f"1 validation error detected: Value '{facts[name]}' at '{member}' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {pattern}"
        )


def in_milliseconds(value: Any) -> Any:
    """A value with every instant in it as milliseconds since the epoch, as events have them."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, Mapping):
        return {key: in_milliseconds(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_milliseconds(each) for each in value]
    return value


def failure(run: Run, said: str) -> str:
    """Why a program failed: what it left behind, or the last it wrote to standard error."""
    if isinstance(run.ended, str):
        prefix = "" if run.ended.startswith("ClientError: ") else "ClientError: "
        return prefix + run.ended
    if not isinstance(run.ended, Ended):
        return ""
    last = run.ended.last_errors[-1] if run.ended.last_errors else ""
    return f"AlgorithmError: {(said or last)[:900]}, exit code: {run.ended.code}"


def refuse(facts: Mapping[str, Any], *names: str) -> None:
    """Refuse members of a request that would have no effect here.

    Raises:
        RefusedError: one of them is there and not empty.
    """
    for name in names:
        if facts.get(name):
            raise RefusedError(f"{name} is not supported by the local cloud")


def only(facts: Mapping[str, Any], name: str, *allowed: Any) -> None:
    """Refuse values of a member but these; one that is not there is its default.

    Raises:
        RefusedError: it has another value.
    """
    if name in facts and facts[name] not in allowed:
        words = ", ".join(str(each) for each in allowed)
        message = f"{name} {facts[name]!r} is not supported by the local cloud, only {words}"
        raise RefusedError(message)
