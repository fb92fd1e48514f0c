"""What the cloud does when moto meets something it must not do itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localcloud.alarms import Alarms
from localcloud.bus import Bus
from localcloud.engines.cards import ModelCards
from localcloud.engines.endpoints import Endpoints
from localcloud.engines.glue import GlueJobs
from localcloud.engines.models import Models
from localcloud.engines.ram import ResourceSharing
from localcloud.engines.runs import Runs
from localcloud.engines.sagemaker import SageMakerJobs
from localcloud.functions import Functions
from localcloud.hosting import Answer, Invocation
from localcloud.invocations import Invocations, check_size
from localcloud.limits import check_parameter
from localcloud.operations import Answers, Asked
from localcloud.pollers import Pollers
from localcloud.queue_metrics import QueueMetrics
from localcloud.requested import check_replay, check_rule, check_schedule, check_targets, matches
from localcloud.s3events import S3Events
from localcloud.schedules import Schedules
from localcloud.sharing import Asked as SharingAsked
from localcloud.topics import Topics
from localcloud.wiring import (
    Archive,
    Call,
    Invoke,
    Invoked,
    Job,
    Published,
    Refused,
    Replay,
    StoredObject,
)
from localcloud.world import World


@dataclass
class Reactions:
    """The hooks of `localcloud.wiring`, each handed to the part that answers it."""

    world: World
    bus: Bus
    s3: S3Events
    functions: Functions
    invocations: Invocations
    pollers: Pollers
    runs: Runs
    glue: GlueJobs
    schedules: Schedules
    sagemaker: Mapping[str, SageMakerJobs]
    models: Models
    endpoints: Endpoints
    answers: Mapping[str, Answers]
    topics: Topics
    queues: QueueMetrics
    alarms: Alarms
    cards: ModelCards = field(init=False)
    sharing: ResourceSharing = field(init=False)

    def __post_init__(self) -> None:
        self._calling = threading.local()
        self.cards = ModelCards(self.world, self.bus)
        self.sharing = ResourceSharing(self.world, self.bus)
        self.world.state.runs = self._runs

    def instant(self) -> float:
        """Virtual seconds since the epoch."""
        return self.world.clock.now().timestamp()

    def stamp(self) -> datetime:
        """The virtual instant, later at each call."""
        return self.world.clock.stamp()

    def real_time(self) -> bool:
        """Whether virtual time follows real time."""
        return self.world.real_time

    @contextmanager
    def called(self, call: Call) -> Iterator[None]:
        """Every request passes here, judged by the guard; raising `Refused` answers with an error."""
        before = getattr(self._calling, "key", None)
        self._calling.key = call.access_key
        if threading.get_ident() != self.world.uncounted:
            self.world.requests += 1
        try:
            with self.world.guard.called(call, self._cause()):
                if call.service == "ssm" and call.operation() == "PutParameter":
                    check_parameter(call.params())
                yield
        finally:
            self._calling.key = before

    def object_created(self, stored: StoredObject, reason: str) -> None:
        """An object was created in a bucket that tells EventBridge."""
        self.s3.created(stored, reason, self._cause())

    def object_deleted(self, stored: StoredObject, deletion_type: str) -> None:
        """An object was deleted from a bucket that tells EventBridge."""
        self.s3.deleted(stored, deletion_type, self._cause())

    def put_events(self, entries: list[dict[str, Any]], account: str) -> list[dict[str, Any]]:
        """PutEvents."""
        return self.bus.put_events(entries, self._cause(), account)

    def check_rule(self, pattern: str | None, schedule: str | None) -> None:
        """PutRule is about to be done."""
        check_rule(pattern, schedule)

    def matches(self, pattern: str, event: str) -> bool:
        """TestEventPattern."""
        return matches(pattern, event)

    def check_targets(self, bus: str, rule: str, targets: list[Mapping[str, Any]]) -> None:
        """PutTargets is about to be done."""
        check_targets(self.world.state, bus, rule, targets)

    def rule_put(self, bus: str, rule: str) -> None:
        """A rule was made or changed."""
        self.schedules.rule_put(bus, rule)

    def check_schedule(self, expression: str, timezone: str, target: Mapping[str, Any]) -> None:
        """A schedule is about to be made or changed."""
        check_schedule(expression, timezone, target)

    def schedule_put(self, group: str, name: str) -> None:
        """A schedule of EventBridge Scheduler was made or changed."""
        self.schedules.schedule_put(group, name)

    def check_replay(self, bus: str, filter_arns: list[str]) -> None:
        """StartReplay is about to be done."""
        check_replay(self.world.state, bus, filter_arns)

    def start_replay(self, replay: Replay, archive: Archive) -> None:
        """StartReplay, found to be in order."""
        self.bus.replay(replay, archive, self._cause())

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """A message arrived in a queue."""
        self.pollers.arrived(queue_arn, message_id, self._cause())

    def published(self, message: Published) -> str:
        """A message was published to a topic."""
        return self.topics.published(message, self._cause())

    def metric_data(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """PutMetricData."""
        self.world.metrics.request(namespace, data)

    def metrics_read(self) -> None:
        """Metrics are about to be read."""
        self.queues.fill_all()

    def alarm_changed(self, name: str) -> None:
        """An alarm was made, changed or given another state through the API."""
        self.alarms.changed(name)

    def queue_used(self, queue_arn: str, metric: str | None = None, count: int = 1) -> None:
        """A queue was used."""
        self.queues.used(queue_arn, metric, count, self._cause())
        if metric is None:
            self.pollers.look(queue_arn)

    def invoke(self, call: Invoke) -> Invoked | None:
        """Lambda's Invoke: Event only queues, DryRun does nothing, RequestResponse runs now.

        Raises:
            PayloadTooLarge: as `check_size` says.
            Refused: ResourceNotFoundException, for a function that a client made.
        """
        if not self._runs(call.function_name):
            arn = self.world.arn("lambda", f"function:{call.function_name}")
            message = f"Function not found: {arn}; only functions of the template run here"
            raise Refused("ResourceNotFoundException", message, 404)
        check_size(call)
        if call.kind == "Event":
            self.invocations.later(call.function_name, call.payload, self._cause())
        if call.kind != "RequestResponse":
            return None
        heard: list[str] = []
        outcome, request_id = self.functions.invoke(
            call.function_name, call.payload, cause=self._cause(), heard=heard
        )
        error = "Unhandled" if outcome.error is not None else None
        log = "\n".join([f"RequestId: {request_id}", *heard])
        return Invoked(json.dumps(outcome.response(request_id)), error, log)

    def start_job_run(self, job: Job, request: Mapping[str, Any]) -> str:
        """Glue's StartJobRun."""
        return self.glue.start(job, request, self._cause())

    def stop_job_runs(self, job: Job, run_ids: list[str]) -> dict[str, Any]:
        """Glue's BatchStopJobRun."""
        return self.glue.stop(job, run_ids, self._cause())

    def create_sagemaker_job(self, kind: str, facts: dict[str, Any]) -> None:
        """SageMaker's Create…Job."""
        self.sagemaker[kind].create(facts, self._cause())

    def stop_sagemaker_job(self, kind: str, facts: Mapping[str, Any]) -> None:
        """SageMaker's Stop…Job."""
        self.sagemaker[kind].stop(facts, self._cause())

    def answered(self, asked: Asked) -> dict[str, Any]:
        """An operation of SageMaker that is answered as a whole."""
        return self.answers[asked.operation](asked, self._cause())

    def create_model(self, facts: dict[str, Any]) -> None:
        """SageMaker's CreateModel."""
        self.models.create(facts)

    def create_endpoint_config(self, facts: dict[str, Any]) -> None:
        """SageMaker's CreateEndpointConfig."""
        self.endpoints.configure(facts)

    def create_endpoint(self, facts: dict[str, Any], config: Mapping[str, Any]) -> None:
        """SageMaker's CreateEndpoint."""
        self.endpoints.create(facts, config, self._cause())

    def update_endpoint(
        self, facts: dict[str, Any], asked: Mapping[str, Any], config: Mapping[str, Any]
    ) -> None:
        """SageMaker's UpdateEndpoint."""
        self.endpoints.update(facts, asked, config, self._cause())

    def delete_endpoint(self, facts: dict[str, Any], forget: Callable[[], None]) -> None:
        """SageMaker's DeleteEndpoint."""
        self.endpoints.delete(facts, forget, self._cause())

    def invoke_endpoint(self, invocation: Invocation) -> Answer:
        """SageMaker Runtime's InvokeEndpoint."""
        return self.endpoints.invoke(invocation)

    def invoke_endpoint_async(self, invocation: Invocation) -> Answer:
        """SageMaker Runtime's InvokeEndpointAsync."""
        return self.endpoints.invoke_later(invocation, self._cause())

    def model_card(self, asked: SharingAsked) -> dict[str, Any]:
        """A request of SageMaker about model cards."""
        return self.cards.answer(asked, self._cause())

    def resource_share(self, asked: SharingAsked) -> dict[str, Any]:
        """A request of AWS RAM."""
        return self.sharing.answer(asked, self._cause())

    def _runs(self, function: str) -> bool:
        """Whether there is code to run: a function made through the API has none here."""
        return self.world.stack.find("AWS::Lambda::Function", function) is not None

    def _cause(self) -> int | None:
        """The record behind this thread's request: what it is inside, or whose key it carries."""
        inside = self.world.journal.cause
        if inside is not None:
            return inside
        return self.world.callers.get(getattr(self._calling, "key", None) or "")
