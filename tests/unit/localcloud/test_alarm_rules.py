"""The documented tables of alarm evaluation, and the words of its reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from localcloud.alarm_rules import evaluate, evaluation_range, judge, step
from localcloud.metrics import Statistics
from localcloud.wiring import StoredAlarm

NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
ALARM = StoredAlarm(
    name="a", arn="arn", description="", namespace="N", metric="M", dimensions={},
    statistic="Maximum", unit=None, period=60, periods=3, datapoints=3,
    comparison="GreaterThanThreshold", threshold=0.0, missing="missing", actions_enabled=True,
    actions={}, configured=NOW, state="OK", reason="", reason_data="", since=NOW,
)  # fmt: skip
WAYS = ("missing", "ignore", "breaching", "notBreaching")
SILENT = "INSUFFICIENT_DATA"


def judged(points: str, datapoints: int, periods: int = 3) -> list[str | None]:
    """The states for each way to treat missing data; points as the guide draws them."""
    newest_first = [{"0": False, "X": True, "-": None}[each] for each in reversed(points.split())]
    return [
        judge(replace(ALARM, datapoints=datapoints, periods=periods, missing=way), newest_first)
        for way in WAYS
    ]


@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", ["OK", "OK", "OK", "OK"]),
        ("- - - - 0", ["OK", "OK", "OK", "OK"]),
        ("0 - - - -", ["OK", "OK", "OK", "OK"]),
        ("- - - - -", [SILENT, None, "ALARM", "OK"]),
        ("0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("- - X - -", ["ALARM", None, "ALARM", "OK"]),
        ("X - - - -", ["ALARM", None, "ALARM", "OK"]),
        ("- - - - X", [SILENT, None, "ALARM", "OK"]),
        ("- - - X -", [SILENT, None, "ALARM", "OK"]),
        ("- - - X 0", ["OK", "OK", "OK", "OK"]),
        ("- - X - 0", ["OK", "OK", "OK", "OK"]),
    ],
)
def test_three_out_of_three(points: str, states: list[str | None]) -> None:
    assert judged(points, 3) == states


@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 - X - -", ["OK", "OK", "ALARM", "OK"]),
        ("- - - - 0", ["OK", "OK", "ALARM", "OK"]),
        ("- - - X -", ["ALARM", None, "ALARM", "OK"]),
        ("- - - - X", [SILENT, None, "ALARM", "OK"]),
        ("X X 0 0 0", ["OK", "OK", "OK", "OK"]),
    ],
)
def test_two_out_of_three(points: str, states: list[str | None]) -> None:
    assert judged(points, 2) == states


def test_one_of_one_looks_back_for_a_real_datapoint() -> None:
    assert judged("X - -", 1, 1) == ["ALARM"] * 4
    assert judged("X 0 -", 1, 1) == ["OK"] * 4


def window(**values: float):  # type: ignore[no-untyped-def]
    """Statistics with a value in each minute named as m<minutes ago>."""
    kept = {MINUTE - int(name[1:]): value for name, value in values.items()}

    def between(first: int, last: int) -> Statistics | None:
        found = Statistics()
        for minute, value in kept.items():
            if first <= minute < last:
                found.add(value)
        return found if found.count else None

    return between


def test_an_alarm_says_what_crossed_the_threshold() -> None:
    verdict = evaluate(ALARM, window(m1=3.0, m2=1.0, m3=2.0), MINUTE, NOW)
    assert verdict is not None
    assert verdict.state == "ALARM"
    assert verdict.reason == (
        "Threshold Crossed: 3 out of the last 3 datapoints [3.0 (01/01/26 00:09:00), "
        "1.0 (01/01/26 00:08:00), 2.0 (01/01/26 00:07:00)] were greater than the threshold (0.0) "
        "(minimum 3 datapoints for OK -> ALARM transition)."
    )
    assert json.loads(verdict.reason_data) == {
        "version": "1.0",
        "queryDate": "2026-01-01T00:10:00.000+0000",
        "startDate": "2026-01-01T00:07:00.000+0000",
        "statistic": "Maximum",
        "period": 60,
        "recentDatapoints": [2.0, 1.0, 3.0],
        "threshold": 0.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-01-01T00:09:00.000+0000", "value": 3.0},
            {"timestamp": "2026-01-01T00:08:00.000+0000", "value": 1.0},
            {"timestamp": "2026-01-01T00:07:00.000+0000", "value": 2.0},
        ],
    }


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("missing", "Insufficient Data: 1 datapoint was unknown."),
        (
            "notBreaching",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint "
            "was treated as [NonBreaching].",
        ),
        (
            "breaching",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint "
            "was treated as [Breaching].",
        ),
    ],
)
def test_silence_is_said_too(missing: str, reason: str) -> None:
    alarm = replace(ALARM, periods=1, datapoints=1, missing=missing)
    verdict = evaluate(alarm, window(), MINUTE, NOW)
    assert verdict is not None
    assert verdict.reason == reason


def test_going_back_says_what_did_not_cross() -> None:
    alarm = replace(ALARM, periods=1, datapoints=1)
    verdict = evaluate(alarm, window(m1=0.0), MINUTE, NOW)
    assert verdict is not None
    assert verdict.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (01/01/26 00:09:00)] was not "
        "greater than the threshold (0.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )


@pytest.mark.parametrize(
    ("statistic", "threshold", "state"),
    [
        ("Sum", 5.5, "ALARM"), ("Sum", 6.0, "OK"), ("Average", 1.9, "ALARM"),
        ("Average", 2.0, "OK"), ("Minimum", 0.9, "ALARM"), ("Maximum", 2.9, "ALARM"),
        ("SampleCount", 2.0, "ALARM"), ("p50", 1.9, "ALARM"), ("p50", 2.0, "OK"),
        ("p99", 2.9, "ALARM"), ("p0", 1.0, "OK"),
    ],
)  # fmt: skip
def test_statistics_of_a_period(statistic: str, threshold: float, state: str) -> None:
    alarm = replace(
        ALARM, period=300, periods=1, datapoints=1, statistic=statistic, threshold=threshold
    )
    verdict = evaluate(alarm, window(m1=1.0, m3=2.0, m5=3.0), MINUTE, NOW)
    assert verdict is not None
    assert verdict.state == state


@pytest.mark.parametrize(
    ("comparison", "state"),
    [
        ("GreaterThanThreshold", "OK"), ("GreaterThanOrEqualToThreshold", "ALARM"),
        ("LessThanThreshold", "OK"), ("LessThanOrEqualToThreshold", "ALARM"),
    ],
)  # fmt: skip
def test_comparisons_at_the_threshold(comparison: str, state: str) -> None:
    alarm = replace(ALARM, periods=1, datapoints=1, comparison=comparison, threshold=1.0)
    verdict = evaluate(alarm, window(m1=1.0), MINUTE, NOW)
    assert verdict is not None
    assert verdict.state == state


def test_how_far_and_how_often() -> None:
    assert evaluation_range(ALARM) == 5
    assert evaluation_range(replace(ALARM, period=300, periods=1)) == 15
    assert step(replace(ALARM, period=86_400, periods=1)) == 1
    assert step(replace(ALARM, period=86_400, periods=2)) == 60
