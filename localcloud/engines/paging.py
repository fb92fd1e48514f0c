"""Lists of SageMaker: what is asked for, in its order, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localcloud.wiring import Refused

_MOST = 100
Facts = Mapping[str, Any]


def page(
    member: str,
    found: Sequence[Facts],
    asked: Facts,
    summary: Callable[[Facts], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """The answer of a List operation: `MaxResults` of what was found, from `NextToken` on.

    Raises:
        Refused: the token is none of ours.
    """
    token = str(asked.get("NextToken") or "0")
    if not token.isdigit():
        raise Refused("ValidationException", "Invalid pagination token")
    first, most = int(token), int(asked.get("MaxResults") or _MOST)
    answer: dict[str, Any] = {member: [summary(each) for each in found[first : first + most]]}
    if first + most < len(found):
        answer["NextToken"] = str(first + most)
    return answer


def ordered(
    found: Sequence[Facts], asked: Facts, keys: Mapping[str, str], order: str = "Descending"
) -> list[Facts]:
    """In the order of `SortBy` (the first of `keys` if none is asked for) and `SortOrder`.

    Of what is equal the later counts as greater: virtual time may stand still between two.
    """
    by = keys[str(asked.get("SortBy") or next(iter(keys)))]
    backwards = str(asked.get("SortOrder") or order) == "Descending"
    placed = [(facts[by], place) for place, facts in enumerate(found)]
    return [found[place] for _, place in sorted(placed, reverse=backwards)]


def within(facts: Facts, asked: Facts, after: str, before: str, name: str = "CreationTime") -> bool:
    """Whether an instant lies between those that a request names."""
    low, high = asked.get(after), asked.get(before)
    return (low is None or facts[name] > aware(low)) and (high is None or facts[name] < aware(high))


def aware(instant: datetime) -> datetime:
    """An instant of a request, with its time zone."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
