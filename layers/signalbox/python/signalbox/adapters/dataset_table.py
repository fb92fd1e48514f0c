"""What the latest run of each kind consumed, and, as ``trained``, the latest training run that succeeded.

<kind>#<workload>  latest   run, inputs (an S3 URI), at
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.datasets import Consumed, Trained
from signalbox.contracts.operation_keys import DatasetKind

_LATEST = "latest"


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
        if item is None:
            return None
        return Consumed(
            run=item["run"]["S"],
            inputs=item["inputs"]["S"],
            at=datetime.fromisoformat(item["at"]["S"]),
        )

    def remember(self, kind: DatasetKind | Trained, workload: str, consumed: Consumed) -> None:
        """Note what a run was given, unless a later run was noted already."""
        item = {
            "pk": {"S": f"{kind}#{workload}"},
            "sk": {"S": _LATEST},
            "run": {"S": consumed.run},
            "inputs": {"S": consumed.inputs},
            "at": {"S": consumed.at.isoformat()},
        }
        with calling("dynamodb:PutItem", f"{self.name} {kind}#{workload}"):
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
