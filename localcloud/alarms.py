"""Alarms: evaluated on the metrics there are, in virtual time, and what their states set off.

Citations: "Alarm evaluation", "Notifying users on alarm changes" and "Alarm events and EventBridge"
of the CloudWatch User Guide.

On AWS every alarm is looked at every minute. Here that would keep time going for ever; instead the
minute of an alarm's next change is computed from the data there is, and only that one is waited
for. A change to INSUFFICIENT_DATA happens when time gets there, but makes no time pass: silence
alone is no reason to go on.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

from localcloud.alarm_rules import Verdict, evaluate, evaluation_range, stamp, step
from localcloud.bus import Bus
from localcloud.errors import DeliveryError
from localcloud.limits import SUBJECT
from localcloud.metrics import Series, Statistics, minute_of
from localcloud.queue_metrics import AGE, QueueMetrics
from localcloud.seams import Monitoring
from localcloud.targets import Targets
from localcloud.topics import Topics
from localcloud.wiring import Published, StoredAlarm
from localcloud.world import World

CLOUDWATCH = "cloudwatch.amazonaws.com"
_SILENT = "INSUFFICIENT_DATA"
# As CloudWatch names regions in messages; others are named by their id.
_REGIONS = {
    "eu-central-1": "EU (Frankfurt)",
    "eu-west-1": "EU (Ireland)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
}


class Alarms:
    """All metric alarms of the account and region.

    Args:
        world: the cloud.
        bus: where changes of state are told.
        topics: where actions publish.
        targets: who may be reached.
        queues: what queues hold, and will.
    """

    def __init__(
        self, world: World, bus: Bus, topics: Topics, targets: Targets, queues: QueueMetrics
    ) -> None:
        self._world = world
        self._bus = bus
        self._topics = topics
        self._targets = targets
        self._queues = queues
        self._monitoring = Monitoring(world.account, world.region)
        self._told: dict[str, StoredAlarm] = {}
        self._watching: dict[Series, set[str]] = {}
        self._due: dict[str, int] = {}
        self._looking: set[str] = set()
        self._causes: dict[Series, int | None] = {}
        world.metrics.heard = self._heard

    def changed(self, name: str) -> None:
        """An alarm was made or changed, or its state was set, through the API."""
        alarm = self._monitoring.alarm(name)
        if alarm is None:
            return
        before = self._told.get(name)
        self._told[name] = alarm
        series = _series(alarm)
        if before is not None and _series(before) != series:
            self._watching[_series(before)].discard(name)
        self._watching.setdefault(series, set()).add(name)
        self._world.metrics.watched.add(series)
        if before is not None and before.state != alarm.state:
            self._announce(before, alarm)
        self._look_soon(name)

    def check(self, alarm_arn: str, action_arn: str) -> None:
        """Find out whether an action can be run, without running it.

        Raises:
            DeliveryError: it is no topic, or the topic lets CloudWatch not in.
        """
        if action_arn.split(":")[2:3] != ["sns"]:
            raise DeliveryError(
                "NO_RESOURCE", f"{action_arn} is no topic; other actions do not run"
            )
        self._targets.check(alarm_arn, action_arn, CLOUDWATCH)

    def _heard(self, series: Series) -> None:
        gauge = self._queues.gauge(series)
        cause = self._world.journal.cause if gauge is None else gauge.cause
        self._causes[series] = cause or self._causes.get(series)
        for name in sorted(self._watching.get(series, ())):
            self._look_soon(name)

    def _look_soon(self, name: str) -> None:
        """Look at an alarm once all that happens at this instant has happened."""
        if name not in self._looking:
            self._looking.add(name)
            self._world.clock.after(0, partial(self._look, name))

    def _look(self, name: str) -> None:
        self._looking.discard(name)
        self._due.pop(name, None)
        alarm = self._monitoring.alarm(name)
        if alarm is None:  # deleted
            return
        now = self._world.clock.now()
        for minute in self._minutes(alarm, minute_of(now) + 1):
            verdict = evaluate(alarm, self._window(alarm), minute, now)
            if verdict is not None and verdict.state != alarm.state:
                self._due[name] = minute
                turn = partial(self._turn, name, minute)
                seconds = minute * 60 - now.timestamp()
                self._world.clock.after(seconds, turn, background=verdict.state == _SILENT)
                return

    def _minutes(self, alarm: StoredAlarm, first: int) -> Iterator[int]:
        """The minutes at which the state can change, if nothing more happens."""
        length, stride = evaluation_range(alarm) + 1, step(alarm)
        starts = {first}
        gauge = self._queues.gauge(_series(alarm))
        if gauge is not None:
            starts.update(max(turn, first) for turn in gauge.turns())
            if alarm.metric == AGE and gauge.held:
                crossing = min(each.sent for each in gauge.held) + alarm.threshold
                starts.add(max(int(crossing // 60), first))
        done = first
        for start in sorted(starts):
            for minute in range(max(start, done), start + length):
                if minute % stride == 0:
                    yield minute
            done = max(done, start + length)

    def _window(self, alarm: StoredAlarm) -> Any:
        series, metrics = _series(alarm), self._world.metrics
        if self._queues.gauge(series) is not None:
            return partial(self._queues.between, series)

        def window(first: int, last: int) -> Statistics | None:
            return metrics.between(series, first, last, alarm.unit)

        return window

    def _turn(self, name: str, minute: int) -> None:
        alarm = self._monitoring.alarm(name)
        if alarm is None or self._due.get(name) != minute:
            return  # deleted, or another change was found since
        self._queues.fill(_series(alarm))
        now = self._world.clock.now()
        verdict = evaluate(alarm, self._window(alarm), minute, now)
        if verdict is not None and verdict.state != alarm.state:
            self._change(alarm, verdict)
        self._look(name)

    def _change(self, alarm: StoredAlarm, verdict: Verdict) -> None:
        self._monitoring.tell(alarm.name, verdict.state, verdict.reason, verdict.reason_data)
        after = self._monitoring.alarm(alarm.name)
        if after is not None:
            self._told[alarm.name] = after
            self._announce(alarm, after)

    def _announce(self, before: StoredAlarm, after: StoredAlarm) -> None:
        """Tell the default bus, and run the actions of the new state."""
        cause = self._causes.get(_series(after))
        self._bus.publish(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            state_change(before, after),
            resources=[after.arn],
            cause=cause,
        )
        actions = after.actions[after.state] if after.actions_enabled else ()
        for arn in actions:
            name = arn.rsplit(":", 1)[-1]
            with self._world.journal.entry("delivery", name, cause=cause) as entry:
                entry.detail.update(target=arn, alarm=after.name, state=after.state)
                try:
                    self.check(after.arn, arn)
                except DeliveryError as error:  # CloudWatch does not try again
                    entry.status = "lost"
                    entry.detail.update(error=error.code, message=str(error))
                else:
                    text = json.dumps(notification(before, after, self._world.account))
                    subject = _subject(after, self._world.region)
                    self._topics.published(Published(arn, text, subject))


def _series(alarm: StoredAlarm) -> Series:
    return Series.of(alarm.namespace, alarm.metric, alarm.dimensions)


def _region_name(region: str) -> str:
    return _REGIONS.get(region, region)


def _subject(alarm: StoredAlarm, region: str) -> str:
    ending = f'" in {_region_name(region)}'
    start = f'{alarm.state}: "{alarm.name}'
    return start[: SUBJECT.most - len(ending)] + ending


def state_change(before: StoredAlarm, after: StoredAlarm) -> dict[str, Any]:
    """The detail of "CloudWatch Alarm State Change"."""
    stat = {
        "metric": {
            "dimensions": dict(after.dimensions),
            "name": after.metric,
            "namespace": after.namespace,
        },
        "period": after.period,
        "stat": after.statistic,
    }
    if after.unit:
        stat["unit"] = after.unit
    metric_id = str(uuid.uuid5(uuid.NAMESPACE_URL, after.arn))
    configuration: dict[str, Any] = {
        "metrics": [{"id": metric_id, "metricStat": stat, "returnData": True}]
    }
    if after.description:
        configuration = {"description": after.description, **configuration}
    return {
        "alarmName": after.name,
        "configuration": configuration,
        "previousState": _state(before),
        "state": _state(after),
    }


def _state(alarm: StoredAlarm) -> dict[str, str]:
    state = {"reason": alarm.reason, "timestamp": stamp(alarm.since), "value": alarm.state}
    if alarm.reason_data not in {"", "{}"}:
        state["reasonData"] = alarm.reason_data
    return dict(sorted(state.items()))


def notification(before: StoredAlarm, after: StoredAlarm, account: str) -> dict[str, Any]:
    """What an action publishes to a topic."""
    extended = after.statistic.startswith("p")
    trigger: dict[str, Any] = {
        "MetricName": after.metric,
        "Namespace": after.namespace,
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        "ExtendedStatistic" if extended else "Statistic": (
            after.statistic if extended else after.statistic.upper()
        ),
        "Unit": after.unit,
        "Dimensions": [{"value": v, "name": k} for k, v in after.dimensions.items()],
        "Period": after.period,
        "EvaluationPeriods": after.periods,
        "DatapointsToAlarm": after.datapoints,
        "ComparisonOperator": after.comparison,
        "Threshold": after.threshold,
        "TreatMissingData": after.missing,
        "EvaluateLowSampleCountPercentile": "",
    }
    return {
        "AlarmName": after.name,
        "AlarmDescription": after.description or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(after.configured),
        "NewStateValue": after.state,
        "NewStateReason": after.reason,
        "StateChangeTime": stamp(after.since),
        "Region": _region_name(after.arn.split(":")[3]),
        "AlarmArn": after.arn,
        "OldStateValue": before.state,
        "OKActions": list(after.actions["OK"]),
        "AlarmActions": list(after.actions["ALARM"]),
        "InsufficientDataActions": list(after.actions[_SILENT]),
        "Trigger": trigger,
    }
