"""Schedule expressions: cron(…), rate(…) and at(…), and when they are due next.

Citations: "Cron expressions reference" and "Rate expressions" of the EventBridge User Guide, "Schedule
types in EventBridge Scheduler" of its User Guide (also for time zones and daylight saving time).
Instants are aware datetimes; fields are read in the expression's time zone.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from localcloud.cron_fields import MONTHS, WEEKDAYS, InvalidExpression, values

__all__ = ["Expression", "InvalidExpression", "parse", "zone_of"]

_WRAPPED = re.compile(r"(cron|rate|at)\((.*)\)", re.ASCII)
_RATE = re.compile(r"([1-9]\d*) (minute|minutes|hour|hours|day|days)", re.ASCII)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class Expression(Protocol):
    """When something is due."""

    def next(self, after: datetime, since: datetime) -> datetime | None:
        """The first instant strictly later than `after`; None if there is none.

        Args:
            after: an instant.
            since: when the schedule began; rates are counted from there.
        """


@dataclass(frozen=True)
class Rate:
    """rate(value unit): at the schedule's beginning, and every period after it."""

    period: timedelta

    def next(self, after: datetime, since: datetime) -> datetime | None:
        """See `Expression`."""
        if after < since:
            return since
        return since + ((after - since) // self.period + 1) * self.period


@dataclass(frozen=True)
class At:
    """at(yyyy-mm-ddThh:mm:ss): once."""

    instant: datetime

    def next(self, after: datetime, since: datetime) -> datetime | None:
        """See `Expression`."""
        del since
        return self.instant if self.instant > after else None


@dataclass(frozen=True)
class Cron:
    """cron(minutes hours day-of-month month day-of-week year).

    Attributes:
        days: the days-of-month field, or None for "?".
        weekdays: the days-of-week field, or None for "?".
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: str | None
    months: tuple[int, ...]
    weekdays: str | None
    years: tuple[int, ...]
    zone: tzinfo

    def next(self, after: datetime, since: datetime) -> datetime | None:
        """See `Expression`.

        A local time that does not exist on the day clocks go forward is skipped, one that comes
        twice on the day they go back is due the first time only.
        """
        del since
        local = after.astimezone(self.zone).replace(tzinfo=None)
        for day in self._dates(local.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                    due = wall.astimezone(UTC)
                    exists = due.astimezone(self.zone).replace(fold=0) == wall
                    if due > after and exists:
                        return due
        return None

    def _dates(self, first: date) -> Iterator[date]:
        """Every matching day from `first` on."""
        for year in self.years:
            if year < first.year:
                continue
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self._days_of(year, month):
                    if date(year, month, day) >= first:
                        yield date(year, month, day)

    def _days_of(self, year: int, month: int) -> list[int]:
        last = calendar.monthrange(year, month)[1]
        if self.days is not None:
            return _by_day(self.days, year, month, last)
        return _by_weekday(str(self.weekdays), year, month, last)


def _weekday(year: int, month: int, day: int) -> int:
    """1 for Sunday to 7 for Saturday."""
    return date(year, month, day).isoweekday() % 7 + 1


def _by_day(field: str, year: int, month: int, last: int) -> list[int]:
    if field == "L":
        return [last]
    if field.endswith("W"):
        day = int(field[:-1])
        return [_nearest_working_day(year, month, day, last)] if day <= last else []
    return [day for day in values(field, 1, 31) if day <= last]


def _nearest_working_day(year: int, month: int, day: int, last: int) -> int:
    """The weekday (Monday to Friday) closest to a day, within the month."""
    weekday = _weekday(year, month, day)
    if weekday == 7:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < last else day - 2
    return day


def _by_weekday(field: str, year: int, month: int, last: int) -> list[int]:
    if "#" in field:
        wanted, _, nth = field.partition("#")
        found = _all_of(values(wanted, 1, 7, WEEKDAYS), year, month, last)
        return found[int(nth) - 1 : int(nth)]
    if field != "L" and field.endswith("L"):
        return _all_of(values(field[:-1], 1, 7, WEEKDAYS), year, month, last)[-1:]
    return _all_of((7,) if field == "L" else values(field, 1, 7, WEEKDAYS), year, month, last)


def _all_of(weekdays: tuple[int, ...], year: int, month: int, last: int) -> list[int]:
    return [day for day in range(1, last + 1) if _weekday(year, month, day) in weekdays]


def parse(text: str, zone: tzinfo = UTC) -> Expression:
    """Read an expression.

    Raises:
        InvalidExpression: it is none that AWS takes; the message names the field and the way out.

    >>> friday = parse("cron(0 18 ? * FRI *)")
    >>> friday.next(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
    '2026-01-02T18:00:00+00:00'
    """
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is None:
        raise InvalidExpression(f"{text!r} is none of cron(…), rate(…) and at(…)")
    kind, inside = wrapped.groups()
    if kind == "rate":
        return _rate(inside)
    return _at(inside, zone) if kind == "at" else _cron(inside, zone)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name.

    Raises:
        InvalidExpression: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = f"{name!r} is no time zone; take one such as Europe/Berlin"
        raise InvalidExpression(message) from error


def _rate(inside: str) -> Rate:
    found = _RATE.fullmatch(inside)
    if found is None:
        message = f"rate({inside}): takes a positive number and minutes, hours or days"
        raise InvalidExpression(message)
    count, unit = int(found[1]), found[2].removesuffix("s")
    if (count == 1) == found[2].endswith("s"):
        right = unit if count == 1 else f"{unit}s"
        raise InvalidExpression(f"rate({inside}): write rate({count} {right})")
    try:
        return Rate(timedelta(**{f"{unit}s": count}))
    except OverflowError as error:
        raise InvalidExpression(f"rate({inside}): is too long") from error


def _at(inside: str, zone: tzinfo) -> At:
    message = f"at({inside}): takes yyyy-mm-ddThh:mm:ss"
    if not _AT.fullmatch(inside):
        raise InvalidExpression(message)
    try:
        return At(datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidExpression(f"{message}, a time that exists") from error


def _cron(inside: str, zone: tzinfo) -> Cron:
    fields = inside.split()
    if len(fields) != 6:
        message = f"cron({inside}): takes six fields, not {len(fields)}: "
        raise InvalidExpression(f"{message}minutes hours day-of-month month day-of-week year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        message = "one of day-of-month and day-of-week is ?, and only one"
        raise InvalidExpression(f"cron({inside}): {message}")
    if days != "?":
        _check_days(days)
    else:
        _check_weekdays(weekdays)
    return Cron(
        values(minutes, 0, 59),
        values(hours, 0, 23),
        None if days == "?" else days,
        values(months, 1, 12, MONTHS),
        None if weekdays == "?" else weekdays,
        values(years, _FIRST_YEAR, _LAST_YEAR),
        zone,
    )


def _check_days(field: str) -> None:
    if field.endswith("W"):
        if len(values(field[:-1], 1, 31)) != 1 or not field[:-1].isdigit():
            raise InvalidExpression(f"{field}: before W stands one day of the month")
    elif field != "L":
        values(field, 1, 31)


def _check_weekdays(field: str) -> None:
    if "#" in field:
        day, _, nth = field.partition("#")
        if nth not in {"1", "2", "3", "4", "5"} or len(values(day, 1, 7, WEEKDAYS)) != 1:
            raise InvalidExpression(f"{field}: takes one day of the week, #, and 1 to 5")
    elif field != "L" and field.endswith("L"):
        if len(values(field[:-1], 1, 7, WEEKDAYS)) != 1:
            raise InvalidExpression(f"{field}: before L stands one day of the week")
    elif field != "L":
        if "/" in field:
            raise InvalidExpression(f"{field}: day-of-week takes no increments; list the days")
        values(field, 1, 7, WEEKDAYS)
