"""Promotions and claims in the table of operations.

promotion#<workload>  current          what serves, is under way and waits
promotion#<workload>  <promotion>      how a package's latest promotion ended
promotion#<workload>  told#…           the end of an attempt was told
promotion#<workload>  deploy#…         its deploy pipeline was called
package#<arn>         status#<status>  what the status asked for was done

All of it is kept: SageMaker tells of a package at every change of it, however late, and what a status asked
for must not be done again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.packages import promotion_of
from signalbox.contracts.promotion import Promotion, Standing
from signalbox.domain.claims import LEASE, Claim
from signalbox.errors import Transient

_CURRENT = "current"
_LOST = "ConditionalCheckFailedException"

Item = dict[str, dict[str, Any]]


class PromotionTable:
    """A DynamoDB table with text keys ``pk`` and ``sk``; what has no ``expires`` stays."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def standing(self, workload: str) -> Standing:
        """Return what serves, is under way and waits, as of now."""
        item = self._get(_pk(workload), _CURRENT)
        return Standing() if item is None else Standing.model_validate_json(item["told"]["S"])

    def change(self, workload: str, before: Standing, **changes: object) -> Standing:
        """Change it and return what stands.

        Raises:
            Transient: somebody else changed it.
        """
        after = before.model_copy(update={**changes, "revision": before.revision + 1})
        item = _key(_pk(workload), _CURRENT) | {
            "told": {"S": after.model_dump_json()},
            "revision": {"N": str(after.revision)},
        }
        old = {":old": {"N": str(before.revision)}}
        if not self._put(item, "attribute_not_exists(pk) OR revision = :old", old):
            raise Transient(f"{self.name} {_pk(workload)} was changed by somebody else")
        return after

    def ended(self, workload: str, promotion: Promotion) -> None:
        """Note how a package's promotion ended."""
        key = _key(_pk(workload), promotion_of(promotion.package))
        self._put(key | {"told": {"S": promotion.model_dump_json()}})

    def promotion(self, workload: str, package: str) -> Promotion | None:
        """Return how a package's latest promotion ended, or None."""
        item = self._get(_pk(workload), promotion_of(package))
        return None if item is None else Promotion.model_validate_json(item["told"]["S"])

    def claim(self, about: str, what: str, now: datetime) -> Claim:
        """Claim something, or learn that somebody has it or did it."""
        mine = _key(about, what) | _claimed(now)
        if self._put(mine, "attribute_not_exists(pk)"):
            return Claim("mine")
        known = self._get(about, what)
        if known is None:  # given back in between
            return Claim("busy")
        if "done_at" in known:
            return Claim("done")
        if now - datetime.fromisoformat(known["claimed_at"]["S"]) < LEASE:
            return Claim("busy")
        old = {":old": known["claimed_at"]}
        if not self._put(
            known | _claimed(now), "claimed_at = :old AND attribute_not_exists(done_at)", old
        ):
            return Claim("busy")
        return Claim("inherited", known["outcome"]["S"] if "outcome" in known else None)

    def keep(self, about: str, what: str, outcome: str) -> None:
        """Note what was found, on the way."""
        self._set(about, what, "outcome", outcome)

    def done(self, about: str, what: str, now: datetime) -> None:
        """Note that it is done."""
        self._set(about, what, "done_at", now.isoformat())

    def forget(self, about: str, what: str) -> None:
        """Take a claim or note back: it may be done again."""
        with calling("dynamodb:DeleteItem", f"{self.name} {about} {what}"):
            self._table.delete_item(TableName=self.name, Key=_key(about, what))

    def _set(self, about: str, what: str, name: str, text: str) -> None:
        with calling("dynamodb:UpdateItem", f"{self.name} {about} {what}"):
            self._table.update_item(
                TableName=self.name,
                Key=_key(about, what),
                UpdateExpression="SET #name = :text",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":text": {"S": text}},
            )

    def _put(self, item: Item, condition: str | None = None, values: Item | None = None) -> bool:
        """Write an item; False if a condition does not hold."""
        told: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            told["ExpressionAttributeValues"] = values
        where = f"{self.name} {item['pk']['S']} {item['sk']['S']}"
        with calling("dynamodb:PutItem", where):
            try:
                self._table.put_item(TableName=self.name, Item=item, **told)
            except ClientError as problem:
                if code_of(problem) != _LOST:
                    raise
                return False
        return True

    def _get(self, pk: str, sk: str) -> Item | None:
        with calling("dynamodb:GetItem", f"{self.name} {pk} {sk}"):
            answer = self._table.get_item(
                TableName=self.name, Key=_key(pk, sk), ConsistentRead=True
            )
        found: Item | None = answer.get("Item")
        return found


def _pk(workload: str) -> str:
    return f"promotion#{workload}"


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _claimed(now: datetime) -> Item:
    return {"claimed_at": {"S": now.isoformat()}}
