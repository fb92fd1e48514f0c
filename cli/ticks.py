"""Times as people read them: ticks on clock hours, on days and on months, all UTC."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000_000  # ns
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
CLOCK = (MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
         HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY)  # fmt: skip
DAYS = (DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Ticks = tuple[list[int], list[str]]


def moment(ns: int) -> datetime:
    """The UTC time of so many ns since 1970, microseconds kept."""
    return datetime.fromtimestamp(ns // SECOND, UTC).replace(microsecond=ns % SECOND // 1000)


def digits(value: float, significant: int = 6) -> str:
    """A number with so many significant digits, a true minus, and powers of ten as one writes them."""
    style = f".{significant}g"
    if 1000 <= abs(value) < 1e7:
        style = ",g" if significant >= 6 else ",.0f"
    mantissa, _, power = f"{value:{style}}".partition("e")
    text = f"{mantissa}·10{str(int(power)).translate(RAISED)}" if power else mantissa
    return text.replace("-", "−")


def day_text(ns: int) -> str:
    """``5 Jun 2024``."""
    t = moment(ns)
    return f"{t.day} {MONTH_NAMES[t.month - 1]} {t.year}"


def clock_text(ns: int) -> str:
    """``07:05``."""
    return f"{moment(ns):%H:%M}"


def lasting(ns: int) -> str:
    """A duration as a person says it: ``45 s``, ``24 min``, ``1 h 5 min``, ``3 d 4 h``."""
    seconds = round(ns / SECOND)
    if seconds < 90:
        return f"{seconds} s"
    whole = round(seconds / 60)
    if whole < 60:
        return f"{whole} min"
    if whole < 48 * 60:
        return _two(whole // 60, "h", whole % 60, "min")
    return _two(whole // 1440, "d", whole % 1440 // 60, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def clock_ticks(start: int, end: int, at_most: int) -> Ticks:
    """Ticks of a day or less, on full clock times."""
    step = next((s for s in CLOCK if (end - start) // s <= at_most), CLOCK[-1])
    places = list(range(-(-start // step) * step, end + 1, step))
    return places, [clock_text(place) for place in places]


def date_ticks(start: int, end: int, at_most: int) -> Ticks:
    """Ticks of any span: clock times, days or months, whichever leaves room for their labels."""
    if end - start <= 2 * DAY:
        places, labels = clock_ticks(start, end, at_most)
        named = [_day(p) if p % DAY == 0 else text for p, text in zip(places, labels, strict=True)]
        return places, named
    for step in DAYS:
        if (end - start) // step <= at_most:
            places = list(range(-(-start // step) * step, end + 1, step))
            return places, [_day(place) for place in places]
    return _month_ticks(start, end, at_most)


def _day(ns: int) -> str:
    return day_text(ns).rpartition(" ")[0]


def _month_ticks(start: int, end: int, at_most: int) -> Ticks:
    """Firsts of months; each January is told by its year."""
    a, b = moment(start), moment(end)
    first, last = a.year * 12 + a.month, b.year * 12 + b.month - 1
    step = next((s for s in MONTHS if (last - first) // s <= at_most), MONTHS[-1])
    months = range(-(-first // step) * step, last + 1, step)
    places = [
        int(datetime(m // 12, m % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND for m in months
    ]
    return places, [MONTH_NAMES[m % 12] if m % 12 else str(m // 12) for m in months]
