"""The local cloud: a built template running on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from localcloud.alarms import Alarms
from localcloud.bus import Bus
from localcloud.chaos import Chaos, Disorder
from localcloud.checks import Checks
from localcloud.clock import Clock
from localcloud.dead_letters import DeadLetters, answers
from localcloud.deploy.engine import Deployment
from localcloud.deploy.stack import Stack
from localcloud.endpoint import served
from localcloud.engines import assembled
from localcloud.engines.endpoints import Endpoints
from localcloud.engines.glue import GlueJobs
from localcloud.engines.models import Models
from localcloud.engines.runs import Runs
from localcloud.errors import DeployError, RestlessError
from localcloud.functions import Functions
from localcloud.iam.evaluate import Grant
from localcloud.iam.usage import granted, owners
from localcloud.images import Image, image_of
from localcloud.invocations import Invocations
from localcloud.journal import Journal, Record
from localcloud.keep.folder import StateFolder
from localcloud.keep.keeper import Keeper
from localcloud.pollers import Pollers
from localcloud.queue_metrics import QueueMetrics
from localcloud.reactions import Reactions
from localcloud.real_time import RealTime
from localcloud.runtime.base import Executor
from localcloud.runtime.inprocess import InProcessExecutor
from localcloud.s3events import S3Events
from localcloud.schedules import Schedules
from localcloud.seams import State, moto_running
from localcloud.shares import Shares, SharingRules
from localcloud.targets import Targets
from localcloud.topics import Topics
from localcloud.world import World

T = TypeVar("T")
Progress = Callable[[Record], None]

ACCOUNT = "123456789012"
_MOST_TASKS = 1_000_000


class Cloud:
    """One account and region on this machine, deployed from a built template.

    Use it as a context: state begins and ends with it, and one cloud runs in a process at a time.

    Args:
        build: folder that `sam build` wrote (template.yaml and one folder per function and layer).
        parameters: template parameters; `deploy` may add to them.
        region: region of everything.
        stack_name: prefix of physical names.
        start: first virtual instant (aware); now if not given.
        journal_path: file that also receives every record as a line of JSON.
        executor: who runs functions; in this process if not given.
        check_build: called with `build` before deploying; raises if the build is stale.
        port: port of the endpoint; a free one if 0.
        chaos: faults to add; none if not given.
        images: by image URI, with or without its tag, the program (a command) that it starts, or
            an `Image`; they come before those that the template declares.
        state: folder that keeps the state for the next cloud; taken up if there is one in it.
        sharing: how accounts may share.

    Raises:
        StateError: the state folder is damaged or something else; nothing was started.
    """

    def __init__(
        self,
        build: Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        region: str = "eu-west-1",
        stack_name: str = "signalbox",
        start: datetime | None = None,
        journal_path: Path | None = None,
        executor: Executor | None = None,
        check_build: Callable[[Path], None] | None = None,
        port: int = 0,
        chaos: Chaos | None = None,
        images: Mapping[str, Image | Sequence[str]] | None = None,
        state: Path | None = None,
        sharing: SharingRules | None = None,
    ) -> None:
        self._build = build.resolve()
        self._parameters = dict(parameters or {})
        self._check_build = check_build
        self._port = port
        self._endpoint: str | None = None
        self._deployed, self._starting = False, threading.Lock()
        self._open, self._serving = ExitStack(), ExitStack()
        self._folder = StateFolder(state) if state else None
        self._keeper: Keeper | None = None
        if self._folder is not None:
            self._keeper = Keeper(self._folder, f"{stack_name}-packages-{ACCOUNT}")
            start = start or self._keeper.earliest
        disorder = Disorder(chaos or Chaos())
        clock = Clock(start or datetime.now(UTC), disorder.rank)
        self._world = World(
            account=ACCOUNT,
            region=region,
            clock=clock,
            journal=Journal(clock.now, journal_path),
            state=State(ACCOUNT, region),
            stack=Stack(stack_name),
            endpoint=lambda: self.endpoint,
            disorder=disorder,
            images={uri: image_of(each) for uri, each in (images or {}).items()},
            shares=Shares(sharing or SharingRules()),
        )
        keep = self._save_if_changed if self._keeper else None
        self._real_time = RealTime(self._world, keep)
        self._executor = executor or InProcessExecutor()
        self._reactions = self._wired()

    def _wired(self) -> Reactions:
        world = self._world
        self._targets = Targets(world, self._invoke_later, self._forward)
        bus = Bus(world, self._targets)
        functions = Functions(world, self._executor)
        runs = Runs(world, self._outside)
        topics = Topics(world, self._targets, self._invoke_later)
        queues = QueueMetrics(world)
        return Reactions(
            world,
            bus,
            S3Events(world, bus),
            functions,
            Invocations(world, functions),
            Pollers(world, functions, queues),
            runs,
            GlueJobs(world, bus, runs),
            Schedules(world, bus, self._targets),
            assembled.jobs(world, bus, runs),
            Models(world),
            Endpoints(world, bus, self._outside),
            assembled.answers(world, bus, runs, self._outside),
            topics,
            queues,
            Alarms(world, bus, topics, self._targets, queues),
        )

    def _invoke_later(self, function: str, payload: Any) -> None:
        self._reactions.invocations.later(function, payload)

    def _forward(self, bus: str, event: Mapping[str, Any]) -> None:
        self._reactions.bus.forward(bus, event)

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            if self._folder is not None:
                self._folder.open()
                starting.callback(self._folder.close)
            starting.enter_context(moto_running(self._reactions))
            starting.callback(self._world.journal.close)
            starting.callback(self._executor.close)
            starting.callback(self._reactions.runs.clean)
            starting.callback(self._reactions.endpoints.clean)
            starting.callback(self._real_time.close)
            starting.callback(self._reactions.runs.close)
            starting.callback(self._reactions.endpoints.close)
            where = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
            location = {} if self.region == "us-east-1" else where
            if self._keeper is not None:
                self._keeper.remember(self._world)
            self.client("s3").create_bucket(Bucket=self.packages, **location)
            self._open = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything the cloud started and forget its state, unless a folder keeps it.

        The journal stays readable.
        """
        with self._open:
            self._serving.close()  # what is answered after the last save would be lost
            if self._keeper is not None:
                self._keeper.save(self._world, self._reactions)

    @property
    def left_behind(self) -> list[str]:
        """What waited for its time and could not be kept with the state, in words."""
        return list(self._keeper.lost) if self._keeper is not None else []

    @property
    def region(self) -> str:
        """The region of everything."""
        return self._world.region

    @property
    def packages(self) -> str:
        """The bucket that packaged code goes to; others may put what they ship there too."""
        return f"{self._world.stack.name}-packages-{self._world.account}"

    @property
    def endpoint(self) -> str:
        """URL of the cloud on 127.0.0.1, for other processes; served from the first time asked."""
        with self._starting:
            if self._endpoint is None:
                self._endpoint = self._serving.enter_context(
                    served(self._port, answers(self.dead_letters))
                )
            return self._endpoint

    @property
    def journal(self) -> Journal:
        """The causal trace: records by id."""
        return self._world.journal

    @property
    def outputs(self) -> Mapping[str, str]:
        """The template's outputs."""
        return self._world.stack.outputs

    @property
    def faults(self) -> Mapping[str, int]:
        """How many faults of each kind chaos has dealt out."""
        return self._world.disorder.dealt

    @property
    def stack(self) -> Stack:
        """What was deployed."""
        return self._world.stack

    @property
    def granted(self) -> list[Grant]:
        """Everything the deployed template's policies allow."""
        return granted(self._world)

    @property
    def used(self) -> frozenset[Grant]:
        """What of it was made use of so far."""
        return frozenset(self._world.guard.used)

    @property
    def role_owners(self) -> Mapping[str, list[str]]:
        """Logical id of each role -> those of the functions and jobs that run under it."""
        return owners(self._world)

    @property
    def dead_letters(self) -> DeadLetters:
        """What ended in dead-letter queues, and the way back."""
        reactions = self._reactions
        return DeadLetters(self._world, reactions.bus, reactions.invocations, reactions.pollers)

    def now(self) -> datetime:
        """The current virtual instant."""
        return self._world.clock.now()

    def client(self, service: str, account: str | None = None) -> Any:
        """The administrator's boto3 client of a service (in this process, no HTTP).

        Args:
            service: as boto3 names it.
            account: id of the account whose administrator it is; the cloud's own if not given.
        """
        return self._world.client(service, account)

    def messages(self, queue_arn: str) -> list[str]:
        """The bodies of a queue's messages, visible or not; none is received by looking."""
        return self._world.state.bodies(queue_arn)

    def physical_id(self, logical_id: str) -> str:
        """What Ref gives for a resource of the template.

        Raises:
            DeployError: there is no such resource.
        """
        return self._world.stack.ref(logical_id)

    def deploy(
        self, parameters: Mapping[str, Any] | None = None, *, import_handlers: bool = False
    ) -> None:
        """Deploy the built template, once.

        Args:
            parameters: added to those given at the start.
            import_handlers: whether every function's handler is imported, in a process of its own;
                a second or two.

        Raises:
            DeployError: the build is missing or stale, the template asks for something that
                cannot be honoured here, or a handler cannot be imported.
            StateError: the state that was kept does not fit.
        """
        if self._deployed:
            raise DeployError("this cloud was deployed before; start a fresh one")
        self._deployed = True
        if self._check_build is not None:
            self._check_build(self._build)
        deployment = Deployment(
            self._build,
            {**self._parameters, **(parameters or {})},
            stack_name=self._world.stack.name,
            account=self._world.account,
            region=self._world.region,
            packages=self.packages,
        )
        self._world.stack = deployment.stack
        deployment.run()
        self._world.images = {**deployment.images, **self._world.images}
        Checks(self._world, self._reactions, self._targets, deployment).run(import_handlers)
        self._reactions.pollers.start()
        if self._keeper is not None:
            self._keeper.take_up(self._world, self._reactions)

    def run_until_idle(self, progress: Progress | None = None) -> None:
        """Do everything that is due, in order of (virtual time, sequence), until nothing is left.

        What recurs (schedules) is not waited for, and happens only if it falls in the time that
        the rest takes; see `run_until`.

        Args:
            progress: called with each record as it is finished.

        Raises:
            RestlessError: the chain keeps causing itself.
        """
        self._run(None, progress)

    def run_until(self, instant: datetime, progress: Progress | None = None) -> None:
        """Do everything that is due up to an instant, schedules too; it is that time then.

        Args:
            instant: virtual, aware; work that is due later stays.
            progress: called with each record as it is finished.

        Raises:
            RestlessError: the chain keeps causing itself.
        """
        self._run(instant, progress)
        self._world.clock.follow(instant)

    def run_for(self, span: timedelta, progress: Progress | None = None) -> None:
        """`run_until` so much later than now."""
        self.run_until(self.now() + span, progress)

    def _run(self, until: datetime | None, progress: Progress | None) -> None:
        with self.journal.heard_by(progress):
            done, since = 0, self.now()
            while done < _MOST_TASKS:
                task = self._world.clock.take(until)
                if task is None:
                    return
                if until is not None and self.now() > since:  # what takes time comes to its end
                    done, since = 0, self.now()
                task()
                done += 1
                self.journal.flush()
        raise RestlessError(f"not idle after {_MOST_TASKS:,} tasks: some reaction causes itself")

    def serve(
        self,
        stop: threading.Event,
        progress: Progress | None = None,
        hurry: threading.Event | None = None,
    ) -> None:
        """Work in real time until told to stop: virtual time follows the machine's.

        Where state is kept, what is due is done before this returns, and programs that run are
        waited for.

        Args:
            stop: set it to end.
            progress: called with each record as it is finished.
            hurry: set it as well to end without what is still due and without waiting for programs
                that run; where state is kept, what is due is kept with it.
        """
        with self.journal.heard_by(progress):
            self._real_time.serve(stop, hurry)

    def _save_if_changed(self) -> None:
        if self._keeper is not None:
            self._keeper.save_if_changed(self._world, self._reactions)

    def _outside(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """`engines.base.Outside`."""
        self._real_time.outside(work, then)
