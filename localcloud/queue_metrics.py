"""What SQS tells CloudWatch of its queues.

Citation: "Available CloudWatch metrics for Amazon SQS" of the SQS Developer Guide: counts as
messages come and go, and once a minute how many a queue holds, for six hours after its last use
or while it holds any.

A queue changes only when it is used, or when a message becomes visible at an instant that is
known. So nothing ticks: what was sampled is filled in at the next use, and what will be sampled
can be told beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from localcloud.metrics import Series, Statistics, minute_of
from localcloud.wiring import Held
from localcloud.world import World

_ACTIVE_MINUTES = 6 * 60
AGE = "ApproximateAgeOfOldestMessage"
GAUGES = {
    "ApproximateNumberOfMessagesVisible": "Count",
    "ApproximateNumberOfMessagesNotVisible": "Count",
    "ApproximateNumberOfMessagesDelayed": "Count",
    AGE: "Seconds",
}


class Gauge:
    """One queue as it was when last used.

    Args:
        minute: the minute of its first use: the first that is sampled.
    """

    def __init__(self, minute: int) -> None:
        self.used = minute
        self.unfilled = minute
        self.held: list[Held] = []
        self.cause: int | None = None

    def sample(self, metric: str, minute: int) -> float | None:
        """What is measured at the end of a minute; None once the queue counts as inactive."""
        if not self.held and minute >= self.used + _ACTIVE_MINUTES:
            return None
        end = (minute + 1) * 60.0
        if metric == AGE:
            return max((end - each.sent for each in self.held), default=0.0)
        delayed = sum(each.delayed_until > end for each in self.held)
        hidden = sum(each.visible_at > end >= each.delayed_until for each in self.held)
        return {
            "ApproximateNumberOfMessagesVisible": float(len(self.held) - delayed - hidden),
            "ApproximateNumberOfMessagesNotVisible": float(hidden),
            "ApproximateNumberOfMessagesDelayed": float(delayed),
        }[metric]

    def turns(self) -> Iterator[int]:
        """The minutes in which something changes without anybody using the queue."""
        for each in self.held:
            yield int(max(each.visible_at, each.delayed_until) // 60) + 1
        if not self.held:
            yield self.used + _ACTIVE_MINUTES


class QueueMetrics:
    """All queues of the account and region.

    Args:
        world: the cloud.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._gauges: dict[str, Gauge] = {}
        self._looking: set[str] = set()

    def used(
        self, queue_arn: str, metric: str | None, count: int, cause: int | None = None
    ) -> None:
        """A queue was used: count messages, and look at what it holds now."""
        name = queue_arn.rsplit(":", 1)[-1]
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = Gauge(minute_of(self._world.clock.now()))
        gauge.cause = cause or gauge.cause
        if metric is not None and count:
            self._world.metrics.put(
                "AWS/SQS", metric, {"QueueName": name}, 1.0, "Count", times=count
            )
        if name not in self._looking:
            self._looking.add(name)
            self._world.clock.after(0, partial(self._look, name, queue_arn))

    def gauge(self, series: Series) -> Gauge | None:
        """The queue that a series samples; None for any other series."""
        named = dict(series.dimensions)
        if (
            series.namespace != "AWS/SQS"
            or series.name not in GAUGES
            or set(named) != {"QueueName"}
        ):
            return None
        return self._gauges.get(named["QueueName"])

    def fill(self, series: Series) -> None:
        """Write down what was sampled up to now, if the series samples a queue."""
        if self.gauge(series) is not None:
            self._fill(dict(series.dimensions)["QueueName"])

    def fill_all(self) -> None:
        """Write down what was sampled of every queue up to now."""
        for name in list(self._gauges):
            self._fill(name)

    def _fill(self, name: str) -> None:
        gauge, metrics = self._gauges[name], self._world.metrics
        now = minute_of(self._world.clock.now())
        for minute in range(gauge.unfilled, now):
            for metric, unit in GAUGES.items():
                value = gauge.sample(metric, minute)
                if value is not None:
                    metrics.put("AWS/SQS", metric, {"QueueName": name}, value, unit, minute=minute)
        gauge.unfilled = max(gauge.unfilled, now)

    def _look(self, name: str, queue_arn: str) -> None:
        self._looking.discard(name)
        self._fill(name)
        gauge, metrics = self._gauges[name], self._world.metrics
        gauge.used = gauge.unfilled
        gauge.held = self._world.state.held(queue_arn)
        for metric in GAUGES:
            series = Series.of("AWS/SQS", metric, {"QueueName": name})
            if series in metrics.watched:
                metrics.heard(series)

    def between(self, series: Series, first: int, last: int) -> Statistics | None:
        """What was sampled, and what will be, from one minute to before another."""
        found = self._world.metrics.between(series, first, last) or Statistics()
        gauge = self.gauge(series)
        for minute in range(max(first, gauge.unfilled), last) if gauge is not None else ():
            value = gauge.sample(series.name, minute) if gauge is not None else None
            if value is not None:
                found.add(value)
        return found if found.count else None
