"""Amazon CloudWatch: alarms on one metric, evaluated by localcloud.alarms."""

from __future__ import annotations

import re
from typing import Any

from localcloud.alarm_rules import COMPARISONS
from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.limits import ALARM_ACTIONS, DIMENSIONS

_ACTIONS = ("AlarmActions", "InsufficientDataActions", "OKActions")
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{0,10})?|100)")
_DAY_S = 24 * 3600


@resource(
    "AWS::CloudWatch::Alarm", *_ACTIONS, "ActionsEnabled", "AlarmDescription", "AlarmName",
    "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluationPeriods",
    "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Tags", "Threshold",
    "TreatMissingData", "Unit",
)  # fmt: skip
def alarm(props: Props, maker: Maker) -> Made:
    """A metric alarm on one metric (no expressions); limits of PutMetricAlarm are enforced."""
    name = props.text("AlarmName") or maker.name(255)
    request: dict[str, Any] = {"AlarmName": name, **_condition(props), **_metric(props)}
    for key in ("AlarmDescription", "Unit"):
        if key in props:
            request[key] = props.text(key)
    actions: list[tuple[str, str]] = []
    for prop in _ACTIONS:
        request[prop] = [str(arn) for arn in props.take(prop) or []]
        if len(request[prop]) > ALARM_ACTIONS.most:
            raise props.error(
                prop, f"an alarm has at most {ALARM_ACTIONS.most} actions for a state"
            )
        actions += [(prop, arn) for arn in request[prop]]
    request["ActionsEnabled"] = props.boolean("ActionsEnabled", default=True)
    request["Tags"] = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    maker.client("cloudwatch").put_metric_alarm(**request)
    arn = maker.arn("cloudwatch", f"alarm:{name}")
    return Made(name, {"Arn": arn}, {"actions": actions})


def _metric(props: Props) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Namespace": str(props.need("Namespace")),
        "MetricName": str(props.need("MetricName")),
    }
    dimensions = [
        {"Name": str(each.need("Name")), "Value": str(each.need("Value"))}
        for each in props.groups("Dimensions")
    ]
    if len(dimensions) > DIMENSIONS.most:
        raise props.error("Dimensions", f"a metric has at most {DIMENSIONS.most} dimensions")
    answer["Dimensions"] = dimensions
    if ("Statistic" in props) == ("ExtendedStatistic" in props):
        raise props.error("Statistic", "give either Statistic or ExtendedStatistic")
    if "Statistic" in props:
        answer["Statistic"] = props.choice("Statistic", *_STATISTICS)
    else:
        answer["ExtendedStatistic"] = props.text("ExtendedStatistic")
        if not _PERCENTILE.fullmatch(answer["ExtendedStatistic"]):
            message = f"{answer['ExtendedStatistic']!r} is no percentile such as p99; others are "
            raise props.error("ExtendedStatistic", message + "not computed here")
    return answer


def _condition(props: Props) -> dict[str, Any]:
    period, periods = _positive(props, "Period"), _positive(props, "EvaluationPeriods")
    if period % 60:
        message = f"must be a multiple of 60, not {period}: metrics are kept by the minute here"
        raise props.error("Period", message)
    most = 7 * _DAY_S if period >= 3600 else _DAY_S
    if period * periods > most:
        message = f"times Period is {period * periods} s; CloudWatch looks back {most} s at most"
        raise props.error("EvaluationPeriods", message)
    points = _positive(props, "DatapointsToAlarm", periods)
    if points > periods:
        raise props.error("DatapointsToAlarm", f"is more than EvaluationPeriods, {periods}")
    missing = ("missing", "ignore", "breaching", "notBreaching")
    try:
        threshold = float(props.need("Threshold"))
    except (TypeError, ValueError) as error:
        raise props.error("Threshold", "must be a number") from error
    return {
        "ComparisonOperator": props.choice("ComparisonOperator", *COMPARISONS),
        "Period": period,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": points,
        "Threshold": threshold,
        "TreatMissingData": props.choice("TreatMissingData", *missing, default="missing"),
    }


def _positive(props: Props, name: str, default: int | None = None) -> int:
    value = props.integer(name, default)
    if value is None:
        raise props.error(name, "is required")
    if value < 1:
        raise props.error(name, f"must be at least 1, not {value}")
    return value
