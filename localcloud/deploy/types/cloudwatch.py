"""Amazon CloudWatch: alarms, which are kept and never go off (localcloud.exceptions)."""

from __future__ import annotations

from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

_INTEGERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")
_TEXTS = (
    "AlarmDescription", "ComparisonOperator", "ExtendedStatistic", "MetricName", "Namespace",
    "Statistic", "TreatMissingData", "Unit",
)  # fmt: skip
_WHOLE = ("AlarmActions", "Dimensions", "InsufficientDataActions", "OKActions")


@resource(
    "AWS::CloudWatch::Alarm", *_INTEGERS, *_TEXTS, *_WHOLE, "ActionsEnabled", "AlarmName", "Tags",
    "Threshold", kept=("*",),
)  # fmt: skip
def alarm(props: Props, maker: Maker) -> Made:
    """A metric alarm on one metric."""
    name = props.text("AlarmName") or maker.name(255)
    request: dict[str, Any] = {"AlarmName": name}
    request |= {key: props.integer(key) for key in _INTEGERS if key in props}
    request |= {key: props.text(key) for key in _TEXTS if key in props}
    request |= {key: props.take(key) for key in _WHOLE if key in props}
    request["ActionsEnabled"] = props.boolean("ActionsEnabled", default=True)
    if "Threshold" in props:
        request["Threshold"] = float(props.take("Threshold"))
    request["Tags"] = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    maker.client("cloudwatch").put_metric_alarm(**request)
    return Made(name, {"Arn": maker.arn("cloudwatch", f"alarm:{name}")})
