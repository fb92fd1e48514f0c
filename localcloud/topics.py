"""Topics: what is published reaches each subscription that wants it, or is visibly lost.

Citations: "Amazon SNS message delivery retries", "Amazon SNS dead-letter queues (DLQs)", "Amazon
SNS raw message delivery" and "HTTP/HTTPS notification JSON format" of the Amazon SNS Developer
Guide; "Invoking Lambda functions with Amazon SNS notifications" of the Lambda Developer Guide.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError, server_side
from localcloud.filters import Filter, compile_filter
from localcloud.limits import MESSAGE_ATTRIBUTES
from localcloud.seams import subscriptions
from localcloud.targets import Targets
from localcloud.wiring import Published, StoredSubscription
from localcloud.world import World

SNS = "sns.amazonaws.com"
# The four phases of the delivery policy for AWS managed endpoints: (retries, seconds between).
_IMMEDIATE, _EARLY, _BACKOFF, _LATE = 3, 2, 10, 100_000
MOST_RETRIES = _IMMEDIATE + _EARLY + _BACKOFF + _LATE
_LONGEST_WAIT_S = 20.0
_UNREACHED = ("email", "email-json", "sms")  # people, whom nothing here reaches


def wait_before(retry: int) -> float:
    """Seconds between a failed attempt and retry number `retry` (from 1), by the phases of the
    delivery policy; the backoff grows geometrically from 1 to 20 seconds.
    """
    if retry <= _IMMEDIATE:
        return 0.0
    if retry <= _IMMEDIATE + _EARLY:
        return 1.0
    step = min(retry - _IMMEDIATE - _EARLY, _BACKOFF) - 1
    return float(_LONGEST_WAIT_S ** (step / (_BACKOFF - 1)))


@dataclass(frozen=True)
class Notification:
    """One message on its way to one subscription."""

    message: Published
    message_id: str
    at: datetime
    subscription: StoredSubscription
    cause: int | None
    retries: int = 0

    @property
    def text(self) -> str:
        """The message, or its part for the subscription's protocol."""
        if not self.message.structured:
            return self.message.message
        parts = json.loads(self.message.message)
        return str(parts.get(self.subscription.protocol) or parts["default"])


class Topics:
    """All topics of the account and region.

    Args:
        world: the cloud.
        targets: who may be reached.
        invoke_later: puts an asynchronous invocation in a function's queue: (name, payload).
    """

    def __init__(
        self, world: World, targets: Targets, invoke_later: Callable[[str, Any], None]
    ) -> None:
        self._world = world
        self._targets = targets
        self._invoke_later = invoke_later

    def published(self, message: Published, cause: int | None = None) -> str:
        """Take a message; its subscriptions receive it later. Returns its id."""
        world, name = self._world, message.topic_arn.rsplit(":", 1)[-1]
        message_id = world.new_id()
        if world.journal.inside("delivery", "dead-letter"):
            cause = world.journal.cause
        else:
            cause = world.journal.add(
                "delivery", name, cause=cause, target=message.topic_arn, message_id=message_id
            ).id
        self._count("NumberOfMessagesPublished", message.topic_arn)
        for each in subscriptions(world.account, world.region, message.topic_arn):
            if _wants(each, message):
                note = Notification(message, message_id, world.clock.now(), each, cause)
                world.hand_over(partial(self._attempt, note))
            else:
                self._count("NumberOfNotificationsFilteredOut", message.topic_arn)
        return message_id

    def check(self, topic_arn: str, protocol: str, endpoint: str, dead_letter_arn: str) -> None:
        """Find out whether a subscription can be delivered to, without delivering.

        Raises:
            DeliveryError: the endpoint or the dead-letter queue is not there or lets no topic in.
        """
        if protocol not in _UNREACHED:
            self._targets.check(topic_arn, endpoint, SNS)
        if dead_letter_arn:
            self._targets.check(topic_arn, dead_letter_arn, SNS)

    def _attempt(self, note: Notification) -> None:
        where, topic = note.subscription, note.message.topic_arn
        name = where.endpoint.rsplit(":", 1)[-1]
        with self._world.journal.entry("delivery", name, cause=note.cause) as entry:
            entry.detail.update(
                target=where.endpoint, topic=topic, protocol=where.protocol,
                subscription=where.arn, message_id=note.message_id, attempt=note.retries + 1,
            )  # fmt: skip
            if where.protocol in _UNREACHED:
                entry.detail["effect"] = "none: nobody is reached from here"
                return
            try:
                self._deliver(note)
            except DeliveryError as error:
                entry.status = "failed"
                entry.detail.update(error=error.code, message=str(error))
                self._failed(note, error)
            else:
                self._count("NumberOfNotificationsDelivered", topic)

    def _deliver(self, note: Notification) -> None:
        where = note.subscription
        self._targets.check(note.message.topic_arn, where.endpoint, SNS)
        try:
            if where.protocol == "lambda":
                self._invoke_later(where.endpoint.split(":")[6], lambda_event(note))
            else:
                self._send(note, where.endpoint)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DeliveryError(code, str(error), retryable=server_side(error)) from error

    def _send(self, note: Notification, queue_arn: str) -> None:
        """To a queue: the bare text with its attributes, or the envelope."""
        if not note.subscription.raw or note.subscription.protocol == "lambda":
            self._world.send(queue_arn, envelope(note))
            return
        if not MESSAGE_ATTRIBUTES.allows(len(note.message.attributes)):
            message = f"a raw message has at most {MESSAGE_ATTRIBUTES.most} attributes"
            raise DeliveryError("InvalidParameterValue", message)
        name = queue_arn.rsplit(":", 1)[-1]
        self._world.client("sqs").send_message(
            QueueUrl=f"https://sqs.{self._world.region}.amazonaws.com/{self._world.account}/{name}",
            MessageBody=note.text,
            MessageAttributes=_queue_attributes(note.message.attributes),
        )

    def _failed(self, note: Notification, error: DeliveryError) -> None:
        if error.retryable and note.retries < MOST_RETRIES:
            again = replace(note, retries=note.retries + 1)
            self._world.clock.after(wait_before(again.retries), partial(self._attempt, again))
            return
        topic, queue = note.message.topic_arn, note.subscription.dead_letter_arn
        self._count("NumberOfNotificationsFailed", topic)
        name = queue.rsplit(":", 1)[-1] or "none"
        with self._world.journal.entry("dead-letter", name) as entry:
            entry.detail.update(
                queue=queue, error=error.code, topic=topic, message_id=note.message_id
            )
            if not queue:
                entry.status = "lost"
                return
            try:
                self._targets.check(topic, queue, SNS)
                self._send(note, queue)
            except (DeliveryError, ClientError) as lost:
                entry.status = "lost"
                entry.detail["message"] = str(lost)
                self._count("NumberOfNotificationsFailedToRedriveToDlq", topic)
            else:
                self._count("NumberOfNotificationsRedrivenToDlq", topic)

    def _count(self, metric: str, topic_arn: str) -> None:
        name = topic_arn.rsplit(":", 1)[-1]
        self._world.metrics.put("AWS/SNS", metric, {"TopicName": name}, 1, "Count")


def envelope(note: Notification) -> str:
    """The JSON document a queue receives without raw delivery, keys in SNS's order."""
    message = note.message
    body: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": note.message_id,
        "TopicArn": message.topic_arn,
    }
    if message.subject is not None:
        body["Subject"] = message.subject
    body |= {"Message": note.text, **_signed(note, "SigningCertURL", "UnsubscribeURL")}
    if message.attributes:
        body["MessageAttributes"] = message.attributes
    return json.dumps(body, indent=2, separators=(",", " : "), ensure_ascii=False)


def lambda_event(note: Notification) -> dict[str, Any]:
    """The event a function receives: one record, two keys of it spelt differently than in SQS."""
    message = note.message
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": note.subscription.arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": note.message_id,
                    "TopicArn": message.topic_arn,
                    "Subject": message.subject,
                    "Message": note.text,
                    **_signed(note, "SigningCertUrl", "UnsubscribeUrl"),
                    "MessageAttributes": {k: dict(v) for k, v in message.attributes.items()},
                },
            }
        ]
    }


def _signed(note: Notification, certificate: str, unsubscribe: str) -> dict[str, str]:
    """When it was sent and the proof of it; nothing here signs, so the signature proves nothing."""
    host = f"https://sns.{note.message.topic_arn.split(':')[3]}.amazonaws.com"
    return {
        "Timestamp": note.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{note.at.microsecond // 1000:03d}Z",
        "SignatureVersion": "1",
        "Signature": base64.b64encode(f"local cloud {note.message_id}".encode()).decode(),
        certificate: f"{host}/SimpleNotificationService-{'0' * 32}.pem",
        unsubscribe: f"{host}/?Action=Unsubscribe&SubscriptionArn={note.subscription.arn}",
    }


def _queue_attributes(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, attribute in attributes.items():
        kind, value = attribute["Type"], attribute["Value"]
        if kind.split(".")[0] == "Binary":
            typed[name] = {"DataType": kind, "BinaryValue": base64.b64decode(value)}
        else:
            typed[name] = {"DataType": kind, "StringValue": value}
    return typed


def _wants(subscription: StoredSubscription, message: Published) -> bool:
    if not subscription.filter_policy:
        return True
    wanted = _compiled(subscription.filter_policy, subscription.filter_scope)
    return wanted.matches(message.attributes, message.message)


@cache
def _compiled(policy: str, scope: str) -> Filter:
    return compile_filter(json.loads(policy), scope)
