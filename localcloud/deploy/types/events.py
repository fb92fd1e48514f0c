"""Amazon EventBridge: buses and rules with event patterns (no schedules)."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.pattern import InvalidPattern
from localcloud.pattern import compile as compile_pattern
from localcloud.targets import service_of

_MOST_TARGETS = 5  # "Amazon EventBridge quotas": targets per rule


@resource("AWS::Events::EventBus", "Description", "Name", "Tags")
def event_bus(props: Props, maker: Maker) -> Made:
    """A custom bus."""
    name = str(props.need("Name"))
    tags = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    made = maker.client("events").create_event_bus(
        Name=name, Description=props.text("Description"), Tags=tags
    )
    return Made(name, {"Arn": made["EventBusArn"], "Name": name})


@resource(
    "AWS::Events::Rule", "Description", "EventBusName", "EventPattern", "Name", "State", "Targets"
)
def rule(props: Props, maker: Maker) -> Made:
    """A rule with an event pattern; whether its targets can be reached is checked at the end."""
    events = maker.client("events")
    name = props.text("Name") or maker.name(64)
    bus = props.text("EventBusName", "default").rsplit("/", 1)[-1]
    pattern = props.need("EventPattern")
    try:
        compile_pattern(pattern)
    except InvalidPattern as error:
        raise props.error("EventPattern", str(error)) from error
    made = events.put_rule(
        Name=name,
        EventBusName=bus,
        EventPattern=json.dumps(pattern),
        Description=props.text("Description"),
        State=props.choice("State", "ENABLED", "DISABLED", default="ENABLED"),
    )
    targets = [_target(target) for target in props.groups("Targets")]
    if len(targets) > _MOST_TARGETS:
        raise props.error("Targets", f"a rule has at most {_MOST_TARGETS} targets")
    if targets:
        events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    ref = name if bus == "default" else f"{bus}|{name}"
    return Made(ref, {"Arn": made["RuleArn"]}, {"bus": bus, "name": name})


def _target(target: Props) -> dict[str, Any]:
    answer: dict[str, Any] = {"Id": str(target.need("Id")), "Arn": str(target.need("Arn"))}
    if service_of(answer["Arn"]) is None:
        raise target.error("Arn", f"{answer['Arn']} is no target the local cloud delivers to")
    for name in ("Input", "InputPath"):
        if name in target:
            answer[name] = target.text(name)
    if (transformer := target.group("InputTransformer")) is not None:
        answer["InputTransformer"] = {
            "InputPathsMap": transformer.take("InputPathsMap", {}),
            "InputTemplate": str(transformer.need("InputTemplate")),
        }
    if (dead := target.group("DeadLetterConfig")) is not None:
        answer["DeadLetterConfig"] = {"Arn": str(dead.need("Arn"))}
    if (retry := target.group("RetryPolicy")) is not None:
        numbers = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts")
        answer["RetryPolicy"] = {key: retry.integer(key) for key in numbers if key in retry}
    return answer
