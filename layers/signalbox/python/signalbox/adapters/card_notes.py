"""What was said of model cards, in the operations table.

    card#<name>  draft             it was made, and its owner told
    card#<name>  filled            it was filled, and put up for review
    card#<name>  share#<stage>     what a stage's account has of it, and was told
    card#<name>  refused#<stage>   why AWS RAM does not share it with a stage's account
    card#<group> refused#<stage>   that the owner of the group's workload was told so

An item is written before its words go out, ``done`` after that. Whoever finds one that is not done waits
out its lease. Items stay: they say what stands.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.errors import Transient

LEASE = timedelta(seconds=90)
"""Longer than the doors of cards may run."""

_LOST = "ConditionalCheckFailedException"

Item = dict[str, dict[str, Any]]


class CardNotes:
    """The items ``card#…`` of a DynamoDB table with text keys ``pk`` and ``sk``."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def claim(self, card: str, what: str, grant: str, now: datetime) -> bool:
        """Claim to say something; False if exactly this was said.

        Raises:
            Transient: somebody else claims to, and may be at it.
        """
        item: Item = _key(card, what) | {
            "grant": {"S": grant},
            "claimed_at": {"N": str(now.timestamp())},
            "done": {"BOOL": False},
        }
        with calling("dynamodb:PutItem", f"{self.name} {card}"):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression=(
                        "attribute_not_exists(pk) OR #grant <> :grant "
                        "OR (#done = :no AND claimed_at < :over)"
                    ),
                    ExpressionAttributeNames={"#grant": "grant", "#done": "done"},
                    ExpressionAttributeValues={
                        ":grant": {"S": grant},
                        ":no": {"BOOL": False},
                        ":over": {"N": str((now - LEASE).timestamp())},
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as problem:
                if code_of(problem) != _LOST:
                    raise
                standing: Item = problem.response.get("Item", {})
            else:
                return True
        if not standing.get("done", {}).get("BOOL", False):
            raise Transient(
                f"{what} of model card {card} is being said by another invocation; its lease ends "
                f"after {LEASE.seconds} s"
            )
        return False

    def done(self, card: str, what: str) -> None:
        """Note that it was said."""
        with calling("dynamodb:UpdateItem", f"{self.name} {card}"):
            self._table.update_item(
                TableName=self.name,
                Key=_key(card, what),
                UpdateExpression="SET #done = :yes",
                ExpressionAttributeNames={"#done": "done"},
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )

    def grants(self, card: str) -> dict[str, str]:
        """Return by what it was about everything that is noted of a card."""
        return {str(item["sk"]["S"]): str(item["grant"]["S"]) for item in self._items(card)}

    def finished(self, card: str) -> frozenset[str]:
        """Return what of it was said to the end."""
        return frozenset(str(item["sk"]["S"]) for item in self._items(card) if item["done"]["BOOL"])

    def _items(self, card: str) -> list[Item]:
        with calling("dynamodb:Query", f"{self.name} {card}"):
            pages = self._table.get_paginator("query").paginate(
                TableName=self.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": _key(card, "")["pk"]},
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def forget(self, card: str, what: str) -> None:
        """Note that it holds no longer."""
        with calling("dynamodb:DeleteItem", f"{self.name} {card}"):
            self._table.delete_item(TableName=self.name, Key=_key(card, what))


def _key(card: str, what: str) -> Item:
    return {"pk": {"S": f"card#{card}"}, "sk": {"S": what}}
