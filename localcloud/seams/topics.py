"""SNS in moto: it keeps topics and subscriptions; messages are handed to us."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.sns.exceptions import InvalidParameterValue, SNSException, SNSInvalidParameter
from moto.sns.models import sns_backends

from localcloud.cuts import Seam
from localcloud.filters import compile_filter
from localcloud.limits import NOTIFICATION, SUBJECT
from localcloud.pattern import InvalidPattern
from localcloud.wiring import Hooks, Published, StoredSubscription


class BatchTooLong(SNSException):  # type: ignore[misc]
    """PublishBatch: all entries together are too long."""

    code = "BatchRequestTooLong"

    def __init__(self) -> None:
        super().__init__("The length of all the messages put together is more than the limit.")


class EmptyBatch(SNSException):  # type: ignore[misc]
    """PublishBatch without entries."""

    code = "EmptyBatchRequest"

    def __init__(self) -> None:
        super().__init__("The batch request doesn't contain any entries.")


def subscriptions(account: str, region: str, topic_arn: str) -> list[StoredSubscription]:
    """The subscriptions of a topic, in the order they were made."""
    stored = sns_backends[account][region].subscriptions.values()
    return [_subscription(each) for each in stored if each.topic.arn == topic_arn]


def _subscription(stored: Any) -> StoredSubscription:
    attributes = stored.attributes
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    return StoredSubscription(
        arn=str(stored.arn),
        protocol=str(stored.protocol),
        endpoint=str(stored.endpoint),
        raw=str(attributes.get("RawMessageDelivery", False)).lower() == "true",
        filter_policy=attributes.get("FilterPolicy") or None,
        filter_scope=str(attributes.get("FilterPolicyScope") or "MessageAttributes"),
        dead_letter_arn=str(redrive.get("deadLetterTargetArn", "")),
    )


def size(message: str, attributes: Mapping[str, Mapping[str, Any]] | None) -> int:
    """Bytes of a message as SNS counts them: body, and names, types and values of attributes."""
    texts = [message]
    for name, attribute in (attributes or {}).items():
        texts += [name, str(attribute.get("Type", "")), str(attribute.get("Value", ""))]
    return sum(len(text.encode()) for text in texts)


def _check_subject(subject: str | None) -> None:
    """The Publish API's rules for Subject: ASCII, no line breaks, no control characters."""
    if subject is None:
        return
    plain = subject.isascii() and subject.isprintable()
    if not plain or not 0 < len(subject) <= SUBJECT.most or subject[0].isspace():
        raise InvalidParameterValue("Invalid parameter: Subject")


def _check_structure(message: str, structure: str | None) -> None:
    if structure != "json":
        return
    try:
        parts = json.loads(message)
    except json.JSONDecodeError as error:
        text = "Invalid parameter: Message Structure - JSON message body failed to parse"
        raise InvalidParameterValue(text) from error
    if not isinstance(parts, dict) or "default" not in parts:
        text = "Invalid parameter: Message Structure - No default entry in JSON message body"
        raise InvalidParameterValue(text)


def _backend_publish(
    hooks: Hooks, original: Any, self: Any, message: str, arn: str | None, **named: Any
) -> Any:
    del hooks
    if named.get("phone_number") is not None:
        raise InvalidParameterValue("The local cloud sends no text messages: publish to a topic")
    if not message:
        raise InvalidParameterValue("Invalid parameter: Empty message")
    if size(message, named.get("message_attributes")) > NOTIFICATION.most:
        raise InvalidParameterValue("Invalid parameter: Message too long")
    _check_subject(named.get("subject"))
    _check_structure(message, named.get("message_structure"))
    return original(self, message, arn, **named)


def _publish_batch(
    hooks: Hooks, original: Any, self: Any, topic_arn: str,
    publish_batch_request_entries: Sequence[dict[str, Any]],
) -> Any:  # fmt: skip
    del hooks
    entries = publish_batch_request_entries
    if not entries:
        raise EmptyBatch
    if sum(size(each["Message"], each.get("MessageAttributes")) for each in entries) > (
        NOTIFICATION.most
    ):
        raise BatchTooLong
    return original(self, topic_arn, publish_batch_request_entries)


def _topic_publish(hooks: Hooks, original: Any, self: Any, message: str, **named: Any) -> str:
    del original
    if self.fifo_topic:
        raise SNSInvalidParameter("The local cloud has no FIFO topics")
    given, subject = named.get("message_attributes"), named.get("subject")
    attributes = {
        name: {"Type": str(each["Type"]), "Value": str(each["Value"])}
        for name, each in (given or {}).items()
    }
    structured = named.get("message_structure") == "json"
    message_id = hooks.published(Published(self.arn, message, subject, attributes, structured))
    self.sent_notifications.append((message_id, message, subject, given, None))
    return message_id


def _validate_filter_policy(
    hooks: Hooks, original: Any, self: Any, value: Any, scope: str | None
) -> None:
    del hooks, original, self
    try:
        compile_filter(value, scope or "MessageAttributes")
    except InvalidPattern as error:
        raise SNSInvalidParameter(f"Invalid parameter: FilterPolicy: {error}") from error


SEAMS = (
    Seam("moto.sns.models:SNSBackend", "publish",
         "(self, message, arn, phone_number=None, subject=None, message_attributes=None, "
         "group_id=None, deduplication_id=None, message_structure=None)", _backend_publish),
    Seam("moto.sns.models:SNSBackend", "publish_batch",
         "(self, topic_arn, publish_batch_request_entries)", _publish_batch),
    Seam("moto.sns.models:SNSBackend", "_validate_filter_policy", "(self, value, scope)",
         _validate_filter_policy),
    Seam("moto.sns.models:Topic", "publish",
         "(self, message, subject=None, message_attributes=None, group_id=None, "
         "deduplication_id=None, message_structure=None)", _topic_publish),
)  # fmt: skip
