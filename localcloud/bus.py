"""The event bus: PutEvents, rules, forwarding to other buses.

Citations: "PutEvents" of the EventBridge API Reference; "Amazon EventBridge rules", and "Sending and
receiving events between event buses in the same account and Region" of its User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from localcloud.archives import Archives
from localcloud.deliveries import DeadLetter, Deliveries, Delivery
from localcloud.pattern import compiled
from localcloud.targets import Targets, service_of
from localcloud.transform import payload_text
from localcloud.wiring import Archive, Replay, StoredRule
from localcloud.world import World, iso_seconds

_LARGEST_REQUEST = 1024 * 1024


@dataclass(frozen=True)
class Arrival:
    """An event that reached a bus.

    Attributes:
        event: the event.
        bus: the bus's name.
        cause: the record that tells of its arrival.
        forwarded: whether it came from another bus; such an event goes no further than this one.
        rules: ARNs of the only rules that may see it; all of the bus if empty.
    """

    event: Mapping[str, Any]
    bus: str
    cause: int
    forwarded: bool = False
    rules: frozenset[str] = field(default_factory=frozenset)


class Bus:
    """All event buses of the account and region.

    Args:
        world: the cloud.
        targets: who takes what rules let through.
    """

    def __init__(self, world: World, targets: Targets) -> None:
        self._world = world
        self._targets = targets
        self._deliveries = Deliveries(world)
        self._archives = Archives(world)

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
        account: str | None = None,
    ) -> str:
        """Put an event on a bus, as AWS services do; returns its id. Rules react later."""
        event = self.event(source, detail_type, detail, resources, time, account)
        self._arrive(event, bus, cause)
        return str(event["id"])

    def event(
        self,
        source: str,
        detail_type: str,
        detail: Any,
        resources: list[str] | None = None,
        time: float | None = None,
        account: str | None = None,
    ) -> dict[str, Any]:
        """An event as it is now, on no bus yet ("AWS service event metadata")."""
        now = self._world.clock.now()
        return {
            "version": "0",
            "id": self._world.new_id(),
            "detail-type": detail_type,
            "source": source,
            "account": account or self._world.account,
            "time": iso_seconds(now if time is None else datetime.fromtimestamp(time, UTC)),
            "region": self._world.region,
            "resources": resources or [],
            "detail": detail,
        }

    def forward(self, bus: str, event: Mapping[str, Any]) -> None:
        """Take an event from another bus, as it is."""
        self._arrive(event, bus, None, forwarded=True)

    def replay(self, replay: Replay, archive: Archive, cause: int | None = None) -> None:
        """StartReplay: put archived events on their bus again."""
        rules = frozenset(replay.filter_arns)
        self._archives.replay(
            replay, archive, lambda event: self._arrive(event, replay.bus, cause, rules=rules)
        )

    def put_events(
        self,
        entries: list[dict[str, Any]],
        cause: int | None = None,
        account: str | None = None,
    ) -> list[dict[str, Any]]:
        """PutEvents: each entry is taken or refused by itself."""
        if sum(entry_size(entry) for entry in entries) > _LARGEST_REQUEST:
            message = "Total size of the entries in the request is over the limit."
            return [_refused("ValidationException", message) for _ in entries]
        return [self._put(entry, cause, account) for entry in entries]

    def _put(
        self, entry: Mapping[str, Any], cause: int | None, account: str | None
    ) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return _refused("InvalidArgument", message)
        if str(entry["Source"]).startswith("aws."):
            message = "Not authorized for the source."
            return _refused("NotAuthorizedForSourceException", message)
        detail = _detail(str(entry["Detail"]))
        if detail is None:
            return _refused("MalformedDetail", "Detail is malformed.")
        bus = str(entry.get("EventBusName") or "default").rsplit("/", 1)[-1]
        if not self._world.state.has_bus(bus, account):
            return _refused("InvalidArgument", f"Event bus {bus} does not exist.")
        event_id = self.publish(
            str(entry["Source"]),
            str(entry["DetailType"]),
            detail,
            resources=list(entry.get("Resources") or []),
            bus=bus,
            cause=cause,
            time=entry.get("Time"),
            account=account,
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
                self._deliveries.begin(self._delivery(rule, target, event, cause))
                return True
        return False

    def _arrive(self, event: Mapping[str, Any], bus: str, cause: int | None, **how: Any) -> None:
        facts = {"event_id": event["id"], "source": event["source"], "bus": bus}
        facts["account"] = event["account"]
        if "replay-name" in event:
            facts["replay"] = event["replay-name"]
        record = self._world.journal.add(
            "event", str(event["detail-type"]), cause=cause, **facts,
            resources=event["resources"], detail=event["detail"],
        )  # fmt: skip
        self._archives.keep(event, bus)
        arrival = Arrival(event, bus, record.id, **how)
        self._world.clock.after(0, partial(self._route, arrival))

    def _route(self, arrival: Arrival) -> None:
        for rule in self._world.state.rules(arrival.bus, str(arrival.event["account"])):
            if arrival.rules and rule.arn not in arrival.rules:
                continue
            if not rule.enabled or not rule.pattern:
                continue
            if compiled(rule.pattern).matches(dict(arrival.event)):
                self.matched(rule, arrival)

    def matched(self, rule: StoredRule, arrival: Arrival) -> None:
        """Send an event to all targets of a rule."""
        journal = self._world.journal
        facts = {"bus": arrival.bus, "arn": rule.arn}
        matched = journal.add("rule", rule.name, cause=arrival.cause, **facts)
        for target in rule.targets:
            if arrival.forwarded and service_of(str(target["Arn"])) == "events":
                message = "an event from another bus is not routed to a third bus"
                name = str(target["Arn"]).rsplit(":", 1)[-1]
                journal.add("delivery", name, "dropped", cause=matched.id, message=message)
            else:
                self._deliveries.begin(self._delivery(rule, target, arrival.event, matched.id))

    def _delivery(
        self, rule: StoredRule, target: Mapping[str, Any], event: Mapping[str, Any], cause: int
    ) -> Delivery:
        queue = str(target.get("DeadLetterConfig", {}).get("Arn", ""))

        def hand_over(attempt: int) -> None:
            del attempt
            text = payload_text(target, event, rule.name, rule.arn)
            self._targets.deliver(rule.arn, target, text, event)

        return Delivery(
            target=str(target["Arn"]),
            facts={"rule": rule.name},
            hand_over=hand_over,
            policy=target.get("RetryPolicy", {}),
            dead_letter=DeadLetter(
                queue,
                partial(self._targets.check, rule.arn, queue),
                json.dumps(event),
                {"RULE_ARN": rule.arn},
            ),
            cause=cause,
            since=self._world.clock.now(),
            resume=partial(self.resume, rule, target, event, cause),
        )

    def resume(
        self, rule: StoredRule, target: Mapping[str, Any], event: Mapping[str, Any], cause: int,
        since: datetime, retries: int,
    ) -> None:  # fmt: skip
        """Go on with a delivery where it was left, now."""
        delivery = self._delivery(rule, target, event, cause)
        self._deliveries.attempt(replace(delivery, since=since, retries=retries))


def entry_size(entry: Mapping[str, Any]) -> int:
    """An entry's size as PutEvents counts it ("Calculating Amazon EventBridge PutEvents event
    entry size"): 14 bytes for a time, and the UTF-8 of source, detail type, detail, resources.
    """
    texts = [str(entry.get(name) or "") for name in ("Source", "DetailType", "Detail")]
    texts += [str(each) for each in entry.get("Resources") or []]
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") else 0)


def _detail(text: str) -> dict[str, Any] | None:
    """The detail of an entry; None if it is no JSON object."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    try:
        detail = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return detail if isinstance(detail, dict) else None


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}
