"""What an engine is made of: a service, its runs, and the program of a run.

A `Service` knows its own API, events and folders; `localcloud.engines.runs` plays every run of
every service through the same states, and is the only place that starts, stops and counts them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from localcloud.engines.process import Ended

T = TypeVar("T")
State = Literal[
    "WAITING", "STARTING", "RUNNING", "STOPPING", "SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"
]
OVER: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"})


class RunError(Exception):
    """A run that cannot start, or whose end cannot be kept; the text is its failure reason."""


@dataclass(frozen=True)
class Program:
    """What a run starts.

    Attributes:
        command: the program and its arguments.
        environment: variables beside the credentials and the endpoint, which every run gets.
        folder: where it starts.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass(eq=False)
class Run:
    """One thing a service was asked to run.

    Attributes:
        service: whose run it is.
        name: the job it is a run of; concurrency and waiting go by it.
        id: unique among all runs.
        role: ARN of the role whose credentials it gets.
        session: name of its session of that role.
        limit_s: seconds after which it is ended.
        data: what the service itself keeps of it.
        most: runs of the same name that may be active at once; None for any number.
        state: where it is now.
        reason: why it ended as it did, where there is something to say.
        record: journal record of its first state, which causes the others.
        running: journal record of RUNNING, which causes what the program does.
        since: when it began RUNNING.
        ended: how its program ended, or why it could not start.
        place: its folder, from RUNNING to its end.
    """

    service: Service
    name: str
    id: str
    role: str
    session: str
    limit_s: float
    data: Any
    most: int | None = None
    state: State = "STARTING"
    reason: str = ""
    record: int = 0
    running: int = 0
    since: datetime | None = None
    ended: Ended | str | None = None
    place: Path | None = None
    finishing: bool = field(default=False, repr=False)

    @property
    def account(self) -> str:
        """The account it runs in: its role's."""
        return self.role.split(":")[4]

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        if self.place is None:
            raise RunError(f"{self.name} has no folder while it is {self.state}")
        return self.place


class Service(ABC):
    """A service that runs something.

    Attributes:
        start_s: virtual seconds a run spends in STARTING.
        run_s: virtual seconds it spends in RUNNING whatever its program takes.
        stop_s: virtual seconds it spends in STOPPING.
        grace_s: real seconds between SIGTERM and SIGKILL when it is stopped.
        groups: CloudWatch Logs group of each of the streams "out" and "err".
    """

    start_s = 10.0
    run_s = 60.0
    stop_s = 1.0
    grace_s = 5.0
    groups: Mapping[str, str]

    @abstractmethod
    def show(self, run: Run) -> None:
        """Make the run's state visible in the API."""

    @abstractmethod
    def emit(self, run: Run, record: int) -> None:
        """Publish the event AWS emits for the run's state, if it emits one."""

    @abstractmethod
    def prepare(self, run: Run, client: Callable[[str], Any]) -> Program:
        """Fetch into the run's folder what it needs.

        Args:
            run: about to begin.
            client: boto3 clients with the credentials of the run's role.

        Raises:
            RunError: it cannot run; so may whatever a client raises.
        """

    def finish(self, run: Run, state: State, client: Callable[[str], Any]) -> str:
        """Keep what the run made and say why it ended in this state, or nothing.

        Raises:
            RunError: it cannot be kept, and the run fails.
        """
        del run, state, client
        return ""

    def stream(self, run: Run) -> str:
        """The run's log stream in its groups."""
        return run.id

    def word(self, run: Run) -> str:
        """The service's own word for the run's state, for the journal."""
        return run.state

    def heard(self, run: Run, line: str) -> None:
        """The program wrote a line."""
        del run, line

    def again(self, run: Run, record: int) -> None:
        """The run failed: start it once more, if that is what was asked for."""
        del run, record


class Outside(Protocol):
    """Does work outside of virtual time.

    While the cloud runs until idle, the work is done at once and time stands still. While it serves
    in real time, the work goes on beside it and `then` runs on the agenda afterwards.
    """

    def __call__(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work`, then hand its result to `then`."""
