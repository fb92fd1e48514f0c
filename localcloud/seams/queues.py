"""SQS in moto: arrivals are told, time is virtual, nobody waits for it."""

from __future__ import annotations

from typing import Any

from localcloud.cuts import Seam
from localcloud.wiring import Hooks


def _add_message(hooks: Hooks, original: Any, self: Any, message: Any) -> None:
    self.lambda_event_source_mappings.clear()  # moto would invoke inside send_message
    original(self, message)
    hooks.message_added(str(self.queue_arn), str(message.id))


def _seconds(hooks: Hooks) -> float:
    return hooks.instant()


def _milliseconds(hooks: Hooks) -> float:
    return hooks.instant() * 1000.0


def _receive_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, count: int, wait_seconds_timeout: int,
    *rest: Any, **named: Any,
) -> Any:  # fmt: skip
    wait = wait_seconds_timeout if hooks.real_time() else 0  # virtual time stands still meanwhile
    return original(self, queue_name, count, wait, *rest, **named)


SEAMS = (
    Seam("moto.sqs.models:Queue", "add_message", "(self, message)", _add_message),
    Seam("moto.sqs.models:SQSBackend", "receive_message",
         "(self, queue_name, count, wait_seconds_timeout, visibility_timeout, "
         "message_attribute_names=None)", _receive_message),
    Seam("moto.sqs.models", "unix_time", "(dt=None)", _seconds, plain=True),
    Seam("moto.sqs.models", "unix_time_millis", "(dt=None)", _milliseconds, plain=True),
)  # fmt: skip
