"""SageMaker model cards: versions, statuses, events and lists.

Citations: Create-, Update-, Describe-, List- and DeleteModelCard(Versions) of the SageMaker API
Reference; "Amazon SageMaker Model Cards" of its Developer Guide ("Any edits other than an approval
status update made to a model card result in additional model card versions"); "Model card state
change" of "Events that Amazon SageMaker AI sends to Amazon EventBridge". Who of another account may
do what is for the guard to say, from the share (`localcloud.shares`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.card_exports import CardExports
from localcloud.engines.card_schema import metadata_of, wrong_with
from localcloud.engines.cards_asked import (
    CARD_NAME,
    Page,
    chosen,
    instant,
    invalid,
    must_be,
    must_match,
)
from localcloud.seams import Cards
from localcloud.sharing import Asked, Card, CardVersion
from localcloud.wiring import Refused
from localcloud.world import World

STATUSES = ("Draft", "PendingReview", "Approved", "Archived")


class ModelCards:
    """Model cards of every account.

    Args:
        world: the cloud.
        bus: where state changes go.
    """

    def __init__(self, world: World, bus: Bus) -> None:
        self._world = world
        self._bus = bus
        self._cards = Cards(world.region)
        self._lock = threading.RLock()
        exports = CardExports(world, self._card, self._lock)
        self._operations: dict[str, Callable[[Asked, int | None], dict[str, Any]]] = {
            "CreateModelCard": self._create,
            "CreateModelCardExportJob": exports.create,
            "DeleteModelCard": self._delete,
            "DescribeModelCard": self._describe,
            "DescribeModelCardExportJob": exports.describe,
            "ListModelCardExportJobs": exports.listed,
            "ListModelCardVersions": self._list_versions,
            "ListModelCards": self._list,
            "UpdateModelCard": self._update,
        }

    def answer(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """The answer to a request; `cause` is the record behind it.

        Raises:
            Refused: the service's error.
        """
        with self._lock:
            return self._operations[asked.operation](asked, cause)

    def _create(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        members = asked.members
        must_match("modelCardName", members["ModelCardName"], CARD_NAME)
        status = must_be("modelCardStatus", members["ModelCardStatus"], STATUSES)
        content = _content(members["Content"])
        name, now = str(members["ModelCardName"]), self._now()
        cards = self._cards.of(asked.account)
        if name in cards:
            raise Refused("ConflictException", f"Model card {name} already exists.")
        card = Card(
            name,
            f"arn:aws:sagemaker:{self._world.region}:{asked.account}:model-card/{name}",
            asked.account,
            now,
            security=dict(members.get("SecurityConfig", {})),
            tags=list(members.get("Tags", [])),
            versions=[CardVersion(1, content, status, now, now)],
        )
        cards[name] = card
        self._tell(card, cause)
        return {"ModelCardArn": card.arn}

    def _update(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        card, members = self._card(asked), asked.members
        content, status = members.get("Content"), members.get("ModelCardStatus")
        if (content is None) == (status is None):
            what = "both" if content is not None else "neither"
            raise invalid(
                f"You cannot update {what} of model card content and model card status in a "
                "single call: name one of them."
            )
        now, last = self._now(), card.latest
        if status is not None:
            last.status = must_be("modelCardStatus", status, STATUSES)
            last.modified = now
        else:
            if last.status == "Archived":
                raise Refused("ConflictException", "Model Card is in Archived state.")
            new = CardVersion(last.number + 1, _content(content), last.status, now, now)
            card.versions.append(new)
        self._tell(card, cause)
        return {"ModelCardArn": card.arn}

    def _describe(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        card = self._card(asked)
        version = chosen(card, asked.members.get("ModelCardVersion"))
        data = must_be(
            "includedData", asked.members.get("IncludedData", "AllData"),
            ("AllData", "MetadataOnly"),
        )  # fmt: skip
        content = version.content if data == "AllData" else metadata_of(version.content)
        answer = {
            **_summary(card, version),
            "ModelCardVersion": version.number,
            "Content": content,
            "CreatedBy": {},  # only users of a SageMaker domain are told of
            "LastModifiedBy": {},
        }
        return {**answer, "SecurityConfig": card.security} if card.security else answer

    def _delete(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        must_match("modelCardName", asked.members["ModelCardName"], CARD_NAME)
        card = self._card(asked)
        if any(job["Status"] == "InProgress" for job in card.exports.values()):
            raise Refused("ConflictException", f"Model card {card.name} is being exported.")
        del self._cards.of(card.account)[card.name]
        self._world.shares.forget(card.arn, self._now())
        return {}

    def _list(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        cards = self._cards.of(asked.account).values()
        found = [_summary(card, card.latest) for card in cards]
        page = Page("ModelCardSummaries", name="ModelCardName", sorts=("CreationTime", "Name"))
        return page.answer(found, asked.members)

    def _list_versions(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        card = self._card(asked)
        found = [
            {
                **_summary(card, version),
                "ModelCardVersion": version.number,
                "CreationTime": instant(version.created),
            }
            for version in card.versions
        ]
        page = Page("ModelCardVersionSummaryList", name="ModelCardVersion", sorts=("Version",))
        return page.answer(found, asked.members)

    def _card(self, asked: Asked) -> Card:
        """The card that a request names by name or ARN.

        Raises:
            Refused: ResourceNotFound, or the name is none.
        """
        named = str(asked.members["ModelCardName"])
        if named.startswith("arn:"):
            card = self._cards.find(named) if "/export-job/" not in named else None
        else:
            must_match("modelCardName", named, CARD_NAME)
            card = self._cards.of(asked.account).get(named)
        if card is None:
            raise Refused("ResourceNotFound", f"Model card {named} does not exist.")
        return card

    def _tell(self, card: Card, cause: int | None) -> None:
        self._bus.publish(
            "aws.sagemaker",
            "SageMaker Model Card State Change",
            _detail(card),
            resources=[card.arn],
            cause=cause,
            account=card.account,
        )

    def _now(self) -> float:
        return self._world.clock.stamp().timestamp()


def _content(given: Any) -> str:
    content = str(given)
    if wrong := wrong_with(content):
        raise invalid(wrong)
    return content


def _summary(card: Card, version: CardVersion) -> dict[str, Any]:
    return {
        "ModelCardName": card.name,
        "ModelCardArn": card.arn,
        "ModelCardStatus": version.status,
        "CreationTime": instant(card.created),
        "LastModifiedTime": instant(version.modified),
    }


def _detail(card: Card) -> Mapping[str, Any]:
    """What the event tells; a card whose content names no model has no ModelId."""
    last = card.latest
    model = json.loads(last.content).get("model_overview", {}).get("model_id")
    return {
        "ModelCardVersion": last.number,
        "ModelCardName": card.name,
        "ModelCardStatus": last.status,
        **({} if model is None else {"ModelId": model}),
        "AccountId": card.account,
        "SecurityConfig": card.security,
        "CreationTime": _iso(card.created),
        "LastModifiedTime": _iso(last.modified),
        "CreatedBy": {},
        "LastModifiedBy": {},
    }


def _iso(seconds: float) -> str:
    return instant(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
