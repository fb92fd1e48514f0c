"""What SageMaker keeps by name, in moto: what Describe answers, tags, and how lists are made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError

_MOST_LISTED = 100


class Stored:
    """A job, model, endpoint or configuration as moto keeps it; `facts` is what Describe answers."""

    def __init__(self, arn: str, facts: dict[str, Any], tags: list[dict[str, str]]) -> None:
        self.arn = arn
        self.facts = facts
        self.tags = tags


@dataclass(frozen=True)
class Listing:
    """How one List operation answers.

    Attributes:
        member: of the answer, that holds the list.
        name: the fact that NameContains looks at.
        summary: makes an entry of facts.
        order: sort order where the request names none.
        status: the fact that StatusEquals looks at; "" where there is none.
        statuses: the values it may have.
    """

    member: str
    name: str
    summary: Callable[[Mapping[str, Any]], dict[str, Any]]
    order: str
    status: str = ""
    statuses: Sequence[str] = ()

    def answer(self, stored: Sequence[dict[str, Any]], asked: Mapping[str, Any]) -> ActionResult:
        """The answer to a request.

        Raises:
            ValidationError: it asks for what there is not.
        """
        keys = {"Name": self.name, "CreationTime": "CreationTime"}
        if self.status:
            keys["Status"] = self.status
        by = keys.get(str(asked.get("SortBy") or "CreationTime"))
        order = str(asked.get("SortOrder") or self.order)
        status = asked.get("StatusEquals")
        token = str(asked.get("NextToken") or "0")
        if (
            by is None
            or order not in {"Ascending", "Descending"}
            or (status and status not in self.statuses)
            or not token.isdigit()
        ):
            raise ValidationError(f"{asked} is no valid request")
        found = [facts for facts in stored if self._wanted(facts, asked)]
        found.sort(key=lambda facts: facts[by], reverse=order == "Descending")
        first, most = int(token), int(asked.get("MaxResults") or _MOST_LISTED)
        answer: dict[str, Any] = {
            self.member: [self.summary(each) for each in found[first : first + most]]
        }
        if first + most < len(found):
            answer["NextToken"] = str(first + most)
        return ActionResult(answer)

    def _wanted(self, facts: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
        if asked.get("NameContains") and asked["NameContains"] not in facts[self.name]:
            return False
        if asked.get("StatusEquals") and asked["StatusEquals"] != facts[self.status]:
            return False
        for name in ("CreationTime", "LastModifiedTime"):
            after, before = asked.get(f"{name}After"), asked.get(f"{name}Before")
            if after is not None and facts[name] <= _aware(after):
                return False
            if before is not None and facts[name] >= _aware(before):
                return False
        return True


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
