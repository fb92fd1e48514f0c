"""One field of a cron expression: lists, ranges, increments and names.

Citation: "Cron expressions reference" of the EventBridge User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


class InvalidExpression(ValueError):  # noqa: N818 - as InvalidPattern
    """A schedule expression that AWS would refuse; says which field, and the way out."""


def values(field: str, least: int, most: int, names: Sequence[str] = ()) -> tuple[int, ...]:
    """All values of a field such as `0/15`, `MON-FRI` or `1,3-5`, sorted.

    Args:
        field: its text.
        least: the smallest value the field takes; the value of the first name.
        most: the largest.
        names: what may be written in place of numbers.

    Raises:
        InvalidExpression: it is none of these, or out of bounds.
    """
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            message = (
                f"{field}: takes numbers or names, lists (,), ranges (-), increments (/) and *"
            )
            raise InvalidExpression(message)
        whole, first, last, step = match.groups()
        begin = least if whole == "*" else _number(first, field, least, most, names)
        if last is not None:
            end = _number(last, field, least, most, names)
        else:
            end = most if whole == "*" or step is not None else begin
        if end < begin:
            raise InvalidExpression(f"{field}: a range goes from the smaller to the larger value")
        if step is not None and not 1 <= int(step) <= most:
            raise InvalidExpression(f"{field}: an increment is at least 1 and at most {most}")
        found.update(range(begin, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, field: str, least: int, most: int, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + least
    if not text.isdigit() or not least <= int(text) <= most:
        also = f" or {names[0]}-{names[-1]}" if names else ""
        raise InvalidExpression(f"{field}: takes {least}-{most}{also}, not {text}")
    return int(text)
