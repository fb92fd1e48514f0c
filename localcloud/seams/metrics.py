"""CloudWatch in moto: it keeps alarms and shows metrics; what happens with them is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, StoredAlarm

_NEW = ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")


class Monitoring:
    """What moto keeps and shows of CloudWatch in one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    @property
    def _backend(self) -> Any:
        return cloudwatch_backends[self._account][self._region]

    def alarms(self) -> list[StoredAlarm]:
        """Every metric alarm."""
        return [_alarm(each) for each in list(self._backend.alarms.values())]

    def alarm(self, name: str) -> StoredAlarm | None:
        """The alarm of this name, if there is one."""
        found = self._backend.alarms.get(name)
        return None if found is None else _alarm(found)

    def tell(self, name: str, state: str, reason: str, reason_data: str) -> None:
        """Set what DescribeAlarms says of an alarm's state."""
        self._backend.alarms[name].update_state(reason, reason_data, state)

    def show(
        self, namespace: str, name: str, dimensions: Mapping[str, str], unit: str, minute: datetime
    ) -> Any:
        """A new datum in what GetMetricStatistics sees; `set_datum` changes it."""
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        at = minute.astimezone(UTC).replace(tzinfo=None)
        datum = MetricAggregatedDatum(namespace, name, 0.0, 0.0, 0.0, 0.0, named, at, unit)
        self._backend.metric_data.append(datum)
        return datum

    def set_datum(self, datum: Any, least: float, most: float, count: float, total: float) -> None:
        """Change the statistics of a datum that `show` gave."""
        datum.min, datum.max, datum.sample_count, datum.sum = least, most, count, total


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _alarm(stored: Any) -> StoredAlarm:
    periods = int(stored.evaluation_periods)
    actions = {
        "ALARM": tuple(stored.alarm_actions or ()),
        "OK": tuple(stored.ok_actions or ()),
        "INSUFFICIENT_DATA": tuple(stored.insufficient_data_actions or ()),
    }
    return StoredAlarm(
        name=str(stored.name),
        arn=str(stored.alarm_arn),
        description=str(stored.description or ""),
        namespace=str(stored.namespace),
        metric=str(stored.metric_name),
        dimensions={str(each.name): str(each.value) for each in stored.dimensions},
        statistic=str(stored.statistic or stored.extended_statistic),
        unit=stored.unit or None,
        period=int(stored.period),
        periods=periods,
        datapoints=int(stored.datapoints_to_alarm or periods),
        comparison=str(stored.comparison_operator),
        threshold=float(stored.threshold),
        missing=str(stored.treat_missing_data or "missing"),
        actions_enabled=bool(stored.actions_enabled),
        actions=actions,
        configured=_aware(stored.configuration_updated_timestamp),
        state=str(stored.state_value),
        reason=str(stored.state_reason),
        reason_data=str(stored.state_reason_data or ""),
        since=_aware(stored.state_updated_timestamp),
    )


def _put_metric_alarm(
    hooks: Hooks, original: Any, self: Any, name: str, *rest: Any, **named: Any
) -> Any:
    if named.get("metric_data_queries") or named.get("rule"):
        raise ValidationError("The local cloud evaluates alarms on one metric, no expressions")
    before = self.alarms.get(name)
    alarm = original(self, name, *rest, **named)
    if before is None:
        alarm.state_value, alarm.state_reason = _NEW
    else:  # another configuration leaves the state as it is until the next evaluation
        alarm.state_value, alarm.state_reason = before.state_value, before.state_reason
    hooks.alarm_changed(name)
    return alarm


def _set_alarm_state(
    hooks: Hooks, original: Any, self: Any, alarm_name: str, reason: str, reason_data: str,
    state_value: str,
) -> None:  # fmt: skip
    original(self, alarm_name, reason, reason_data, state_value)
    hooks.alarm_changed(alarm_name)


def _put_metric_data(
    hooks: Hooks, original: Any, self: Any, namespace: str, metric_data: Sequence[dict[str, Any]]
) -> None:
    del original
    for place, each in enumerate(metric_data, start=1):
        self._validate_parameters_put_metric_data(each, place)
    hooks.metric_data(namespace, metric_data)


def _get_all_metrics(hooks: Hooks, original: Any, self: Any) -> Any:
    hooks.metrics_read()
    return original(self)


def _utcnow(hooks: Hooks) -> datetime:
    return datetime.fromtimestamp(hooks.instant(), UTC).replace(tzinfo=None)


SEAMS = (
    Seam("moto.cloudwatch.models:CloudWatchBackend", "put_metric_alarm",
         "(self, name, namespace, metric_name, comparison_operator, evaluation_periods, period, "
         "threshold, statistic, description, dimensions, alarm_actions, metric_data_queries=None, "
         "datapoints_to_alarm=None, extended_statistic=None, ok_actions=None, "
         "insufficient_data_actions=None, unit=None, actions_enabled=True, "
         "treat_missing_data=None, evaluate_low_sample_count_percentile=None, "
         "threshold_metric_id=None, rule=None, tags=None)", _put_metric_alarm),
    Seam("moto.cloudwatch.models:CloudWatchBackend", "set_alarm_state",
         "(self, alarm_name, reason, reason_data, state_value)", _set_alarm_state),
    Seam("moto.cloudwatch.models:CloudWatchBackend", "put_metric_data",
         "(self, namespace, metric_data)", _put_metric_data),
    Seam("moto.cloudwatch.models:CloudWatchBackend", "get_all_metrics", "(self)",
         _get_all_metrics),
    Seam("moto.cloudwatch.models", "utcnow", "()", _utcnow, plain=True),
)  # fmt: skip
