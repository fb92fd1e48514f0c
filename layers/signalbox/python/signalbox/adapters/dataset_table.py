"""What runs of each kind consumed, and, as ``trained``, the training runs that succeeded.

<kind>#<workload>  latest             run, inputs (an S3 URI), at, execution (its ARN)
<kind>#<workload>  run#<at>#<run>     the same, for a year
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.datasets import Consumed, Trained
from signalbox.contracts.operation_keys import DatasetKind

_LATEST = "latest"
KEPT = timedelta(days=365)


class DatasetTable:
    """A DynamoDB table with text keys ``pk`` and ``sk``."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def latest(self, kind: DatasetKind | Trained, workload: str) -> Consumed | None:
        """Return what the latest run of a kind was given, or None if there was none."""
        key = {"pk": {"S": f"{kind}#{workload}"}, "sk": {"S": _LATEST}}
        with calling("dynamodb:GetItem", f"{self.name} {kind}#{workload}"):
            answer = self._table.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else _consumed(item)

    def recent(self, kind: DatasetKind, workload: str, most: int) -> list[Consumed]:
        """Return what the latest runs of a kind were given, the latest first."""
        with calling("dynamodb:Query", f"{self.name} {kind}#{workload}"):
            answer = self._table.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :run)",
                ExpressionAttributeValues={
                    ":pk": {"S": f"{kind}#{workload}"},
                    ":run": {"S": "run#"},
                },
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=most,
            )
        return [_consumed(item) for item in answer["Items"]]

    def remember(self, kind: DatasetKind | Trained, workload: str, consumed: Consumed) -> None:
        """Note what a run was given; it is the latest unless a later run was noted already."""
        told = {
            "pk": {"S": f"{kind}#{workload}"},
            "run": {"S": consumed.run},
            "inputs": {"S": consumed.inputs},
            "at": {"S": consumed.at.isoformat()},
            "execution": {"S": consumed.execution},
        }
        item = told | {"sk": {"S": _LATEST}}
        own = {
            "sk": {"S": f"run#{consumed.at.isoformat()}#{consumed.run}"},
            "expires": {"N": str(int((consumed.at + KEPT).timestamp()))},
        }
        with calling("dynamodb:PutItem", f"{self.name} {kind}#{workload}"):
            self._table.put_item(TableName=self.name, Item=told | own)
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                    ExpressionAttributeNames={"#at": "at"},
                    ExpressionAttributeValues={":at": item["at"]},
                )
            except ClientError as problem:
                if code_of(problem) != "ConditionalCheckFailedException":
                    raise


def _consumed(item: dict[str, Any]) -> Consumed:
    return Consumed(
        run=item["run"]["S"],
        inputs=item["inputs"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
        execution=item.get("execution", {}).get("S", ""),  # an earlier release noted none
    )
