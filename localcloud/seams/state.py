"""moto's state of one account and region, where boto3 is too slow or too blind."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.logs.models import logs_backends
from moto.scheduler.models import scheduler_backends
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, sqs_backends

from localcloud.seams import scheduler
from localcloud.seams.archives import StoredArchive
from localcloud.wiring import Archive, Held, Received, StoredRule, StoredSchedule


class State:
    """moto's state of one region, where boto3 is too slow or too blind.

    Args:
        account: whose state it is where neither an ARN nor the caller names another.
        region: the region.

    Attributes:
        runs: whether a function of this name runs when it is invoked; moto also has those that
            clients made, which do not.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self.runs: Callable[[str], bool] = lambda _function: False

    def rules(self, bus: str, account: str | None = None) -> list[StoredRule]:
        """The rules of a bus, disabled ones too; empty if there is no such bus.

        Not among them are those that archives keep for themselves.
        """
        found = events_backends[account or self._account][self._region].event_buses.get(bus)
        return [
            StoredRule(
                rule.name,
                rule.arn,
                rule.state == "ENABLED",
                rule.event_pattern.dump(),
                tuple(rule.targets),
                rule.scheduled_expression,
            )
            for rule in (list(found.rules.values()) if found else [])
            if rule.managed_by is None
        ]

    def archives(self, bus: str) -> list[Archive]:
        """The archives of a bus."""
        found = list(events_backends[self._account][self._region].archives.values())
        return [StoredArchive(each) for each in found if each.event_bus_name == bus]

    def active_replays(self) -> int:
        """How many replays are under way."""
        found = events_backends[self._account][self._region].replays.values()
        return sum(each.state.value in {"STARTING", "RUNNING", "CANCELLING"} for each in found)

    def schedule(self, group: str, name: str) -> StoredSchedule | None:
        """A schedule of EventBridge Scheduler; None if there is no such one."""
        groups = scheduler_backends[self._account][self._region].schedule_groups
        found = groups[group].schedules.get(name) if group in groups else None
        return None if found is None else scheduler.stored(found)

    def has_bus(self, bus: str, account: str | None = None) -> bool:
        """Whether there is a bus of this name."""
        return bus in events_backends[account or self._account][self._region].event_buses

    def has_target(self, arn: str) -> bool:
        """Whether there is this function (that runs), queue, topic, event bus or log group."""
        service = arn.split(":")[2]
        if service == "events":
            return self.has_bus(arn.rpartition("/")[2])
        if service == "logs":
            return arn.split(":", 6)[6] in logs_backends[self._account][self._region].groups
        if service == "lambda":
            functions = lambda_backends[self._account][self._region].list_functions()
            name = arn.split(":")[6]
            return self.runs(name) and any(each.function_name == name for each in functions)
        if service == "sqs":
            return self._queue(arn) is not None
        return arn in sns_backends[self._account][self._region].topics

    def has_role(self, arn: str) -> bool:
        """Whether there is this role."""
        if not arn.startswith("arn:"):
            return False
        roles = iam_backends[arn.split(":")[4]]["aws"].roles.values()
        return any(role.arn == arn for role in roles)

    def _queue(self, arn: str) -> Queue | None:
        queues = sqs_backends[arn.split(":")[4]][self._region].queues
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

    def bodies(self, arn: str) -> list[str]:
        """What is in a queue, visible or not, without receiving it."""
        queue = self._queue(arn)
        return [str(message.body) for message in (_held(queue) if queue is not None else [])]

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


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


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
