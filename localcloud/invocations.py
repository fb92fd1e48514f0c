"""Asynchronous invocations: retries, age, destinations and dead letters.

Citation: "How Lambda handles errors and retries with asynchronous invocation" and "Capturing
records of Lambda asynchronous invocations" of the Lambda Developer Guide: two retries for function
errors, one minute before the first and two before the second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError
from localcloud.functions import Functions
from localcloud.journal import Kind
from localcloud.runtime.base import Outcome
from localcloud.wiring import Invoke, PayloadTooLarge
from localcloud.world import World

_WAITS_S = (60.0, 120.0)
_LONGEST_AGE_S = 6 * 3600
_LARGEST_PAYLOAD = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}
_LONGEST_MESSAGE = 1024  # bytes of an error message in a dead letter

Send = Callable[[str, str, dict[str, Any]], None]  # function, ARN, invocation record


def check_size(call: Invoke) -> None:
    """The quota of the payload ("Lambda quotas": 6 MB synchronous, 1 MB asynchronous).

    Raises:
        PayloadTooLarge: it is larger.
    """
    most = _LARGEST_PAYLOAD.get(call.kind)
    if most is not None and call.size > most:
        raise PayloadTooLarge(
            f"{call.size} byte payload is too large for the {call.kind} invocation type "
            f"(limit {most} bytes)"
        )


@dataclass(frozen=True)
class Asynchronous:
    """One event in a function's own queue."""

    function: str
    payload: Any
    cause: int | None
    since: datetime
    attempt: int = 1


class Invocations:
    """The queue before every function.

    Args:
        world: the cloud.
        functions: who runs them, and lends the credentials that destinations are told with.
    """

    def __init__(self, world: World, functions: Functions) -> None:
        self._world = world
        self._functions = functions

    def later(self, function: str, payload: Any, cause: int | None = None) -> None:
        """Take an event for a function; it runs when its turn comes."""
        cause = self._world.journal.cause if cause is None else cause
        event = Asynchronous(function, payload, cause, self._world.clock.now())
        self._count(function, "AsyncEventsReceived")
        self._world.hand_over(partial(self._attempt, event))

    def _attempt(self, event: Asynchronous) -> None:
        config = self._config(event.function)
        oldest = timedelta(seconds=int(config.get("age_s", _LONGEST_AGE_S)))
        now = self._world.clock.now()
        age_ms = (now - event.since).total_seconds() * 1000
        self._count(event.function, "AsyncEventAge", age_ms, "Milliseconds")
        outcome, request_id = self._functions.invoke(
            event.function, event.payload, cause=event.cause, detail={"attempt": event.attempt}
        )
        if outcome.error is None:
            self._arrive("OnSuccess", "Success", event, outcome, request_id)
        elif event.attempt > int(config.get("retries", len(_WAITS_S))):
            self._arrive("OnFailure", "RetriesExhausted", event, outcome, request_id)
        elif now + timedelta(seconds=_WAITS_S[event.attempt - 1]) - event.since > oldest:
            self._arrive("OnFailure", "EventAgeExceeded", event, outcome, request_id)
        else:
            again = replace(event, attempt=event.attempt + 1)
            self._world.clock.after(_WAITS_S[event.attempt - 1], partial(self._attempt, again))

    def _config(self, function: str) -> Mapping[str, Any]:
        configs = self._world.stack.of_type("AWS::Lambda::EventInvokeConfig")
        return next((each.facts for each in configs if each.facts["function"] == function), {})

    def _arrive(
        self,
        outcome_name: str,
        condition: str,
        event: Asynchronous,
        outcome: Outcome,
        request_id: str,
    ) -> None:
        """Tell the destination, and the function's dead-letter queue of a failure."""
        destinations = self._config(event.function).get("destinations", {})
        destination = destinations.get(outcome_name, {}).get("Destination")
        function = self._world.stack.find("AWS::Lambda::Function", event.function)
        dead = function.facts["dead_letter_arn"] if function and outcome.error else None
        if outcome.error is not None:
            self._count(event.function, "AsyncEventsDropped")
        about = self._about(condition, event, outcome, request_id)
        kind: Kind = "delivery" if outcome.error is None else "dead-letter"
        if destination is not None:
            self._hand_over(kind, event, about, destination, self._tell)
        if dead is not None:
            self._hand_over(kind, event, about, dead, self._bury)
        if outcome.error is not None and destination is None and dead is None:
            self._world.journal.add(
                kind, "none", "lost", cause=event.cause,
                function=event.function, condition=condition, target="",
            )  # fmt: skip

    def _hand_over(
        self, kind: Kind, event: Asynchronous, about: dict[str, Any], arn: str, send: Send
    ) -> None:
        """Send what is left of an event; what cannot be sent is lost, and counted."""
        condition = about["requestContext"]["condition"]
        with self._world.journal.entry(kind, arn.rsplit(":", 1)[-1], cause=event.cause) as entry:
            entry.detail.update(function=event.function, condition=condition, target=arn)
            try:
                send(event.function, arn, about)
            except (ClientError, DeliveryError) as lost:
                entry.status = "lost"
                entry.detail["message"] = str(lost)
                buried = send == self._bury
                metric = "DeadLetterErrors" if buried else "DestinationDeliveryFailures"
                self._count(event.function, metric)

    def _about(
        self, condition: str, event: Asynchronous, outcome: Outcome, request_id: str
    ) -> dict[str, Any]:
        """The invocation record that destinations receive."""
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if outcome.error is not None:
            response["functionError"] = "Unhandled"
        arn = self._world.arn("lambda", f"function:{event.function}:$LATEST")
        now = self._world.clock.now()
        return {
            "version": "1.0",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": request_id,
                "functionArn": arn,
                "condition": condition,
                "approximateInvokeCount": event.attempt,
            },
            "requestPayload": event.payload,
            "responseContext": response,
            "responsePayload": outcome.response(request_id),
        }

    def _tell(self, function: str, arn: str, record: dict[str, Any]) -> None:
        """Send the record to a destination, with the rights of the function's role."""
        service, text = arn.split(":")[2], json.dumps(record)
        client = self._functions.client(function, service)
        if service == "sqs":
            client.send_message(QueueUrl=self._url(arn), MessageBody=text)
        elif service == "sns":
            client.publish(TopicArn=arn, Message=text)
        elif service == "lambda":
            client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
        else:
            failed = "functionError" in record["responseContext"]
            outcome = "Failure" if failed else "Success"
            entry = {
                "Source": "lambda",
                "DetailType": f"Lambda Function Invocation Result - {outcome}",
                "Detail": text,
                "Resources": [arn, record["requestContext"]["functionArn"]],
                "EventBusName": arn,
            }
            (answer,) = client.put_events(Entries=[entry])["Entries"]
            if "ErrorCode" in answer:
                raise DeliveryError(answer["ErrorCode"], answer["ErrorMessage"])

    def _bury(self, function: str, arn: str, record: dict[str, Any]) -> None:
        """Send the event itself to the dead-letter queue or topic, with what went wrong."""
        error, text = record["responsePayload"], json.dumps(record["requestPayload"])
        message = str(error["errorMessage"]).encode()[:_LONGEST_MESSAGE].decode(errors="ignore")
        attributes = {
            "RequestID": _text(record["requestContext"]["requestId"]),
            "ErrorCode": _text(str(record["responseContext"]["statusCode"]), "Number"),
            "ErrorMessage": _text(message or error["errorType"]),
        }
        service = arn.split(":")[2]
        client = self._functions.client(function, service)
        if service == "sqs":
            client.send_message(
                QueueUrl=self._url(arn), MessageBody=text, MessageAttributes=attributes
            )
        else:
            client.publish(TopicArn=arn, Message=text, MessageAttributes=attributes)

    def _url(self, queue_arn: str) -> str:
        _, _, _, region, account, name = queue_arn.split(":")
        return f"https://sqs.{region}.amazonaws.com/{account}/{name}"

    def _count(self, function: str, metric: str, value: float = 1.0, unit: str = "Count") -> None:
        dimensions = {"FunctionName": function}
        self._world.metrics.put("AWS/Lambda", metric, dimensions, value, unit)


def _text(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}
