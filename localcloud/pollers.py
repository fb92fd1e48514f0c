"""SQS event source mappings: queues that feed functions, in virtual time.

Citations: "Using Lambda with Amazon SQS", "Handling errors for an SQS event source in Lambda" and
"Using event filtering with an Amazon SQS event source" of the Lambda Developer Guide. Batches run
one after another; Lambda's scaling of pollers is not played.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from localcloud.deploy.stack import Resource
from localcloud.functions import Functions
from localcloud.pattern import Pattern
from localcloud.pattern import compile as compile_pattern
from localcloud.queue_metrics import QueueMetrics
from localcloud.runtime.base import Outcome
from localcloud.wiring import Received
from localcloud.world import World

_LARGEST_BATCH = 6 * 1024 * 1024 - 256 * 1024  # of Lambda's 6 MB payload, the rest for attributes
_TICK_S = 0.001  # SQS counts in milliseconds, and a message is visible after its instant


class Pollers:
    """All mappings of the stack, and which record each message came from.

    Args:
        world: the cloud.
        functions: who runs them.
        queues: is told what is received and deleted.
    """

    def __init__(self, world: World, functions: Functions, queues: QueueMetrics) -> None:
        self._world = world
        self._functions = functions
        self._queues = queues
        self._pollers: dict[str, list[Poller]] = {}
        self.causes: dict[str, int | None] = {}

    def start(self) -> None:
        """Take up every mapping of the stack."""
        for resource in self._world.stack.of_type("AWS::Lambda::EventSourceMapping"):
            if resource.facts["request"]["Enabled"]:
                poller = Poller(self._world, self._functions, resource, self.causes, self._queues)
                self._pollers.setdefault(poller.queue_arn, []).append(poller)
                poller.look()

    def look(self, queue_arn: str) -> None:
        """A queue may show messages earlier than was expected."""
        for poller in self._pollers.get(queue_arn, []):
            poller.wake()

    def arrived(self, queue_arn: str, message_id: str, cause: int | None) -> None:
        """A message is in a queue: remember why, and wake whoever polls it."""
        if message_id not in self.causes:
            if not self._world.journal.inside("delivery", "dead-letter"):
                name = queue_arn.rsplit(":", 1)[-1]
                cause = self._world.journal.add(
                    "delivery", name, cause=cause, target=queue_arn, message_id=message_id
                ).id
            self.causes[message_id] = cause
            self._queues.used(queue_arn, None, 0, cause)
        for poller in self._pollers.get(queue_arn, []):
            poller.wake()


class Poller:
    """One mapping.

    Args:
        world: the cloud.
        functions: who runs them.
        mapping: the deployed AWS::Lambda::EventSourceMapping.
        causes: by message id, the record that brought the message.
        queues: is told what is received and deleted.
    """

    def __init__(
        self,
        world: World,
        functions: Functions,
        mapping: Resource,
        causes: Mapping[str, int | None],
        queues: QueueMetrics,
    ) -> None:
        request = mapping.facts["request"]
        known = world.stack.of_type("AWS::SQS::Queue")
        self.queue_arn: str = request["EventSourceArn"]
        self._world = world
        self._functions = functions
        self._causes = causes
        self._queues = queues
        self._function: str = request["FunctionName"]
        self._batch: int = request["BatchSize"]
        self._window_s: int = request["MaximumBatchingWindowInSeconds"]
        self._partial = "ReportBatchItemFailures" in request["FunctionResponseTypes"]
        self._filters: list[Pattern] = [compile_pattern(each) for each in mapping.facts["filters"]]
        queue = next(each for each in known if each.attributes["Arn"] == self.queue_arn)
        self._visibility_s: int = queue.facts["visibility_s"]
        self._due: datetime | None = None

    def look(self) -> None:
        """Ask once how much waits, as Lambda does to see how many pollers it needs."""
        role = self._functions.role(self._function)
        self._world.guard.judge_role(role, "sqs:GetQueueAttributes", self.queue_arn)

    def wake(self) -> None:
        """Look at the queue as soon as the batch is full or the window is over."""
        now = self._world.clock.now()
        waiting = self._world.state.waiting(self.queue_arn)
        visible = sum(instant < now.timestamp() for instant in waiting)
        if visible:
            full = visible >= self._batch or not self._window_s
            late = self._world.disorder.lateness()
            self._schedule(now + timedelta(seconds=late + (0 if full else self._window_s)))
        elif waiting:
            earliest = datetime.fromtimestamp(min(waiting) + _TICK_S, UTC)
            self._schedule(earliest + timedelta(seconds=self._window_s))

    def _schedule(self, due: datetime) -> None:
        if self._due is None or due < self._due:
            self._due = due
            self._world.clock.at(due, partial(self._poll, due))

    def _poll(self, due: datetime) -> None:
        if self._due != due:
            return  # an earlier look was arranged since
        self._due = None
        if not self._allowed():
            return
        expires = self._world.disorder.chaos.visibility
        if wanted := self._take(0 if expires else self._visibility_s):
            self._run(wanted)
        self.wake()

    def _take(self, visibility_s: int) -> list[Received]:
        """Receive a batch: what was taken too often moves on, what filters leave out is deleted."""
        batch, moved = self._world.state.receive(
            self.queue_arn, self._batch, visibility_s, _LARGEST_BATCH
        )
        if batch:
            self._queues.used(self.queue_arn, "NumberOfMessagesReceived", len(batch))
        for message_id, dead_letter_arn in moved:
            name = dead_letter_arn.rsplit(":", 1)[-1]
            moved_to = self._world.journal.add(
                "dead-letter", name, cause=self._causes.get(message_id), queue=dead_letter_arn,
                message_id=message_id, source=self.queue_arn,
            )  # fmt: skip
            self._queues.used(dead_letter_arn, None, 0, moved_to.id)
        if batch:
            self._may("sqs:ReceiveMessage", self._causes.get(batch[0].message_id))
        wanted = [message for message in batch if self._wants(message)]
        self._delete([message for message in batch if message not in wanted])  # filtered out
        return wanted

    def _wants(self, message: Received) -> bool:
        if not self._filters:
            return True
        record = {**self._record(message), "body": _parsed(message.body)}
        return any(pattern.matches(record) for pattern in self._filters)

    def _run(self, batch: Sequence[Received], *, repeated: bool = False) -> None:
        """Hand a batch to the function and delete what it did; chaos may hand it over once more."""
        causes = sorted({cause for each in batch if (cause := self._causes.get(each.message_id))})
        disorder = self._world.disorder
        if not repeated:
            disorder.meanwhile(self._redeliver)
        outcome, _ = self._functions.invoke(
            self._function,
            {"Records": [self._record(message) for message in batch]},
            cause=causes[0] if causes else None,
            detail={"queue": self.queue_arn, "messages": len(batch), "causes": causes},
        )
        disorder.unheard()
        failed = failed_messages(outcome, [each.message_id for each in batch], self._partial)
        done = [each for each in batch if each.message_id not in failed]
        self._delete(done)
        if done and not repeated:
            for _ in range(1, disorder.copies()):
                again = partial(self._run, done, repeated=True)
                self._world.clock.after(disorder.lateness(), again)

    def _redeliver(self) -> bool:
        """What is visible again is delivered again; says whether there was anything."""
        again = self._take(self._visibility_s)
        if again:
            self._run(again, repeated=True)
        return bool(again)

    def _delete(self, done: Sequence[Received]) -> None:
        if done and self._may("sqs:DeleteMessage", self._causes.get(done[0].message_id)):
            for message in done:
                self._world.state.delete(self.queue_arn, message.receipt_handle)
            self._queues.used(self.queue_arn, "NumberOfMessagesDeleted", len(done))

    def _may(self, action: str, cause: int | None = None) -> bool:
        """Lambda polls in the name of the function's role."""
        return self._functions.act(self._function, action, self.queue_arn, cause).allowed

    def _allowed(self) -> bool:
        """Whether the queue may be polled; written down only if not, since most polls find nothing."""
        role = self._functions.role(self._function)
        decision = self._world.guard.judge_role(role, "sqs:ReceiveMessage", self.queue_arn)
        return decision.allowed or self._may("sqs:ReceiveMessage")

    def _record(self, message: Received) -> dict[str, Any]:
        attributes = {k: _attribute(v) for k, v in message.message_attributes.items()}
        return {
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": dict(message.attributes),
            "messageAttributes": attributes,
            "md5OfBody": message.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": self._world.region,
        }


def failed_messages(outcome: Outcome, batch: Sequence[str], partial_failures: bool) -> set[str]:
    """Which messages of a batch stay in the queue.

    All if the function failed. With ReportBatchItemFailures those the answer names; nothing or an
    empty list means none; an answer that cannot be understood (no such list, an identifier that is
    empty, null, misspelt or not of this batch) means all.
    """
    if outcome.error is not None:
        return set(batch)
    if not partial_failures or outcome.payload in (None, {}):
        return set()
    answer = outcome.payload
    if not isinstance(answer, Mapping) or "batchItemFailures" not in answer:
        return set(batch)
    items = answer["batchItemFailures"]
    if items is None:
        return set()
    if not isinstance(items, list):
        return set(batch)
    named = [item.get("itemIdentifier") if isinstance(item, Mapping) else None for item in items]
    return {str(each) for each in named} if all(each in batch for each in named) else set(batch)


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """A message attribute as a function sees it: one value, bytes in base64."""
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    binary = value.get("BinaryValue")
    if binary is None:
        one = {"stringValue": value.get("StringValue")}
    else:
        raw = binary if isinstance(binary, bytes) else str(binary).encode()
        one = {"binaryValue": base64.b64encode(raw).decode()}
    return {**one, **lists, "dataType": value.get("DataType")}


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return body
