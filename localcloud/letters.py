"""What a dead letter says: what it is about, why it died, how often it was tried, where it came from.

Citations: "Using dead-letter queues to process undelivered events" of the EventBridge User Guide
(attributes RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS); "Capturing records of
Lambda asynchronous invocations" of the Lambda Developer Guide.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.journal import Record
from localcloud.trace import causes_of
from localcloud.wiring import HeldMessage


@dataclass(frozen=True)
class DeadLetter:
    """One message of a dead-letter queue.

    Attributes:
        queue: name of the dead-letter queue.
        message_id: its id.
        since: virtual instant at which it was sent.
        about: what it is about: an object's key, a detail-type, or the start of the body.
        why: the error, as far as it is known.
        tries: how often it was tried; 0 where nobody counted.
        back: ARN it came from and would go back to: a queue, a rule's target or a function; empty
            where that is not known.
        rule: ARN of the rule that could not deliver it, if one did not.
    """

    queue: str
    message_id: str
    since: datetime
    about: str
    why: str
    tries: int
    back: str
    rule: str = ""


def letter_of(
    arn: str,
    sources: Sequence[str],
    message: HeldMessage,
    records: Sequence[Record],
    cause: int | None,
) -> DeadLetter:
    """Read a message of a dead-letter queue.

    Args:
        arn: the dead-letter queue.
        sources: ARNs of the queues, rules' targets and functions it serves.
        message: the message.
        records: the journal.
        cause: the record that first brought the message into a queue.
    """
    told = {
        key: str(value.get("StringValue", "")) for key, value in message.message_attributes.items()
    }
    body = parsed(message.body)
    functions = [each for each in sources if each.split(":")[2] == "lambda"]
    about, rule = _subject(body), told.get("RULE_ARN", "")
    if rule:
        back = told.get("TARGET_ARN", "")
        why = f"{told.get('ERROR_CODE', '')}: {told.get('ERROR_MESSAGE', '')}"
        tries = int(told.get("RETRY_ATTEMPTS") or 0) + 1
    elif is_record(body):
        context, answer = body["requestContext"], body.get("responsePayload") or {}
        back = str(context["functionArn"]).removesuffix(":$LATEST")
        why = f"{answer.get('errorType', '')}: {answer.get('errorMessage', '')}"
        tries, about = int(context["approximateInvokeCount"]), _subject(body["requestPayload"])
    elif "ErrorMessage" in told:
        back = functions[0] if len(functions) == 1 else ""
        why, tries = told["ErrorMessage"], message.received
    else:
        back, why, tries = _from_queue(message, sources, records, cause)
    since = datetime.fromtimestamp(message.sent_ms / 1000, UTC)
    queue = arn.rsplit(":", 1)[-1]
    return DeadLetter(queue, message.message_id, since, about, why, tries, back, rule)


def _from_queue(
    message: HeldMessage, sources: Sequence[str], records: Sequence[Record], cause: int | None
) -> tuple[str, str, int]:
    """The queue a message was received from too often, why, and how often."""
    moved = [
        each
        for each in records
        if each.kind == "dead-letter" and each.detail.get("message_id") == message.message_id
    ]
    queues = [each for each in sources if each.split(":")[2] == "sqs"]
    source = str(moved[-1].detail.get("source", "")) if moved else ""
    source = source or (queues[0] if len(queues) == 1 else "")
    tries = [each for each in records if each.kind == "invocation" and cause in causes_of(each)]
    why = next((said for each in reversed(tries) if (said := _said(each, records))), "")
    if not why and tries:
        why = f"{tries[-1].name} did not acknowledge it"
    return source, why or "received too often", max(len(tries), message.received)


def _said(invocation: Record, records: Sequence[Record]) -> str:
    """Why an invocation failed: its error, else the last warning or error it logged."""
    if invocation.status != "ok":
        error = invocation.detail.get("error", invocation.status)
        return f"{error}: {invocation.detail.get('message', '')}"
    for record in reversed(records):
        if record.kind == "log" and record.cause == invocation.id:
            line = parsed(str(record.detail.get("line", "")))
            if isinstance(line, dict) and line.get("level") in ("ERROR", "WARNING", "CRITICAL"):
                return str(line.get("exception") or line.get("message") or "").splitlines()[-1]
    return ""


def is_record(body: Any) -> bool:
    """Whether this is the record of a failed asynchronous invocation."""
    return isinstance(body, dict) and {"requestContext", "requestPayload"} <= body.keys()


def _subject(body: Any) -> str:
    """A few words that say what a message is about."""
    if not isinstance(body, dict):
        return str(body)[:80]
    detail = body.get("detail")
    if isinstance(detail, dict):
        thing = detail.get("object")
        key = thing.get("key") if isinstance(thing, dict) else ""
        return " ".join(part for part in (str(body.get("detail-type", "")), str(key or "")) if part)
    return json.dumps(body)[:80]


def parsed(text: str) -> Any:
    """A text as JSON data; as it is where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
