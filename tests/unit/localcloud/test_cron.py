"""Schedule expressions: against AWS's own examples, and against every minute tried one by one."""

from __future__ import annotations

import calendar
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.cron import InvalidExpression, parse, zone_of
from tests.pace import SOAK

START = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
checked = settings(deadline=None, max_examples=60)

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def fires(text: str, count: int, start: datetime = START, zone: str = "UTC") -> list[str]:
    expression, found, after = parse(text, zone_of(zone)), [], start
    for _ in range(count):
        due = expression.next(after, start)
        if due is None:
            break
        found.append(due.strftime("%Y-%m-%d %H:%M"))
        after = due
    return found


@pytest.mark.parametrize(
    ("text", "first"),
    [  # the examples of "Cron expressions reference", and each wildcard
        ("cron(0 10 * * ? *)", ["2026-01-01 10:00", "2026-01-02 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-01 12:15", "2026-01-02 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-01-01 08:00", "2026-02-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01 00:10", "2026-01-01 00:20"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01 08:00", "2026-01-01 08:05"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", None),  # refused: ranges do not wrap here
        ("cron(15 10 ? * 6L 2026-2027)", ["2026-01-30 10:15", "2026-02-27 10:15"]),
        ("cron(0 9 ? * 3#2 *)", ["2026-01-13 09:00", "2026-02-10 09:00"]),
        ("cron(0 9 ? * TUE#5 *)", ["2026-03-31 09:00", "2026-06-30 09:00"]),
        ("cron(0 9 L * ? *)", ["2026-01-31 09:00", "2026-02-28 09:00"]),
        ("cron(0 9 3W * ? *)", ["2026-01-02 09:00", "2026-02-03 09:00"]),
        ("cron(0 9 1W 2,3,8 ? *)", ["2026-02-02 09:00", "2026-03-02 09:00", "2026-08-03 09:00"]),
        ("cron(0 9 31W 5 ? *)", ["2026-05-29 09:00", "2027-05-31 09:00"]),
        ("cron(0 9 31W 2 ? *)", []),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 0 1 JAN,JUL ? 2027)", ["2027-01-01 00:00", "2027-07-01 00:00"]),
        ("cron(59 23 31 12 ? 2199)", ["2199-12-31 23:59"]),
        ("cron(0 0 1 1 ? 1970)", []),
        ("rate(1 minute)", ["2026-01-01 00:01", "2026-01-01 00:02"]),
        ("rate(5 hours)", ["2026-01-01 05:00", "2026-01-01 10:00"]),
        ("at(2026-03-04T05:06:07)", ["2026-03-04 05:06"]),
        ("at(2025-03-04T05:06:07)", []),
    ],
)
def test_the_next_times_are_those_aws_documents(text: str, first: list[str] | None) -> None:
    if first is None:
        with pytest.raises(InvalidExpression, match="range"):
            parse(text)
    else:
        assert fires(text, max(len(first), 1)) == first


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 10 * * ? *", "none of cron"),
        ("cron(0 10 * * *)", "six fields, not 5"),
        ("cron(0 10 * * * *)", "only one"),
        ("cron(0 10 ? * ? *)", "only one"),
        ("cron(60 10 * * ? *)", "0-59, not 60"),
        ("cron(0 24 * * ? *)", "0-23"),
        ("cron(0 0 0 * ? *)", "1-31"),
        ("cron(0 0 * 13 ? *)", "1-12 or JAN-DEC"),
        ("cron(0 0 * jan ? *)", "JAN-DEC, not jan"),
        ("cron(0 0 ? * 8 *)", "1-7 or SUN-SAT"),
        ("cron(0 0 ? * 3#6 *)", "1 to 5"),
        ("cron(0 0 ? * 3#1,6#3 *)", "1 to 5"),
        ("cron(0 0 ? * MON/2 *)", "no increments"),
        ("cron(0 0 ? * MON,FRIL *)", "one day of the week"),
        ("cron(0 0 1,2W * ? *)", "one day of the month"),
        ("cron(0 0 LW * ? *)", "1-31"),
        ("cron(0/0 0 * * ? *)", "increment"),
        ("cron(? 0 * * ? *)", "takes numbers"),
        ("cron(0 0 * * ? 1969)", "1970-2199"),
        ("cron(0 0 * * ? 2200)", "1970-2199"),
        ("rate(1 minutes)", r"write rate\(1 minute\)"),
        ("rate(2 hour)", r"write rate\(2 hours\)"),
        ("rate(0 minutes)", "positive"),
        ("rate(5 weeks)", "minutes, hours or days"),
        ("rate(99999999999999 days)", "too long"),
        ("at(2026-02-30T00:00:00)", "exists"),
        ("at(2026-02-03)", "yyyy"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_the_way_out(text: str, reason: str) -> None:
    with pytest.raises(InvalidExpression, match=reason):
        parse(text)


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    for name in ("Europe/Nowhere", "", "../etc/passwd"):
        with pytest.raises(InvalidExpression, match="no time zone"):
            zone_of(name)


def test_a_rate_is_counted_from_the_schedules_beginning() -> None:
    rate = parse("rate(10 minutes)")
    since = START + timedelta(minutes=3)
    assert rate.next(START, since) == since
    assert rate.next(since, since) == since + timedelta(minutes=10)
    assert rate.next(since + timedelta(minutes=19), since) == since + timedelta(minutes=20)


def test_when_clocks_go_forward_a_time_is_skipped_and_when_they_go_back_it_comes_once() -> None:
    spring = datetime(2026, 3, 27, 12, tzinfo=UTC)  # Berlin: 2026-03-29 02:00 -> 03:00
    assert fires("cron(30 2 * * ? *)", 2, spring, "Europe/Berlin") == [
        "2026-03-28 01:30", "2026-03-30 00:30",
    ]  # fmt: skip
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)  # Berlin: 2026-10-25 03:00 -> 02:00
    assert fires("cron(30 2 * * ? *)", 2, autumn, "Europe/Berlin") == [
        "2026-10-25 00:30", "2026-10-26 01:30",
    ]  # fmt: skip


# ---- against every minute, tried one by one, by a reading of the fields of its own -------------


def listed(least: int, most: int, names: list[str] | None = None) -> st.SearchStrategy[str]:
    def word(number: int) -> str:
        return str(number) if names is None or number % 2 else names[number - least]

    number = st.integers(least, most)
    span = st.tuples(number, number).map(sorted)
    part = st.one_of(
        number.map(word),
        span.map(lambda ends: f"{word(ends[0])}-{word(ends[1])}"),
    )
    stepped = st.one_of(
        st.tuples(number, st.integers(1, max(2, most // 2))).map(lambda p: f"{p[0]}/{p[1]}"),
        st.integers(1, max(2, most // 2)).map(lambda step: f"*/{step}"),
        st.tuples(span, st.integers(1, 5)).map(lambda p: f"{p[0][0]}-{p[0][1]}/{p[1]}"),
    )
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join), stepped)


dates = st.one_of(
    st.tuples(listed(1, 31), st.just("?")),
    st.tuples(st.just("L"), st.just("?")),
    st.tuples(st.integers(1, 31).map(lambda day: f"{day}W"), st.just("?")),
    st.tuples(st.just("?"), listed(1, 7, DAYS).filter(lambda field: "/" not in field)),
    st.tuples(st.just("?"), st.integers(1, 7).map(lambda day: f"{day}L")),
    st.tuples(st.just("?"), st.just("L")),
    st.tuples(
        st.just("?"),
        st.tuples(st.sampled_from(DAYS), st.integers(1, 5)).map("{0[0]}#{0[1]}".format),
    ),
)
crons = st.tuples(listed(0, 59), listed(0, 23), dates, listed(1, 12, MONTHS), st.just("*")).map(
    lambda f: f"cron({f[0]} {f[1]} {f[2][0]} {f[3]} {f[2][1]} {f[4]})"
)


def in_list(value: int, field: str, least: int, most: int, names: list[str] | None = None) -> bool:
    def number(word: str) -> int:
        return names.index(word) + least if names and word in names else int(word)

    for part in field.split(","):
        span, _, step = part.partition("/")
        ends = [least, most] if span == "*" else [number(word) for word in span.split("-")]
        if len(ends) == 1:
            ends.append(most if step else ends[0])
        if ends[0] <= value <= ends[1] and (value - ends[0]) % int(step or 1) == 0:
            return True
    return False


def day_matches(when: datetime, day: str, weekday: str) -> bool:
    last = calendar.monthrange(when.year, when.month)[1]
    ours = (when.weekday() + 1) % 7 + 1
    if day == "L":
        return when.day == last
    if day.endswith("W"):
        wanted = int(day[:-1])
        working = [d for d in range(1, last + 1) if when.replace(day=d).weekday() < 5]
        return wanted <= last and when.day == min(
            working, key=lambda d: (abs(d - wanted), -d if d > wanted else d)
        )
    if day != "?":
        return in_list(when.day, day, 1, 31)
    if weekday == "L":
        return ours == 7
    if weekday.endswith("L"):
        return ours == int(weekday[:-1]) and when.day + 7 > last
    if "#" in weekday:
        name, nth = weekday.split("#")
        return DAYS[ours - 1] == name and (when.day - 1) // 7 + 1 == int(nth)
    return in_list(ours, weekday, 1, 7, DAYS)


def minute_matches(when: datetime, text: str) -> bool:
    minutes, hours, day, months, weekday, _ = text[5:-1].split()
    return (
        in_list(when.month, months, 1, 12, MONTHS)
        and day_matches(when, day, weekday)
        and in_list(when.hour, hours, 0, 23)
        and in_list(when.minute, minutes, 0, 59)
    )


instants = st.integers(0, 9 * 365 * 86_400).map(
    lambda seconds: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@checked
@given(text=crons, start=instants)
def test_the_next_time_is_later_and_matches_its_fields(text: str, start: datetime) -> None:
    due = parse(text).next(start, start)
    assert due is None or (due > start and due.second == 0 and minute_matches(due, text)), due


@checked
@given(text=crons, start=instants)
def test_no_time_is_left_out(text: str, start: datetime) -> None:
    minutes = 2880 if SOAK else 480
    end = start + timedelta(minutes=minutes)
    minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    tried = (minute + timedelta(minutes=n) for n in range(minutes))
    wanted = [each for each in tried if each <= end and minute_matches(each, text)]
    found, after, expression = [], start, parse(text)
    while (due := expression.next(after, start)) is not None and due <= end:
        found.append(due)
        after = due
    assert found == wanted


@checked
@given(text=crons, start=instants, zone=st.sampled_from(["Europe/Berlin", "America/New_York"]))
def test_in_a_time_zone_the_local_time_matches(text: str, start: datetime, zone: str) -> None:
    due = parse(text, zone_of(zone)).next(start, start)
    assert due is None or due > start
    assert due is None or minute_matches(due.astimezone(ZoneInfo(zone)), text)


@checked
@given(text=st.text(alphabet="cronate()0123456789*?,-/LW# JANMO", max_size=40))
def test_text_that_is_no_expression_is_refused_and_nothing_else_happens(text: str) -> None:
    for candidate in (text, f"cron({text})", f"rate({text})", f"at({text})"):
        with suppress(InvalidExpression):
            parse(candidate)
