"""What the cloud does when moto meets something it must not do itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.glue import GlueEngine
from localcloud.functions import Functions
from localcloud.invocations import Invocations
from localcloud.pollers import Pollers
from localcloud.s3events import S3Events
from localcloud.wiring import Invoke, Invoked, Job, StoredObject
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
        if threading.get_ident() != self.world.uncounted:
            self.world.requests += 1

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

    def invoke(self, call: Invoke) -> Invoked | None:
        """Lambda's Invoke: Event only queues, DryRun does nothing, RequestResponse runs now."""
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

    def _cause(self) -> int | None:
        """The record behind this thread's request: what it is inside, or whose key it carries."""
        inside = self.world.journal.cause
        if inside is not None:
            return inside
        return self.world.callers.get(getattr(self._calling, "key", None) or "")
