"""SQS in moto: arrivals are told, time is virtual, nobody waits for it."""

from __future__ import annotations

from typing import Any

from localcloud.cuts import Seam
from localcloud.wiring import Hooks


def _add_message(hooks: Hooks, original: Any, self: Any, message: Any) -> None:
    self.lambda_event_source_mappings.clear()  # moto would invoke inside send_message
    original(self, message)
    hooks.message_added(str(self.queue_arn), str(message.id))
    # SQS does not count as sent what it moves to a dead-letter queue itself
    moved = message.approximate_receive_count > 0
    hooks.queue_used(str(self.queue_arn), None if moved else "NumberOfMessagesSent")


def _seconds(hooks: Hooks) -> float:
    return hooks.instant()


def _milliseconds(hooks: Hooks) -> float:
    return hooks.instant() * 1000.0


def _receive_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, count: int, wait_seconds_timeout: int,
    *rest: Any, **named: Any,
) -> Any:  # fmt: skip
    wait = wait_seconds_timeout if hooks.real_time() else 0  # virtual time stands still meanwhile
    found = original(self, queue_name, count, wait, *rest, **named)
    queue = self.get_queue(queue_name)
    metric = "NumberOfMessagesReceived" if found else "NumberOfEmptyReceives"
    hooks.queue_used(str(queue.queue_arn), metric, max(len(found), 1))
    if queue.dead_letter_queue is not None:  # messages may have moved there
        hooks.queue_used(str(queue.dead_letter_queue.queue_arn))
    return found


def _delete_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, receipt_handle: str
) -> None:
    original(self, queue_name, receipt_handle)
    hooks.queue_used(str(self.get_queue(queue_name).queue_arn), "NumberOfMessagesDeleted")


def _change_visibility(hooks: Hooks, original: Any, self: Any, queue_name: str, *rest: Any,
                       **named: Any) -> None:  # fmt: skip
    original(self, queue_name, *rest, **named)
    hooks.queue_used(str(self.get_queue(queue_name).queue_arn))


def _purge(hooks: Hooks, original: Any, self: Any, queue_name: str) -> None:
    original(self, queue_name)
    hooks.queue_used(str(self.get_queue(queue_name).queue_arn))


SEAMS = (
    Seam("moto.sqs.models:Queue", "add_message", "(self, message)", _add_message),
    Seam("moto.sqs.models:SQSBackend", "receive_message",
         "(self, queue_name, count, wait_seconds_timeout, visibility_timeout, "
         "message_attribute_names=None)", _receive_message),
    Seam("moto.sqs.models:SQSBackend", "delete_message", "(self, queue_name, receipt_handle)",
         _delete_message),
    Seam("moto.sqs.models:SQSBackend", "change_message_visibility",
         "(self, queue_name, receipt_handle, visibility_timeout)", _change_visibility),
    Seam("moto.sqs.models:SQSBackend", "purge_queue", "(self, queue_name)", _purge),
    Seam("moto.sqs.models", "unix_time", "(dt=None)", _seconds, plain=True),
    Seam("moto.sqs.models", "unix_time_millis", "(dt=None)", _milliseconds, plain=True),
)  # fmt: skip
