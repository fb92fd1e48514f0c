"""Amazon EventBridge: buses, rules with patterns or schedules, archives.

Limits: botocore's shapes (`limits`), "Amazon EventBridge quotas" and "PutTargets" (`requested`).
"""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.limits import hold
from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.log_groups import PREFIX, log_group_of
from localcloud.requested import (
    LONGEST_PATTERN,
    MOST_TARGETS,
    expression_problem,
    input_problem,
    pattern_problem,
)
from localcloud.targets import service_of


@resource("AWS::Events::EventBus", "Description", "Name", "Tags")
def event_bus(props: Props, maker: Maker) -> Made:
    """A custom bus."""
    name = str(props.need("Name"))
    tags = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    request = {"Name": name, "Description": props.text("Description"), "Tags": tags}
    hold(props, "events", "CreateEventBusRequest", request)
    made = maker.client("events").create_event_bus(**request)
    return Made(name, {"Arn": made["EventBusArn"], "Name": name})


@resource(
    "AWS::Events::Rule", "Description", "EventBusName", "EventPattern", "Name",
    "ScheduleExpression", "State", "Targets",
)  # fmt: skip
def rule(props: Props, maker: Maker) -> Made:
    """A rule; whether its targets can be reached is checked at the end."""
    events = maker.client("events")
    bus = props.text("EventBusName", "default").rsplit("/", 1)[-1]
    request: dict[str, Any] = {
        "Name": props.text("Name") or maker.name(64),
        "EventBusName": bus,
        "Description": props.text("Description"),
        "State": props.choice("State", "ENABLED", "DISABLED", default="ENABLED"),
    }
    if "EventPattern" not in props and "ScheduleExpression" not in props:
        raise props.error("EventPattern", "or ScheduleExpression is required")
    if "EventPattern" in props:
        request["EventPattern"] = _pattern(props)
    if "ScheduleExpression" in props:
        request["ScheduleExpression"] = props.text("ScheduleExpression")
        if bus != "default":
            raise props.error("ScheduleExpression", "is for rules of the default bus only")
        if problem := expression_problem(request["ScheduleExpression"]):
            raise props.error("ScheduleExpression", problem)
    hold(props, "events", "PutRuleRequest", request)
    targets = [_target(target) for target in props.groups("Targets")]
    if len(targets) > MOST_TARGETS:
        raise props.error("Targets", f"a rule has at most {MOST_TARGETS} targets")
    made = events.put_rule(**request)
    name = request["Name"]
    if targets:
        events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    ref = name if bus == "default" else f"{bus}|{name}"
    return Made(ref, {"Arn": made["RuleArn"]}, {"bus": bus, "name": name})


@resource(
    "AWS::Events::Archive", "ArchiveName", "Description", "EventPattern", "RetentionDays",
    "SourceArn",
)  # fmt: skip
def archive(props: Props, maker: Maker) -> Made:
    """An archive of a bus; see localcloud.archives."""
    name = props.text("ArchiveName") or maker.name(48)
    request: dict[str, Any] = {"ArchiveName": name, "EventSourceArn": str(props.need("SourceArn"))}
    if "Description" in props:
        request["Description"] = props.text("Description")
    if (days := props.integer("RetentionDays")) is not None:
        request["RetentionDays"] = days
    if "EventPattern" in props:
        request["EventPattern"] = _pattern(props)
    renamed = {"EventSourceArn": "SourceArn"}
    hold(props, "events", "CreateArchiveRequest", request, renamed)
    arn = maker.client("events").create_archive(**request)["ArchiveArn"]
    return Made(name, {"Arn": arn, "ArchiveName": name})


def _pattern(props: Props) -> str:
    pattern = json.dumps(props.need("EventPattern"), separators=(",", ":"))
    if len(pattern) > LONGEST_PATTERN:
        message = f"has {len(pattern)} characters, at most {LONGEST_PATTERN} are allowed"
        raise props.error("EventPattern", message)
    if problem := pattern_problem(pattern):
        raise props.error("EventPattern", problem)
    return pattern


def _target(target: Props) -> dict[str, Any]:
    arn = str(target.need("Arn"))
    answer: dict[str, Any] = {"Id": str(target.need("Id")), "Arn": arn}
    _reachable(target, arn)
    for name in ("Input", "InputPath"):
        if name in target:
            answer[name] = target.text(name)
    if (transformer := target.group("InputTransformer")) is not None:
        answer["InputTransformer"] = {
            "InputPathsMap": transformer.take("InputPathsMap", {}),
            "InputTemplate": str(transformer.need("InputTemplate")),
        }
    if problem := input_problem(answer):
        raise target.error("Arn", problem)
    if "RoleArn" in target:
        answer["RoleArn"] = target.text("RoleArn")
    if (dead := target.group("DeadLetterConfig")) is not None:
        answer["DeadLetterConfig"] = {"Arn": str(dead.need("Arn"))}
    if (retry := target.group("RetryPolicy")) is not None:
        numbers = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts")
        answer["RetryPolicy"] = {key: retry.integer(key) for key in numbers if key in retry}
    hold(target, "events", "Target", answer)
    return answer


def _reachable(target: Props, arn: str) -> None:
    service = service_of(arn)
    if service is None:
        raise target.error("Arn", f"{arn} is no target the local cloud delivers to")
    if service == "events" and "RoleArn" not in target:
        raise target.error("RoleArn", "is required: an event bus is reached through a role")
    if service != "events" and "RoleArn" in target:
        message = "is for an event bus; others are reached through their own policies"
        raise target.error("RoleArn", message)
    if service == "logs" and not log_group_of(arn).startswith(PREFIX):
        raise target.error("Arn", f"a log group is a target only if its name begins with {PREFIX}")
    if service == "logs" and arn.endswith(":*"):
        raise target.error("Arn", "names streams: write the log group's ARN without :* at its end")
