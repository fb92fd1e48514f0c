"""Messages of moto's queues, looked at, taken out and put in without SQS counting it as a receive."""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Message, Queue, sqs_backends

from localcloud.wiring import HeldMessage


class Messages:
    """The messages of every queue of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def queues(self) -> dict[str, str | None]:
        """ARN of every queue, and of the dead-letter queue its redrive policy names."""
        return {
            str(queue.queue_arn): str(queue.dead_letter_queue.queue_arn)
            if queue.dead_letter_queue is not None
            else None
            for queue in list(sqs_backends[self._account][self._region].queues.values())
        }

    def held(self, arn: str) -> list[HeldMessage]:
        """All messages of a queue, visible or not, oldest first; none if there is no such queue."""
        queue = self._queue(arn)
        return [] if queue is None else [_seen(message) for message in list(_list(queue))]

    def remove(self, arn: str, message_id: str) -> bool:
        """Take a message out of a queue; False if it is gone already."""
        queue = self._queue(arn)
        if queue is None:
            return False
        with vars(queue)["_messages_lock"]:
            found = [message for message in _list(queue) if message.id == message_id]
            for message in found:
                _list(queue).remove(message)
        return bool(found)

    def put(self, arn: str, held: HeldMessage) -> None:
        """Put a message into a queue as it was, counts and times too; nobody is told.

        Raises:
            KeyError: there is no such queue.
        """
        queue = self._queue(arn)
        if queue is None:
            raise KeyError(arn)
        message = Message(held.message_id, held.body, dict(held.system_attributes))
        message.message_attributes = {
            name: dict(value) for name, value in held.message_attributes.items()
        }
        message.sent_timestamp = held.sent_ms
        message.approximate_first_receive_timestamp = held.first_received_ms
        message.approximate_receive_count = held.received
        message.visible_at = held.visible_at_ms
        message.delayed_until = held.delayed_until_ms
        with vars(queue)["_messages_lock"]:
            _list(queue).append(message)

    def _queue(self, arn: str) -> Queue | None:
        return sqs_backends[self._account][self._region].queues.get(arn.rsplit(":", 1)[-1])


def _list(queue: Queue) -> list[Any]:
    messages: list[Any] = vars(queue)["_messages"]
    return messages


def _seen(message: Any) -> HeldMessage:
    return HeldMessage(
        message_id=str(message.id),
        body=str(message.body),
        sent_ms=int(message.sent_timestamp or 0),
        first_received_ms=message.approximate_first_receive_timestamp,
        received=int(message.approximate_receive_count),
        visible_at_ms=float(message.visible_at),
        delayed_until_ms=float(message.delayed_until),
        message_attributes={
            name: dict(value) for name, value in message.message_attributes.items()
        },
        system_attributes=dict(message.system_attributes),
    )
