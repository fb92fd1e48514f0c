"""Metrics: what services, functions and logs measure, kept by the minute.

Citations: "Metrics concepts" of the CloudWatch User Guide; "Embedded metric format specification"
there for metrics that functions print; `MetricDatum` of botocore's cloudwatch model.
"""

from __future__ import annotations

import json
import math
import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.seams import Monitoring

_MINUTE_S = 60
_MOST_EMF_VALUES = 100
_MOST_EMF_DIMENSIONS = 30


@dataclass(frozen=True)
class Series:
    """One metric: a namespace, a name, and exactly these dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Series:
        """The series with these dimensions, in whatever order."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass
class Statistics:
    """What is kept of the values of a minute, or of a period.

    Attributes:
        values: how often each value occurred; empty for what arrived as a statistic set.
    """

    count: float = 0.0
    total: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    values: Counter[float] = field(default_factory=Counter)

    def add(self, value: float, times: float = 1.0) -> None:
        """Count a value so many times."""
        self.values[value] += int(times)
        self.merge(Statistics(times, value * times, value, value))

    def merge(self, other: Statistics) -> None:
        """Add other statistics to these."""
        self.count += other.count
        self.total += other.total
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self.values.update(other.values)

    def of(self, statistic: str) -> float | None:
        """One statistic: Sum, Average, Minimum, Maximum, SampleCount or a percentile (p99.9).

        None for a percentile of a statistic set, which has none.
        """
        if statistic.startswith("p"):
            return self._percentile(float(statistic[1:]))
        return {
            "Sum": self.total,
            "Average": self.total / self.count,
            "Minimum": self.least,
            "Maximum": self.most,
            "SampleCount": self.count,
        }[statistic]

    def _percentile(self, percent: float) -> float | None:
        values = sorted(self.values.elements())
        if not values:
            return None
        place = (len(values) - 1) * percent / 100
        low, high = math.floor(place), math.ceil(place)
        return values[low] + (values[high] - values[low]) * (place - low)


class Metrics:
    """All metrics of the account and region.

    Args:
        now: the virtual clock.
        monitoring: where they are shown, so that GetMetricStatistics sees them.

    Attributes:
        heard: called with a series in `watched` after a value arrived for it.
        watched: the series that somebody wants to hear of.
    """

    def __init__(self, now: Callable[[], datetime], monitoring: Monitoring) -> None:
        self._now = now
        self._monitoring = monitoring
        self._kept: dict[Series, dict[int, dict[str, tuple[Statistics, Any]]]] = defaultdict(dict)
        self._minutes: dict[Series, list[int]] = defaultdict(list)
        self._lock = threading.Lock()  # requests measure on the server's threads
        self.watched: set[Series] = set()
        self.heard: Callable[[Series], None] = lambda _: None

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        value: float,
        unit: str = "None",
        *,
        times: float = 1.0,
        minute: int | None = None,
    ) -> None:
        """Take a value, `times` times, for now or for a minute (since the epoch)."""
        statistics = Statistics()
        statistics.add(value, times)
        self.put_statistics(namespace, name, dimensions, statistics, unit, minute=minute)

    def put_statistics(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        statistics: Statistics,
        unit: str = "None",
        *,
        minute: int | None = None,
    ) -> None:
        """Take the statistics of several values."""
        series = Series.of(namespace, name, dimensions)
        minute = minute_of(self._now()) if minute is None else minute
        with self._lock:
            units = self._kept[series].get(minute)
            if units is None:
                units = self._kept[series][minute] = {}
                insort(self._minutes[series], minute)
            if unit not in units:
                at = datetime.fromtimestamp(minute * _MINUTE_S, UTC)
                shown = self._monitoring.show(namespace, name, dimensions, unit, at)
                units[unit] = (Statistics(), shown)
            kept, shown = units[unit]
            kept.merge(statistics)
            self._monitoring.set_datum(shown, kept.least, kept.most, kept.count, kept.total)
        if series in self.watched:
            self.heard(series)

    def between(
        self, series: Series, first: int, last: int, unit: str | None = None
    ) -> Statistics | None:
        """What was measured from minute `first` to before minute `last`; None for nothing."""
        found = Statistics()
        with self._lock:
            minutes = self._minutes.get(series, [])
            for place in range(bisect_left(minutes, first), bisect_left(minutes, last)):
                for own, (kept, _) in self._kept[series][minutes[place]].items():
                    if unit in (None, own):
                        found.merge(kept)
        return found if found.count else None

    def request(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """PutMetricData, validated before."""
        for datum in data:
            dimensions = {each["Name"]: each["Value"] for each in datum.get("Dimensions") or ()}
            minute = _minute_given(datum.get("Timestamp"))
            self.put_statistics(
                namespace, str(datum["MetricName"]), dimensions, _statistics(datum),
                str(datum.get("Unit") or "None"), minute=minute,
            )  # fmt: skip

    def line(self, line: str) -> None:
        """Take what a line of a log measures, if it is in embedded metric format.

        The values count for the virtual instant of the line, whatever its own Timestamp says.
        """
        if '"_aws"' in line:
            for namespace, name, dimensions, unit, values in embedded(line):
                for value in values:
                    self.put(namespace, name, dimensions, value, unit)


def minute_of(instant: datetime) -> int:
    """The minute since the epoch in which an instant lies."""
    return int(instant.timestamp() // _MINUTE_S)


def _minute_given(stamp: Any) -> int | None:
    if stamp is None or stamp == "":
        return None
    instant = stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp))
    return minute_of(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)


def _statistics(datum: Mapping[str, Any]) -> Statistics:
    """One value, values with counts, or a statistic set."""
    found = Statistics()
    if values := datum.get("Values"):
        counts = datum.get("Counts") or [1.0] * len(values)
        for value, count in zip(values, counts, strict=True):
            found.add(float(value), float(count))
    elif given := datum.get("StatisticValues"):
        numbers = [float(given[key]) for key in ("SampleCount", "Sum", "Minimum", "Maximum")]
        return Statistics(numbers[0], numbers[1], numbers[2], numbers[3])
    else:
        found.add(float(datum.get("Value") or 0.0))
    return found


Measured = tuple[str, str, dict[str, str], str, list[float]]


def embedded(line: str) -> Iterator[Measured]:
    """(namespace, name, dimensions, unit, values) of a line in embedded metric format.

    A directive that does not keep to the specification yields nothing, as in CloudWatch Logs: its
    members missing or of another type, a dimension that is no text, a value that is no number.
    """
    try:
        root = json.loads(line)
    except json.JSONDecodeError:
        return
    about = root.get("_aws") if isinstance(root, dict) else None
    directives = about.get("CloudWatchMetrics") if isinstance(about, dict) else None
    for directive in directives if isinstance(directives, list) else []:
        if isinstance(directive, dict) and isinstance(directive.get("Namespace"), str):
            for dimensions in _dimension_sets(root, directive):
                yield from _values(root, directive, dimensions)


def _dimension_sets(
    root: Mapping[str, Any], directive: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    sets = directive.get("Dimensions")
    for names in sets if isinstance(sets, list) else []:
        if isinstance(names, list) and len(names) <= _MOST_EMF_DIMENSIONS:
            found = {str(name): root.get(str(name)) for name in names}
            if all(isinstance(value, str) for value in found.values()):
                yield {name: str(value) for name, value in found.items()}


def _values(
    root: Mapping[str, Any], directive: Mapping[str, Any], dimensions: dict[str, str]
) -> Iterator[Measured]:
    metrics = directive.get("Metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        if not isinstance(metric, dict) or not isinstance(metric.get("Name"), str):
            continue
        value = root.get(metric["Name"])
        values = value if isinstance(value, list) else [value]
        numbers = [
            float(each)
            for each in values
            if isinstance(each, int | float) and not isinstance(each, bool)
        ]
        if numbers and len(numbers) == len(values) <= _MOST_EMF_VALUES:
            unit = str(metric.get("Unit") or "None")
            yield str(directive["Namespace"]), metric["Name"], dimensions, unit, numbers
