"""What people were told of, in OperationsTable.

told#<digest of the thing>  told   claimed_at (epoch seconds), told, expires
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.adapters.scoring_table import KEPT
from signalbox.domain.telling import LEASE, Claim

_LOST = "ConditionalCheckFailedException"

Item = dict[str, dict[str, Any]]


class ToldTable:
    """A DynamoDB table with text keys ``pk`` and ``sk``, and ``expires`` as its lifetime."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def claim(self, thing: str, now: datetime) -> Claim:
        """Claim a thing unless it was told or is held; a claim older than ``LEASE`` holds nothing."""
        claimed_at = {"N": str(now.timestamp())}
        item = _key(thing) | {
            "thing": {"S": thing},
            "claimed_at": claimed_at,
            "told": {"BOOL": False},
            "expires": {"N": str(int((now + KEPT).timestamp()))},
        }
        with calling("dynamodb:PutItem", f"{self.name} {thing}"):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression=(
                        "attribute_not_exists(pk) OR (told = :no AND claimed_at <= :over)"
                    ),
                    ExpressionAttributeValues={
                        ":no": {"BOOL": False},
                        ":over": {"N": str((now - LEASE).timestamp())},
                    },
                    # Amazon DynamoDB Developer Guide, "Condition expressions": the item that stands
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as problem:
                if code_of(problem) != _LOST:
                    raise
                standing: Item = problem.response.get("Item") or {}
                return "told" if standing.get("told", {}).get("BOOL") else "held"
        return "claimed"

    def note(self, thing: str) -> None:
        """Note that a claimed thing was told."""
        with calling("dynamodb:UpdateItem", f"{self.name} {thing}"):
            self._table.update_item(
                TableName=self.name,
                Key=_key(thing),
                UpdateExpression="SET told = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )


def _key(thing: str) -> Item:
    digest = hashlib.sha256(thing.encode()).hexdigest()
    return {"pk": {"S": f"told#{digest}"}, "sk": {"S": "told"}}
