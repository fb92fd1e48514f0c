"""Asynchronous invocations: retries, age, destinations and dead letters.

Citation: "How Lambda handles errors and retries with asynchronous invocation" and "Capturing
records of Lambda asynchronous invocations" of the Lambda Developer Guide: two retries for function
errors, one minute before the first and two before the second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.bus import Bus
from localcloud.errors import DeliveryError
from localcloud.functions import Functions
from localcloud.iam.deployed import SENDING
from localcloud.journal import Kind
from localcloud.runtime.base import Outcome
from localcloud.wiring import Invoke, PayloadTooLarge
from localcloud.world import World

_WAITS_S = (60.0, 120.0)
_LONGEST_AGE_S = 6 * 3600
_LARGEST_PAYLOAD = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}


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
        functions: who runs them.
        bus: for destinations that are event buses.
    """

    def __init__(self, world: World, functions: Functions, bus: Bus) -> None:
        self._world = world
        self._functions = functions
        self._bus = bus

    def later(self, function: str, payload: Any, cause: int | None = None) -> None:
        """Take an event for a function; it runs when its turn comes."""
        cause = self._world.journal.cause if cause is None else cause
        event = Asynchronous(function, payload, cause, self._world.clock.now())
        self._world.hand_over(partial(self._attempt, event))

    def _attempt(self, event: Asynchronous) -> None:
        config = self._config(event.function)
        oldest = timedelta(seconds=int(config.get("age_s", _LONGEST_AGE_S)))
        now = self._world.clock.now()
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
        if outcome.error is None and destination is None:
            return
        kind: Kind = "delivery" if outcome.error is None else "dead-letter"
        where = [arn for arn in (destination, dead) if arn] or [""]
        for arn in where:
            name = arn.rsplit(":", 1)[-1] or "none"
            with self._world.journal.entry(kind, name, cause=event.cause) as entry:
                entry.detail.update(function=event.function, condition=condition, target=arn)
                try:
                    self._permit(event.function, arn)
                    self._tell(arn, arn == dead, self._about(condition, event, outcome, request_id))
                except (ClientError, DeliveryError) as lost:
                    entry.status = "lost"
                    entry.detail["message"] = str(lost)
                if not arn:
                    entry.status = "lost"

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

    def _permit(self, function: str, arn: str) -> None:
        """Lambda sends in the name of the function's role."""
        action = SENDING.get(arn.split(":")[2]) if arn else None
        if action is None:
            return
        decision = self._functions.act(function, action, arn)
        if not decision.allowed:
            message = f"AccessDenied: the role of {function} may not {action} on {arn}"
            raise DeliveryError("AccessDenied", f"{message}; {decision.reason}")

    def _tell(self, arn: str, is_dead_letter: bool, record: dict[str, Any]) -> None:
        service = arn.split(":")[2] if arn else ""
        if is_dead_letter:  # a dead-letter queue gets the event itself
            error = record["responsePayload"]
            attributes = {
                "RequestID": record["requestContext"]["requestId"],
                "ErrorCode": str(record["responseContext"]["statusCode"]),
                "ErrorMessage": str(error["errorMessage"])[:1000] or error["errorType"],
            }
            self._world.send(arn, json.dumps(record["requestPayload"]), attributes)
        elif service == "sqs":
            self._world.send(arn, json.dumps(record))
        elif service == "lambda":
            self.later(arn.split(":")[6], record)
        elif service == "events":
            outcome = "Success" if "functionError" not in record["responseContext"] else "Failure"
            kind = f"Lambda Function Invocation Result - {outcome}"
            resources = [arn, record["requestContext"]["functionArn"]]
            bus = arn.rsplit("/", 1)[-1]
            self._bus.publish("lambda", kind, record, resources=resources, bus=bus)
