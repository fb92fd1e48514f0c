"""The table of backfill claims."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.objects import ObjectRef
from signalbox.domain.backfill import Claim, claim_id
from signalbox.errors import Transient

LOST = "ConditionalCheckFailedException"


class BackfillTable:
    """A DynamoDB table, one item for each version of a manifest; ``pk`` is bucket/key/version."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def claim(self, claim: Claim) -> Claim | None:
        """Write the claim if there is none; otherwise return the one that stands."""
        item = _item(claim)
        with calling("dynamodb:PutItem", self._row(claim)):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise
                return _claim(problem.response["Item"])
        return None

    def get(self, claim_id: str) -> Claim | None:
        """Return what is known of a manifest, as of now."""
        with calling("dynamodb:GetItem", f"{self.name} {claim_id}"):
            answer = self._table.get_item(
                TableName=self.name, Key={"pk": {"S": claim_id}}, ConsistentRead=True
            )
        return _claim(answer["Item"]) if "Item" in answer else None

    def renew(self, claim: Claim, now: datetime) -> Claim:
        """Take over an expired claim.

        Raises:
            Transient: somebody else did in the meantime.
        """
        return self._update(
            claim,
            replace(claim, claimed_at=now),
            "claimed_at = :old AND attribute_not_exists(job_run_id)",
            {":old": {"S": claim.claimed_at.isoformat()}},
        )

    def started(self, claim: Claim, job_run_id: str) -> Claim:
        """Note the run."""
        return self._update(claim, replace(claim, job_run_id=job_run_id), "attribute_exists(pk)")

    def announced(self, claim: Claim) -> None:
        """Note that BackfillStarted went out."""
        self._update(claim, replace(claim, announced=True), "attribute_exists(pk)")

    def reported(self, claim: Claim, job_run_id: str) -> None:
        """Note that everything about the end of this run went out."""
        self._update(claim, replace(claim, reported=job_run_id), "attribute_exists(pk)")

    def _update(
        self, old: Claim, new: Claim, condition: str, values: dict[str, Any] | None = None
    ) -> Claim:
        before, after = _item(old), _item(new)
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        with calling("dynamodb:UpdateItem", self._row(new)):
            try:
                self._table.update_item(
                    TableName=self.name,
                    Key={"pk": after["pk"]},
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                    ConditionExpression=condition,
                    ExpressionAttributeNames={f"#{name}": name for name in changed},
                    ExpressionAttributeValues={f":{n}": v for n, v in changed.items()}
                    | (values or {}),
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise
                raise Transient(f"{self._row(new)} was changed by somebody else") from problem
        return new

    def _row(self, claim: Claim) -> str:
        return f"{self.name} {claim_id(claim.source)}"


def _item(claim: Claim) -> dict[str, dict[str, Any]]:
    known = {
        "pk": claim_id(claim.source),
        "bucket": claim.source.bucket,
        "key": claim.source.key,
        "version_id": claim.source.version_id,
        "sequencer": claim.source.sequencer,
        "workload": claim.workload,
        "run_key": claim.run_key,
        "status": "CLAIMED" if claim.job_run_id is None else "STARTED",
        "claimed_at": claim.claimed_at.isoformat(),
        "job_run_id": claim.job_run_id,
        "reported": claim.reported,
    }
    item: dict[str, dict[str, Any]] = {n: {"S": v} for n, v in known.items() if v is not None}
    return item | {"files": {"N": str(claim.files)}, "announced": {"BOOL": claim.announced}}


def _claim(item: dict[str, dict[str, Any]]) -> Claim:
    text = {name: value["S"] for name, value in item.items() if "S" in value}
    return Claim(
        source=ObjectRef(
            bucket=text["bucket"],
            key=text["key"],
            version_id=text.get("version_id"),
            sequencer=text["sequencer"],
        ),
        workload=text["workload"],
        run_key=text["run_key"],
        files=int(item["files"]["N"]),
        claimed_at=datetime.fromisoformat(text["claimed_at"]),
        job_run_id=text.get("job_run_id"),
        announced=item["announced"]["BOOL"],
        reported=text.get("reported"),
    )
