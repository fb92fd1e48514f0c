"""EventBridge in moto: entries go to our bus, rules are held to what AWS takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, Refused


def _put_events(hooks: Hooks, original: Any, self: Any, events: list[dict[str, Any]]) -> Any:
    if len(events) > 10:
        return original(self, events)  # moto words AWS's refusal
    return hooks.put_events(events, str(self.account_id))


def _put_rule(hooks: Hooks, original: Any, self: Any, name: str, **named: Any) -> Any:
    try:
        hooks.check_rule(named.get("event_pattern"), named.get("scheduled_expression"))
    except Refused as refused:
        raise JsonRESTError(refused.code, str(refused)) from refused
    rule = original(self, name, **named)
    hooks.rule_put(str(rule.event_bus_name), name)
    return rule


def _test_event_pattern(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    try:
        result = hooks.matches(self._get_param("EventPattern"), self._get_param("Event"))
    except Refused as refused:
        raise JsonRESTError(refused.code, str(refused)) from refused
    return json.dumps({"Result": result}), self.response_headers


def _put_targets(
    hooks: Hooks, original: Any, self: Any, name: str, event_bus_arn: str | None,
    targets: list[Mapping[str, Any]],
) -> Any:  # fmt: skip
    try:
        hooks.check_targets(str(event_bus_arn or "default").rsplit("/", 1)[-1], name, targets)
    except Refused as refused:
        raise JsonRESTError(refused.code, str(refused)) from refused
    return original(self, name, event_bus_arn, targets)


SEAMS = (
    Seam("moto.events.models:EventsBackend", "put_events", "(self, events)", _put_events),
    Seam("moto.events.models:EventsBackend", "put_rule",
         "(self, name, description=None, event_bus_arn=None, event_pattern=None, role_arn=None, "
         "scheduled_expression=None, state=None, managed_by=None, tags=None)", _put_rule),
    Seam("moto.events.responses:EventsHandler", "test_event_pattern", "(self)",
         _test_event_pattern),
    Seam("moto.events.models:EventsBackend", "put_targets",
         "(self, name, event_bus_arn, targets)", _put_targets),
)  # fmt: skip
