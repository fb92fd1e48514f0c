"""What EventBridge and its Scheduler refuse when they are asked, beyond what moto knows.

Citations: "Amazon EventBridge quotas" of the EventBridge User Guide (pattern size, targets per rule);
"PutTargets" of its API Reference (Input, InputPath and InputTransformer exclude each other);
"Using universal targets" of the Scheduler User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.cron import At, InvalidExpression, parse, zone_of
from localcloud.pattern import InvalidPattern, compiled
from localcloud.seams import State
from localcloud.targets import service_of
from localcloud.wiring import Refused

MOST_TARGETS = 5
LONGEST_PATTERN = 2048
MOST_REPLAYS = 10
_EVENT = {"id", "account", "source", "time", "region", "resources", "detail-type"}
INPUTS = ("Input", "InputPath", "InputTransformer")


def pattern_problem(text: str) -> str | None:
    """Why a pattern cannot be used; None if it can."""
    if len(text) > LONGEST_PATTERN:
        return f"event pattern has {len(text)} characters, at most {LONGEST_PATTERN} are allowed"
    try:
        compiled(text)
    except InvalidPattern as error:
        return str(error)
    return None


def expression_problem(text: str, *, timezone: str | None = None) -> str | None:
    """Why a schedule expression cannot be used; None if it can.

    Args:
        text: the expression.
        timezone: for schedules of EventBridge Scheduler; rules run by UTC and not at(…).
    """
    try:
        expression = parse(text, zone_of(timezone or "UTC"))
    except InvalidExpression as error:
        return str(error)
    if timezone is None and isinstance(expression, At):
        return f"{text}: a rule takes cron(…) or rate(…); for one time take a schedule"
    return None


def input_problem(target: Mapping[str, Any]) -> str | None:
    """Why what a rule's target is to receive makes no sense; None if it does."""
    given = [name for name in INPUTS if name in target]
    if len(given) > 1:
        return f"{given[0]} and {given[1]} exclude each other"
    if given and service_of(str(target["Arn"])) in {"events", "logs"}:
        return f"{given[0]} is not supported for an event bus or a log group"
    return _json_problem(str(target["Input"])) if "Input" in target else None


def schedule_target_problem(target: Mapping[str, Any]) -> str | None:
    """Why a schedule's target cannot be honoured; None if it can."""
    arn = str(target["Arn"])
    if ":aws-sdk:" in arn:
        return f"{arn} is a universal target, which is not supported: take a templated one"
    service = service_of(arn)
    if service is None or service == "logs":
        return f"{arn} is no target the local cloud delivers to"
    if service != "events" and "EventBridgeParameters" in target:
        return "EventBridgeParameters are for an event bus"
    if service == "events" and ("EventBridgeParameters" not in target or "Input" not in target):
        return "an event bus needs EventBridgeParameters and an Input"
    if service in {"events", "lambda"} and "Input" in target:
        return _json_problem(str(target["Input"]))
    return None


def check_rule(pattern: str | None, schedule: str | None) -> None:
    """PutRule.

    Raises:
        Refused: InvalidEventPatternException or ValidationException.
    """
    if pattern and (problem := pattern_problem(pattern)):
        message = f"Event pattern is not valid. Reason: {problem}"
        raise Refused("InvalidEventPatternException", message)
    if schedule and expression_problem(schedule):
        raise Refused("ValidationException", "Parameter ScheduleExpression is not valid.")


def matches(pattern: str, event: str) -> bool:
    """TestEventPattern.

    Raises:
        Refused: InvalidEventPatternException, or ValidationException for what is no event.
    """
    check_rule(pattern, None)
    try:
        happened = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise Refused("ValidationException", "Parameter Event is not valid.") from error
    if not isinstance(happened, dict) or (missing := _EVENT - set(happened)):
        lack = "" if not isinstance(happened, dict) else f" Reason: no {sorted(missing)[0]}."
        raise Refused("ValidationException", f"Parameter Event is not valid.{lack}")
    return compiled(pattern).matches(happened)


def check_targets(state: State, bus: str, rule: str, targets: list[Mapping[str, Any]]) -> None:
    """PutTargets.

    Raises:
        Refused: LimitExceededException or ValidationException.
    """
    found = next((each for each in state.rules(bus) if each.name == rule), None)
    there = {target["Id"] for target in found.targets} if found is not None else set()
    if len(there | {target["Id"] for target in targets}) > MOST_TARGETS:
        message = f"The requested resource exceeds the maximum number allowed: {MOST_TARGETS}"
        raise Refused("LimitExceededException", message)
    for target in targets:
        own = str(target["Arn"]).endswith(":::")  # an archive's own rule
        if not own and (problem := input_problem(target)):
            message = f"Target {target['Id']} is not valid. Reason: {problem}"
            raise Refused("ValidationException", message)


def check_schedule(expression: str, timezone: str, target: Mapping[str, Any]) -> None:
    """CreateSchedule and UpdateSchedule.

    Raises:
        Refused: ValidationException.
    """
    if expression_problem(expression, timezone=timezone):
        raise Refused("ValidationException", f"Invalid Schedule Expression {expression}.")
    if problem := schedule_target_problem(target):
        raise Refused("ValidationException", f"Target is not valid. Reason: {problem}")


def check_replay(state: State, bus: str, filter_arns: list[str]) -> None:
    """StartReplay.

    Raises:
        Refused: LimitExceededException ("Replaying archived events": ten at a time) or
            ValidationException.
    """
    if state.active_replays() >= MOST_REPLAYS:
        message = f"The requested resource exceeds the maximum number allowed: {MOST_REPLAYS}"
        raise Refused("LimitExceededException", message)
    known = {rule.arn for rule in state.rules(bus)}
    if unknown := [arn for arn in filter_arns if arn not in known]:
        message = f"Parameter Destination.FilterArns is not valid. Reason: no rule {unknown[0]}"
        raise Refused("ValidationException", f"{message} on event bus {bus}.")


def _json_problem(text: str) -> str | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"Input is not JSON: {error}"
    return None
