"""The event bus: PutEvents, rules, targets, retries and dead letters.

Citations: "PutEvents" of the EventBridge API Reference; "How EventBridge retries delivering events"
and "Using dead-letter queues to process undelivered events" of its User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError
from localcloud.pattern import Pattern
from localcloud.pattern import compile as compile_pattern
from localcloud.targets import Targets
from localcloud.transform import payload_text
from localcloud.wiring import StoredRule
from localcloud.world import World, iso_seconds

_MOST_RETRIES = 185
_LONGEST_AGE_S = 24 * 3600
_LARGEST_REQUEST = 1024 * 1024
# the service says only "exponential back off and jitter, or randomized delay"; with these bounds
# its default of 185 retries just fits into its default of 24 hours
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 480.0


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target."""

    rule: StoredRule
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    cause: int
    since: datetime
    retries: int = 0


class Bus:
    """All event buses of the account and region.

    Args:
        world: the cloud.
        targets: who takes what rules let through.
    """

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets

    def publish(
        self,
        source: str,
        detail_type: str,
        detail: Any,
        *,
        resources: list[str] | None = None,
        bus: str = "default",
        cause: int | None = None,
        time: float | None = None,
    ) -> str:
        """Put an event on a bus, as AWS services do; returns its id. Rules react later."""
        now = self._world.clock.now()
        event = {
            "version": "0",
            "id": self._world.new_id(),
            "detail-type": detail_type,
            "source": source,
            "account": self._world.account,
            "time": iso_seconds(now if time is None else datetime.fromtimestamp(time, UTC)),
            "region": self._world.region,
            "resources": resources or [],
            "detail": detail,
        }
        facts = {
            "event_id": event["id"],
            "source": source,
            "bus": bus,
            "resources": resources or [],
        }
        record = self._world.journal.add("event", detail_type, cause=cause, **facts, detail=detail)
        self._world.clock.after(0, partial(self._route, event, bus, record.id))
        return str(event["id"])

    def put_events(
        self, entries: list[dict[str, Any]], cause: int | None = None
    ) -> list[dict[str, Any]]:
        """PutEvents: each entry is taken or refused by itself."""
        if sum(entry_size(entry) for entry in entries) > _LARGEST_REQUEST:
            message = "Total size of the entries in the request is over the limit."
            return [_refused("ValidationException", message) for _ in entries]
        return [self._put(entry, cause) for entry in entries]

    def _put(self, entry: Mapping[str, Any], cause: int | None) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return _refused("InvalidArgument", message)
        if str(entry["Source"]).startswith("aws."):
            message = "Not authorized for the source."
            return _refused("NotAuthorizedForSourceException", message)
        try:
            detail = json.loads(entry["Detail"])
        except json.JSONDecodeError:
            return _refused("MalformedDetail", "Detail is malformed.")
        if not isinstance(detail, dict):
            return _refused("MalformedDetail", "Detail is malformed.")
        bus = str(entry.get("EventBusName") or "default").rsplit("/", 1)[-1]
        if not self._world.state.has_bus(bus):
            return _refused("InvalidArgument", f"Event bus {bus} does not exist.")
        event_id = self.publish(
            str(entry["Source"]),
            str(entry["DetailType"]),
            detail,
            resources=list(entry.get("Resources") or []),
            bus=bus,
            cause=cause,
            time=entry.get("Time"),
        )
        return {"EventId": event_id}

    def deliver_again(
        self, rule_arn: str, target_arn: str, event: Mapping[str, Any], cause: int
    ) -> bool:
        """Deliver a dead event to its target anew, retries and all; False if rule or target is gone."""
        place = rule_arn.partition(":rule/")[2].split("/")
        for rule in self._world.state.rules(place[0] if len(place) > 1 else "default"):
            target = next((each for each in rule.targets if each["Arn"] == target_arn), None)
            if rule.arn == rule_arn and target is not None:
                delivery = Delivery(rule, target, event, cause, self._world.clock.now())
                self._world.clock.after(0, partial(self._attempt, delivery))
                return True
        return False

    def _route(self, event: Mapping[str, Any], bus: str, cause: int) -> None:
        journal, clock = self._world.journal, self._world.clock
        for rule in self._world.state.rules(bus):
            if (
                not rule.enabled
                or not rule.pattern
                or not _compiled(rule.pattern).matches(dict(event))
            ):
                continue
            matched = journal.add("rule", rule.name, cause=cause, bus=bus, arn=rule.arn)
            for target in rule.targets:
                delivery = Delivery(rule, target, event, matched.id, clock.now())
                clock.after(0, partial(self._attempt, delivery))

    def _attempt(self, delivery: Delivery) -> None:
        rule, arn = delivery.rule, str(delivery.target["Arn"])
        name = arn.rsplit(":", 1)[-1]
        with self._world.journal.entry("delivery", name, cause=delivery.cause) as entry:
            entry.detail.update(target=arn, rule=rule.name, attempt=delivery.retries + 1)
            text = payload_text(delivery.target, delivery.event, rule.name, rule.arn)
            try:
                self._targets.deliver(rule.arn, arn, text)
            except DeliveryError as error:
                entry.status = "failed"
                entry.detail.update(error=error.code, message=str(error))
                self._failed(delivery, error)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        policy = delivery.target.get("RetryPolicy", {})
        most = int(policy.get("MaximumRetryAttempts", _MOST_RETRIES))
        oldest = timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", _LONGEST_AGE_S)))
        backoff = min(_FIRST_BACKOFF_S * 2**delivery.retries, _LONGEST_BACKOFF_S)
        now = self._world.clock.now()
        if not error.retryable:
            self._dead_letter(delivery, error, None)
        elif delivery.retries >= most:
            self._dead_letter(delivery, error, "MaximumRetryAttempts")
        elif now + timedelta(seconds=backoff) - delivery.since > oldest:
            self._dead_letter(delivery, error, "MaximumEventAgeInSeconds")
        else:
            again = replace(delivery, retries=delivery.retries + 1)
            self._world.clock.after(backoff, partial(self._attempt, again))

    def _dead_letter(self, delivery: Delivery, error: DeliveryError, exhausted: str | None) -> None:
        queue = str(delivery.target.get("DeadLetterConfig", {}).get("Arn", ""))
        name = queue.rsplit(":", 1)[-1] or "none"
        with self._world.journal.entry("dead-letter", name) as entry:
            entry.detail.update(queue=queue, error=error.code, rule=delivery.rule.name)
            attributes = {
                "RULE_ARN": delivery.rule.arn,
                "TARGET_ARN": str(delivery.target["Arn"]),
                "ERROR_CODE": error.code,
                "ERROR_MESSAGE": str(error),
                "RETRY_ATTEMPTS": str(delivery.retries),
            }
            if exhausted is not None:
                attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
            try:
                self._targets.check(delivery.rule.arn, queue)
                self._world.send(queue, json.dumps(delivery.event), attributes)
            except (DeliveryError, ClientError) as lost:
                entry.status = "lost"
                entry.detail["message"] = str(lost)


def entry_size(entry: Mapping[str, Any]) -> int:
    """An entry's size as PutEvents counts it ("Calculating Amazon EventBridge PutEvents event
    entry size"): 14 bytes for a time, and the UTF-8 of source, detail type, detail, resources.
    """
    texts = [str(entry.get(name) or "") for name in ("Source", "DetailType", "Detail")]
    texts += [str(each) for each in entry.get("Resources") or []]
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") else 0)


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}


@cache
def _compiled(pattern: str) -> Pattern:
    return compile_pattern(pattern)
