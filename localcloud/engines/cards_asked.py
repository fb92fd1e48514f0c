"""What requests about model cards may say, and how their lists are made.

Citations: the shapes of botocore's model of SageMaker (EntityName, ModelCardNameOrArn, S3Uri,
MaxResults) and the List operations' pages of its API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.sharing import Card, CardVersion
from localcloud.wiring import Refused

CARD_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
_MOST_LISTED = 100
_EQUAL = {"ModelCardStatus": "ModelCardStatus", "StatusEquals": "Status",
          "ModelCardVersion": "ModelCardVersion"}  # fmt: skip


def instant(seconds: float) -> datetime:
    """Epoch seconds as answers have them."""
    return datetime.fromtimestamp(seconds, UTC)


def invalid(message: str) -> Refused:
    """A ValidationException."""
    return Refused("ValidationException", message)


def must_match(member: str, value: Any, pattern: str) -> None:
    """Patterns of the API Reference, which clients do not check.

    Raises:
        Refused: ValidationException.
    """
    if not re.fullmatch(pattern, str(value)):
        raise invalid(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {pattern}"
        )


def must_be(member: str, value: Any, allowed: Sequence[str]) -> str:
    """A value of an enumeration.

    Raises:
        Refused: ValidationException.
    """
    if value not in allowed:
        raise invalid(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(allowed)}]"
        )
    return str(value)


def chosen(card: Card, number: Any) -> CardVersion:
    """A version of a card, the latest if none is named.

    Raises:
        Refused: ResourceNotFound.
    """
    if number is None:
        return card.latest
    for version in card.versions:
        if version.number == number:
            return version
    message = f"Model card {card.name} has no version {number}."
    raise Refused("ResourceNotFound", message)


@dataclass(frozen=True)
class Page:
    """How one List operation answers.

    Attributes:
        member: of the answer, that holds the list.
        name: the fact that names an entry: what it is sorted by where the request says so, and what
            NameContains looks at.
        sorts: what SortBy may be, the default first.
        created: the fact that tells when an entry was made.
    """

    member: str
    name: str
    sorts: tuple[str, ...]
    created: str = "CreationTime"

    def answer(
        self, found: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The entries that a request wants, one page of them.

        Raises:
            Refused: ValidationException.
        """
        by = must_be("sortBy", asked.get("SortBy", self.sorts[0]), self.sorts)
        orders = ("Ascending", "Descending")
        order = must_be("sortOrder", asked.get("SortOrder", "Descending"), orders)
        token, most = str(asked.get("NextToken", "0")), int(asked.get("MaxResults", _MOST_LISTED))
        if not token.isdigit() or not 1 <= most <= _MOST_LISTED:
            raise invalid(f"NextToken {token!r} or MaxResults {most} is not valid")
        key = {"CreationTime": self.created, "Status": "Status"}.get(by, self.name)
        wanted = [each for each in found if self._wants(each, asked)]
        wanted.sort(key=lambda each: each[key], reverse=order == "Descending")
        first = int(token)
        answer: dict[str, Any] = {self.member: wanted[first : first + most]}
        if first + most < len(wanted):
            answer["NextToken"] = str(first + most)
        return answer

    def _wants(self, entry: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
        part = asked.get("NameContains") or asked.get("ModelCardExportJobNameContains") or ""
        if str(part).lower() not in str(entry[self.name]).lower():
            return False
        if any(asked.get(member) not in {None, entry.get(fact)} for member, fact in _EQUAL.items()):
            return False
        after, before = asked.get("CreationTimeAfter"), asked.get("CreationTimeBefore")
        created = entry[self.created]
        return (after is None or created > _aware(after)) and (
            before is None or created < _aware(before)
        )


def _aware(given: datetime) -> datetime:
    return given if given.tzinfo else given.replace(tzinfo=UTC)
