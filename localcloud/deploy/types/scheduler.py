"""Amazon EventBridge Scheduler: schedules and their groups; run by localcloud.schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localcloud.deploy.limits import hold
from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.requested import expression_problem, schedule_target_problem


@resource("AWS::Scheduler::ScheduleGroup", "Name", "Tags")
def schedule_group(props: Props, maker: Maker) -> Made:
    """A group of schedules."""
    name = props.text("Name") or maker.name(64)
    tags = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    request = {"Name": name, "Tags": tags}
    hold(props, "scheduler", "CreateScheduleGroupInput", request)
    arn = maker.client("scheduler").create_schedule_group(**request)["ScheduleGroupArn"]
    return Made(name, {"Arn": arn, "State": "ACTIVE"})


@resource(
    "AWS::Scheduler::Schedule", "ActionAfterCompletion", "Description", "EndDate",
    "FlexibleTimeWindow", "GroupName", "Name", "ScheduleExpression", "ScheduleExpressionTimezone",
    "StartDate", "State", "Target",
)  # fmt: skip
def schedule(props: Props, maker: Maker) -> Made:
    """A schedule with a templated target; whether it can be reached is checked at the end."""
    window = props.group("FlexibleTimeWindow")
    if window is None:
        raise props.error("FlexibleTimeWindow", "is required")
    request: dict[str, Any] = {
        "Name": props.text("Name") or maker.name(64),
        "GroupName": props.text("GroupName", "default"),
        "ScheduleExpression": str(props.need("ScheduleExpression")),
        "ScheduleExpressionTimezone": props.text("ScheduleExpressionTimezone", "UTC"),
        "State": props.choice("State", "ENABLED", "DISABLED", default="ENABLED"),
        "FlexibleTimeWindow": _window(window),
        "ActionAfterCompletion": props.choice(
            "ActionAfterCompletion", "NONE", "DELETE", default="NONE"
        ),
        "Target": _target(props),
    }
    zone = request["ScheduleExpressionTimezone"]
    if problem := expression_problem(request["ScheduleExpression"], timezone=zone):
        prop = "ScheduleExpressionTimezone" if "time zone" in problem else "ScheduleExpression"
        raise props.error(prop, problem)
    if "Description" in props:
        request["Description"] = props.text("Description")
    for name in ("StartDate", "EndDate"):
        if name in props:
            request[name] = _instant(props, name)
    hold(props, "scheduler", "CreateScheduleInput", request)
    arn = maker.client("scheduler").create_schedule(**request)["ScheduleArn"]
    return Made(request["Name"], {"Arn": arn}, {"target": request["Target"]})


def _window(window: Props) -> dict[str, Any]:
    mode = window.choice("Mode", "OFF", "FLEXIBLE")
    if mode == "OFF":
        return {"Mode": mode}
    window.need("MaximumWindowInMinutes")
    return {"Mode": mode, "MaximumWindowInMinutes": window.integer("MaximumWindowInMinutes")}


def _target(props: Props) -> dict[str, Any]:
    target = props.group("Target")
    if target is None:
        raise props.error("Target", "is required")
    answer: dict[str, Any] = {
        "Arn": str(target.need("Arn")),
        "RoleArn": str(target.need("RoleArn")),
    }
    if "Input" in target:
        answer["Input"] = target.text("Input")
    if (dead := target.group("DeadLetterConfig")) is not None:
        answer["DeadLetterConfig"] = {"Arn": str(dead.need("Arn"))}
    if (retry := target.group("RetryPolicy")) is not None:
        numbers = ("MaximumEventAgeInSeconds", "MaximumRetryAttempts")
        answer["RetryPolicy"] = {key: retry.integer(key) for key in numbers if key in retry}
    if (bus := target.group("EventBridgeParameters")) is not None:
        names = ("DetailType", "Source")
        answer["EventBridgeParameters"] = {name: str(bus.need(name)) for name in names}
    if problem := schedule_target_problem(answer):
        raise target.error("Arn", problem)
    return answer


def _instant(props: Props, name: str) -> datetime:
    text = props.text(name)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"must be a time such as 2026-01-01T00:00:00Z, not {text!r}"
        raise props.error(name, message) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
