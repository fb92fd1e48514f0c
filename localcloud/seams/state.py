"""moto's state of one account and region, where boto3 is too slow or too blind."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, sqs_backends

from localcloud.wiring import Held, Received, StoredRule


class State:
    """moto's state of one account and region, where boto3 is too slow or too blind."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def rules(self, bus: str) -> list[StoredRule]:
        """The rules of a bus, disabled ones too; empty if there is no such bus."""
        found = events_backends[self._account][self._region].event_buses.get(bus)
        return [
            StoredRule(
                rule.name,
                rule.arn,
                rule.state == "ENABLED",
                rule.event_pattern.dump(),
                tuple(rule.targets),
            )
            for rule in (list(found.rules.values()) if found else [])
        ]

    def has_bus(self, bus: str) -> bool:
        """Whether there is a bus of this name."""
        return bus in events_backends[self._account][self._region].event_buses

    def function_policy(self, name: str) -> list[dict[str, Any]] | None:
        """The statements of a function's resource policy; None if there is no such function."""
        functions = lambda_backends[self._account][self._region].list_functions()
        found = next((each for each in functions if each.function_name == name), None)
        return None if found is None else list(found.policy.statements)

    def topic_policy(self, arn: str) -> list[dict[str, Any]] | None:
        """The statements of a topic's policy; None if there is no such topic."""
        topic = sns_backends[self._account][self._region].topics.get(arn)
        return None if topic is None else list(json.loads(topic.policy)["Statement"])

    def queue_policy(self, arn: str) -> list[dict[str, Any]] | None:
        """The statements of a queue's policy; None if there is no such queue."""
        queue = self._queue(arn)
        if queue is None:
            return None
        return list(json.loads(queue.policy)["Statement"]) if queue.policy else []

    def _queue(self, arn: str) -> Queue | None:
        queues = sqs_backends[self._account][self._region].queues
        return queues.get(arn.rsplit(":", 1)[-1])

    def receive(
        self, arn: str, count: int, visibility_s: int, most_bytes: int
    ) -> tuple[list[Received], list[tuple[str, str]]]:
        """Take up to `count` visible messages of together `most_bytes`; move those taken too often.

        Returns:
            The messages, and (message id, dead-letter queue ARN) of each one moved.
        """
        queue = self._queue(arn)
        taken: list[Received] = []
        moved: list[tuple[str, str]] = []
        size = 0
        if queue is None:
            return taken, moved
        for message in queue.messages:
            dead, redrive = queue.dead_letter_queue, queue.redrive_policy
            if dead is not None and message.approximate_receive_count >= redrive["maxReceiveCount"]:
                with vars(queue)["_messages_lock"]:
                    _held(queue).remove(message)
                dead.add_message(message)
                moved.append((message.id, dead.queue_arn))
            elif len(taken) < count and (size := size + len(message.body)) <= most_bytes:
                queue.pending_messages.add(message)
                message.mark_received(visibility_timeout=visibility_s)
                taken.append(_received(message))
        return taken, moved

    def delete(self, arn: str, receipt_handle: str) -> None:
        """Delete a message that was received; deleting one that is gone does nothing."""
        queue = self._queue(arn)
        if queue is None:
            return
        with vars(queue)["_messages_lock"]:  # moto's own delete would lose what arrives meanwhile
            if any(message.had_receipt_handle(receipt_handle) for message in _held(queue)):
                queue.delete_message(receipt_handle)

    def waiting(self, arn: str) -> list[float]:
        """For each message in the queue, the instant (epoch seconds) from which it can be taken."""
        queue = self._queue(arn)
        messages = _held(queue) if queue is not None else []
        return [max(m.visible_at, m.delayed_until) / 1000.0 for m in messages]

    def held(self, arn: str) -> list[Held]:
        """The messages in a queue; none if there is no such queue."""
        queue = self._queue(arn)
        return [
            Held(m.sent_timestamp / 1000.0, m.visible_at / 1000.0, m.delayed_until / 1000.0)
            for m in (_held(queue) if queue is not None else [])
        ]

    def know_managed_policy(self, arn: str) -> bool:
        """Make one of AWS's managed policies attachable; False if AWS has none of this ARN."""
        backend = iam_backends[self._account]["aws"]
        name = arn.rsplit("/", 1)[-1]
        data = _managed_policies().get(name)
        if data is None:
            return False
        policy = AWSManagedPolicy.from_data(name, self._account, self._region, data)
        backend.managed_policies.setdefault(policy.arn, policy)
        return bool(policy.arn == arn)


def _held(queue: Queue) -> list[Any]:
    """All messages of a queue, visible or not: moto's own list."""
    messages: list[Any] = vars(queue)["_messages"]
    return messages


@cache
def _managed_policies() -> dict[str, Any]:
    return dict(json.loads(aws_managed_policies_data))


def _received(message: Any) -> Received:
    return Received(
        message_id=message.id,
        receipt_handle=message.receipt_handle,
        body=message.body,
        md5=message.body_md5,
        attributes={
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        message_attributes=dict(message.message_attributes),
    )
