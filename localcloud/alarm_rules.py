"""How the state of a metric alarm follows from datapoints: pure, no clock and no cloud.

Citations: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" of the
CloudWatch User Guide, tables included: the window slides and is looked at every minute; more
datapoints than EvaluationPeriods are retrieved (the evaluation range), and missing ones are filled
in as few times as possible.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from localcloud.metrics import Statistics
from localcloud.wiring import StoredAlarm

Window = Callable[[int, int], Statistics | None]

# The guide's example retrieves 5 datapoints for 3 periods; the rule behind it is not published.
_MORE_RETRIEVED = 2
_DAY_MINUTES = 24 * 60
_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISONS = tuple(_COMPARISONS)


@dataclass(frozen=True)
class Verdict:
    """What an evaluation says: a state, why, and the StateReasonData (JSON)."""

    state: str
    reason: str
    reason_data: str


def evaluation_range(alarm: StoredAlarm) -> int:
    """How many minutes back an evaluation looks."""
    return (alarm.periods + _MORE_RETRIEVED) * alarm.period // 60


def step(alarm: StoredAlarm) -> int:
    """Minutes between evaluations: 1, or 60 where the periods together exceed a day."""
    return 60 if alarm.periods * alarm.period // 60 > _DAY_MINUTES else 1


def breaches(alarm: StoredAlarm, value: float) -> bool:
    """Whether a value is on the wrong side of the threshold."""
    return _COMPARISONS[alarm.comparison][0](value, alarm.threshold)


def judge(alarm: StoredAlarm, points: Sequence[bool | None]) -> str | None:
    """The state after an evaluation; None to keep the current one.

    Args:
        alarm: M of N, and how missing datapoints are treated.
        points: the evaluation range, newest first: breaching, not breaching, or None for missing.
    """
    real = [point for point in points if point is not None][: alarm.periods]
    lacking = alarm.periods - len(real)
    breaching = sum(real)
    if not lacking or alarm.missing in {"breaching", "notBreaching"}:
        breaching += lacking if alarm.missing == "breaching" else 0
        return "ALARM" if breaching >= alarm.datapoints else "OK"
    if breaching >= alarm.datapoints:
        return "ALARM"
    if False in real:
        return "OK"
    if alarm.missing == "ignore":
        return None
    # Nothing but breaching ones: an alarm once the oldest of them is at least M periods old.
    oldest = max((place for place, point in enumerate(points, start=1) if point), default=0)
    return "ALARM" if oldest >= alarm.datapoints else "INSUFFICIENT_DATA"


def evaluate(alarm: StoredAlarm, window: Window, minute: int, queried: datetime) -> Verdict | None:
    """Evaluate an alarm at the beginning of a minute; None to keep its state.

    Args:
        alarm: the alarm.
        window: statistics from one minute (since the epoch) to before another.
        minute: the minute at whose beginning the newest period ends.
        queried: the instant, for the reason's data.
    """
    length = alarm.period // 60
    starts = [minute - (place + 1) * length for place in range(alarm.periods + _MORE_RETRIEVED)]
    found = [_value(alarm, window(start, start + length)) for start in starts]
    state = judge(alarm, [None if each is None else breaches(alarm, each) for each in found])
    if state is None:
        return None
    real = [
        (start, value) for start, value in zip(starts, found, strict=True) if value is not None
    ][: alarm.periods]
    return Verdict(state, _reason(alarm, state, real), _data(alarm, real, queried))


def _value(alarm: StoredAlarm, statistics: Statistics | None) -> float | None:
    return None if statistics is None else statistics.of(alarm.statistic)


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def stamp(instant: datetime) -> str:
    """An instant as CloudWatch writes it: 2019-10-02T16:59:00.000+0000."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{instant.microsecond // 1000:03d}+0000"
    )


def _reason(alarm: StoredAlarm, state: str, real: Sequence[tuple[int, float]]) -> str:
    lacking = alarm.periods - len(real)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_counted(lacking, 'datapoint')} {_was(lacking)} unknown."
    if not real:
        treated = "Breaching" if alarm.missing == "breaching" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_counted(lacking, 'period')} "
            f"and {_counted(lacking, 'missing datapoint')} {_was(lacking)} treated as [{treated}]."
        )
    shown = [(minute, value) for minute, value in real if breaches(alarm, value)]
    shown = shown if state == "ALARM" and shown else list(real)
    listed = ", ".join(f"{value} ({_instant(m):%d/%m/%y %H:%M:%S})" for m, value in shown)
    words = _COMPARISONS[alarm.comparison][1]
    negated = "" if state == "ALARM" else "not "
    if state == "ALARM":
        least, change = alarm.datapoints, "OK -> ALARM"
    else:
        least, change = alarm.periods - alarm.datapoints + 1, "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(shown)} out of the last {alarm.periods} datapoints "
        f"[{listed}] {_was(len(shown))} {negated}{words} the threshold ({alarm.threshold}) "
        f"(minimum {_counted(least, 'datapoint')} for {change} transition)."
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _data(alarm: StoredAlarm, real: Sequence[tuple[int, float]], queried: datetime) -> str:
    """StateReasonData: datapoints oldest first in recentDatapoints, newest first where dated."""
    named = "extendedStatistic" if alarm.statistic.startswith("p") else "statistic"
    data: dict[str, object] = {"version": "1.0", "queryDate": stamp(queried)}
    if real:
        data["startDate"] = stamp(_instant(real[-1][0]))
    data |= {
        named: alarm.statistic,
        "period": alarm.period,
        "recentDatapoints": [value for _, value in reversed(real)],
        "threshold": alarm.threshold,
        "evaluatedDatapoints": [
            {"timestamp": stamp(_instant(minute)), "value": value} for minute, value in real
        ],
    }
    return json.dumps(data, separators=(",", ":"))
