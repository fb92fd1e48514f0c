"""What the cloud does when moto meets something it must not do itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.alarms import Alarms
from localcloud.bus import Bus
from localcloud.engines.glue import GlueEngine
from localcloud.functions import Functions
from localcloud.invocations import Invocations
from localcloud.pollers import Pollers
from localcloud.queue_metrics import QueueMetrics
from localcloud.s3events import S3Events
from localcloud.topics import Topics
from localcloud.wiring import Invoke, Invoked, Job, Published, StoredObject
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
    glue: GlueEngine
    topics: Topics
    queues: QueueMetrics
    alarms: Alarms

    def __post_init__(self) -> None:
        self._calling = threading.local()

    def instant(self) -> float:
        """Virtual seconds since the epoch."""
        return self.world.clock.now().timestamp()

    def real_time(self) -> bool:
        """Whether virtual time follows real time."""
        return self.world.real_time

    def called(self, access_key: str | None) -> None:
        """Remember whose request this thread serves."""
        self._calling.key = access_key

    def object_created(self, stored: StoredObject, reason: str) -> None:
        """An object was created in a bucket that tells EventBridge."""
        self.s3.created(stored, reason, self._cause())

    def object_deleted(self, stored: StoredObject, deletion_type: str) -> None:
        """An object was deleted from a bucket that tells EventBridge."""
        self.s3.deleted(stored, deletion_type, self._cause())

    def put_events(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """PutEvents."""
        return self.bus.put_events(entries, self._cause())

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
        """Lambda's Invoke: Event only queues, DryRun does nothing, RequestResponse runs now."""
        if call.kind == "Event":
            self.invocations.later(call.function_name, call.payload, self._cause())
        if call.kind != "RequestResponse":
            return None
        outcome, request_id = self.functions.invoke(
            call.function_name, call.payload, cause=self._cause()
        )
        error = "Unhandled" if outcome.error is not None else None
        return Invoked(json.dumps(outcome.response(request_id)), error)

    def start_job_run(self, job: Job, request: Mapping[str, Any]) -> str:
        """Glue's StartJobRun."""
        return self.glue.start(job, request, self._cause())

    def _cause(self) -> int | None:
        """The record behind this thread's request: what it is inside, or whose key it carries."""
        inside = self.world.journal.cause
        if inside is not None:
            return inside
        return self.world.callers.get(getattr(self._calling, "key", None) or "")
