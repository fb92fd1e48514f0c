"""What is known of every unit of a fleet: its record, and its faults."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.fleet import FaultRecord, UnitRecord

LOST = "ConditionalCheckFailedException"
_REGISTRY = "registry"
_FAULT = "fault#"

Item = dict[str, dict[str, Any]]


class FleetTable:
    """A DynamoDB table: ``pk`` is ``<workload>#<unit>``, ``sk`` ``registry`` or ``fault#<failed_at>``.

    ``order`` keeps which file an item is from; a fault that was withdrawn stays, marked as such.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def merge(self, workload: str, record: UnitRecord | FaultRecord, order: str) -> bool:
        """Write a record unless a newer one stands; return whether it stands now."""
        key = {"pk": {"S": f"{workload}#{record.unit}"}, "sk": {"S": _sort_key(record)}}
        told = record.model_dump(mode="json", exclude_none=True)
        item: Item = {
            name: {"BOOL": value} if isinstance(value, bool) else {"S": value}
            for name, value in told.items()
        }
        with calling("dynamodb:PutItem", self._row(workload, record.unit)):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item | key | {"order": {"S": order}},
                    ConditionExpression="attribute_not_exists(pk) OR #order <= :order",
                    ExpressionAttributeNames={"#order": "order"},
                    ExpressionAttributeValues={":order": {"S": order}},
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise
                return False
        return True

    def unit(self, workload: str, unit: str) -> UnitRecord | None:
        """Return what is known of a unit, as of now, or None."""
        key = {"pk": {"S": f"{workload}#{unit}"}, "sk": {"S": _REGISTRY}}
        with calling("dynamodb:GetItem", self._row(workload, unit)):
            answer = self._table.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        found = answer.get("Item")
        return None if found is None else UnitRecord.model_validate(_values(found))

    def faults(self, workload: str, unit: str) -> list[FaultRecord]:
        """Return the faults of a unit that were not withdrawn, oldest first."""
        found: list[Item] = []
        with calling("dynamodb:Query", self._row(workload, unit)):
            pages = self._table.get_paginator("query").paginate(
                TableName=self.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :fault)",
                ExpressionAttributeValues={
                    ":pk": {"S": f"{workload}#{unit}"},
                    ":fault": {"S": _FAULT},
                },
                ConsistentRead=True,
            )
            for page in pages:
                found.extend(page["Items"])
        faults = [FaultRecord.model_validate(_values(item)) for item in found]
        return [fault for fault in faults if not fault.withdrawn]

    def _row(self, workload: str, unit: str) -> str:
        return f"{self.name} {workload}#{unit}"


def _sort_key(record: UnitRecord | FaultRecord) -> str:
    if isinstance(record, UnitRecord):
        return _REGISTRY
    # always in UTC and to the microsecond: text order is time order, and one instant one item
    return _FAULT + record.failed_at.astimezone(UTC).isoformat(timespec="microseconds")


def _values(item: Item) -> dict[str, Any]:
    return {name: value.get("S", value.get("BOOL")) for name, value in item.items()}
