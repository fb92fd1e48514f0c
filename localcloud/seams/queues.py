"""SQS in moto: arrivals are told, time is virtual, nobody waits for it."""

from __future__ import annotations

from typing import Any

from moto.sqs.exceptions import (
    BatchRequestTooLong,
    InvalidAttributeValue,
    InvalidParameterValue,
    SQSException,
)

from localcloud.cuts import Seam
from localcloud.limits import BATCH, IN_FLIGHT, MESSAGE_ATTRIBUTES, QUEUE_ATTRIBUTES
from localcloud.wiring import Hooks


def _bytes(body: str, attributes: Any) -> int:
    """A message's size as SQS counts it: body, and names, types and values of attributes in UTF-8
    (moto counts characters, and no attributes).
    """
    size = len(body.encode())
    for name, attribute in (attributes or {}).items():
        size += len(name.encode()) + len(str(attribute.get("DataType", "")).encode())
        size += len(str(attribute.get("StringValue") or "").encode())
        size += len(attribute.get("BinaryValue") or b"")
    return size


def _check_message(queue: Any, body: str, attributes: Any) -> None:
    if _bytes(body, attributes) > int(queue.maximum_message_size):
        text = "One or more parameters are invalid. Reason: Message must be shorter than "
        raise InvalidParameterValue(f"{text}{queue.maximum_message_size} bytes.")
    if not MESSAGE_ATTRIBUTES.allows(len(attributes or {})):
        text = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum ["
        raise InvalidParameterValue(f"{text}{MESSAGE_ATTRIBUTES.most}].")


def _send_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, message_body: str,
    message_attributes: Any = None, **named: Any,
) -> Any:  # fmt: skip
    del hooks
    _check_message(self.get_queue(queue_name), message_body, message_attributes)
    return original(self, queue_name, message_body, message_attributes, **named)


def _send_message_batch(
    hooks: Hooks, original: Any, self: Any, queue_name: str, entries: Any
) -> Any:
    del hooks
    queue = self.get_queue(queue_name)
    parts = [(each["MessageBody"], each.get("MessageAttributes")) for each in entries.values()]
    if (total := sum(_bytes(*part) for part in parts)) > BATCH.most:
        raise BatchRequestTooLong(total)
    for part in parts:
        _check_message(queue, *part)
    return original(self, queue_name, entries)


def _set_attributes(
    hooks: Hooks, original: Any, self: Any, attributes: Any, now: float | None = None
) -> None:
    del hooks
    for name, limit in QUEUE_ATTRIBUTES.items():
        if name in attributes and not limit.allows(int(attributes[name])):
            raise InvalidAttributeValue(name)
    policy = self.policy if "_policy_json" in vars(self) else None
    original(self, attributes, now)
    if "Policy" not in attributes and policy is not None:
        self.policy = policy  # moto forgets the policy when any other attribute is set


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
    queue = self.get_queue(queue_name)
    if len(queue.pending_messages) >= IN_FLIGHT.most:
        raise SQSException("OverLimit", f"{IN_FLIGHT.most:,} messages are in flight already")
    wait = wait_seconds_timeout if hooks.real_time() else 0  # virtual time stands still meanwhile
    found = original(self, queue_name, count, wait, *rest, **named)
    metric = "NumberOfMessagesReceived" if found else "NumberOfEmptyReceives"
    hooks.queue_used(str(queue.queue_arn), metric, max(len(found), 1))
    if queue.dead_letter_queue is not None:  # messages may have moved there
        hooks.queue_used(str(queue.dead_letter_queue.queue_arn))
    return found


def _delete_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, receipt_handle: str
) -> None:
    queue = self.get_queue(queue_name)
    with vars(queue)["_messages_lock"]:  # moto's new list would lack what arrives meanwhile
        original(self, queue_name, receipt_handle)
    hooks.queue_used(str(queue.queue_arn), "NumberOfMessagesDeleted")


def _change_visibility(hooks: Hooks, original: Any, self: Any, queue_name: str, *rest: Any,
                       **named: Any) -> None:  # fmt: skip
    original(self, queue_name, *rest, **named)
    hooks.queue_used(str(self.get_queue(queue_name).queue_arn))


def _purge(hooks: Hooks, original: Any, self: Any, queue_name: str) -> None:
    queue = self.get_queue(queue_name)
    with vars(queue)["_messages_lock"]:  # as in _delete_message
        original(self, queue_name)
    hooks.queue_used(str(queue.queue_arn))


SEAMS = (
    Seam("moto.sqs.models:SQSBackend", "send_message",
         "(self, queue_name, message_body, message_attributes=None, delay_seconds=None, "
         "deduplication_id=None, group_id=None, system_attributes=None, validate_group_id=True)",
         _send_message),
    Seam("moto.sqs.models:SQSBackend", "send_message_batch", "(self, queue_name, entries)",
         _send_message_batch),
    Seam("moto.sqs.models:Queue", "_set_attributes", "(self, attributes, now=None)",
         _set_attributes),
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
