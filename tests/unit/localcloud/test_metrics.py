"""Embedded metrics, and what is kept of values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.metrics import Metrics, Series, Statistics, embedded, minute_of
from localcloud.seams import Monitoring

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def line(root: dict[str, Any] | None = None, **directive: Any) -> str:
    about = {
        "Namespace": "N",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "M", "Unit": "Count"}],
        **directive,
    }
    body = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [about]}, "service": "s", "M": 1}
    return json.dumps({**body, **(root or {})})


def test_a_line_of_powertools() -> None:
    assert list(embedded(line({"M": [1.0, 2.5]}))) == [
        ("N", "M", {"service": "s"}, "Count", [1.0, 2.5])
    ]


def test_every_dimension_set_counts() -> None:
    sets = [["service"], ["service", "zone"], []]
    found = list(embedded(line({"zone": "z"}, Dimensions=sets)))
    assert [each[2] for each in found] == [{"service": "s"}, {"service": "s", "zone": "z"}, {}]


def test_a_metric_without_a_unit() -> None:
    assert [each[3] for each in embedded(line(Metrics=[{"Name": "M"}]))] == ["None"]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"_aws": 1}',
        '{"_aws": {"CloudWatchMetrics": {}}}',
        '{"_aws": {"CloudWatchMetrics": [1]}}',
        line(Namespace=1),
        line(Dimensions="service"),
        line(Dimensions=["service"]),
        line(Dimensions=[["absent"]]),
        line(Dimensions=[[str(n) for n in range(31)]]),
        line(Metrics="M"),
        line(Metrics=["M"]),
        line(Metrics=[{"Name": "absent"}]),
        line({"M": "1"}),
        line({"M": True}),
        line({"M": [1, "2"]}),
        line({"M": []}),
        line({"M": [1] * 101}),
        line({"service": 5}),
    ],
)
def test_what_does_not_keep_to_the_specification_yields_nothing(text: str) -> None:
    assert list(embedded(text)) == []


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("Sum", 10.0), ("Average", 2.5), ("Minimum", 1.0), ("Maximum", 4.0), ("SampleCount", 4.0),
        ("p0", 1.0), ("p50", 2.5), ("p75", 3.25), ("p100", 4.0),
    ],
)  # fmt: skip
def test_statistics(statistic: str, value: float) -> None:
    found = Statistics()
    for each in (4.0, 2.0, 1.0, 3.0):
        found.add(each)
    assert found.of(statistic) == value


def test_a_statistic_set_has_no_percentile() -> None:
    assert Statistics(3, 6, 1, 3).of("p50") is None


def test_values_are_found_by_minute_dimensions_and_unit() -> None:
    metrics = Metrics(lambda: NOW, Monitoring("123456789012", "eu-west-1"))
    now = minute_of(NOW)
    metrics.put("N", "M", {"a": "1", "b": "2"}, 5, "Count")
    metrics.put("N", "M", {"b": "2", "a": "1"}, 7, "Seconds", minute=now - 2)
    series = Series.of("N", "M", {"b": "2", "a": "1"})
    both = metrics.between(series, now - 2, now + 1)
    assert both is not None
    assert (both.total, both.count) == (12, 2)
    counted = metrics.between(series, now - 2, now + 1, "Count")
    assert counted is not None
    assert counted.total == 5
    assert metrics.between(series, now - 2, now, "Count") is None
    assert metrics.between(Series.of("N", "M", {"a": "1"}), 0, now + 1) is None


def test_watchers_hear_of_their_series_only() -> None:
    metrics = Metrics(lambda: NOW, Monitoring("123456789012", "eu-west-1"))
    heard: list[Series] = []
    metrics.heard = heard.append
    wanted = Series.of("N", "M", {})
    metrics.watched.add(wanted)
    metrics.put("N", "M", {}, 1)
    metrics.put("N", "Other", {}, 1)
    assert heard == [wanted]
