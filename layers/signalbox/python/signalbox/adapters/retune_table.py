"""Retunes in OperationsTable: what was decided about failed checks, and what was started when.

    retune#<workload>   decided#<token>   what was decided about one failed check
    retune#<workload>   <time>#<run>      a retune was started; its run, and the run that failed
    retune#<workload>   newest            which of those is the newest: the turnstile

A decision that starts something is written together with its start and the turnstile, on condition that the
turnstile stands as it stood before the guard counted: of decisions at the same time one holds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, connect
from signalbox.contracts.datasets import Consumed
from signalbox.domain.retune_guard import Decision, Verdict

KEPT = timedelta(days=400)
"""Longer than a guard may look back (a year), and than any event can come back."""

_LOST = "ConditionalCheckFailed"
_NEW = "attribute_not_exists(pk)"

Item = dict[str, dict[str, Any]]


class RetuneTable:
    """A DynamoDB table with text keys ``pk`` and ``sk``, and ``expires`` as its lifetime."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def decided(self, workload: str, token: str) -> Decision | None:
        """Return what was decided about a failed check."""
        item = self._get(f"retune#{workload}", f"decided#{token}")
        return None if item is None else _decision(item)

    def standing(self, workload: str, most: int) -> tuple[str | None, Sequence[datetime]]:
        """Return what names the newest retune, and when the newest ``most`` were started, newest first."""
        turnstile = self._get(f"retune#{workload}", "newest")
        with calling("dynamodb:Query", f"{self.name} retune#{workload}"):
            found = self._table.query(
                TableName=self.name,
                # starts begin with a year; what is decided, and the turnstile, with a letter
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": f"retune#{workload}"},
                    ":first": {"S": "0"},
                    ":last": {"S": ":"},
                },
                ScanIndexForward=False,
                Limit=most,
                ConsistentRead=True,
            )["Items"]
        starts = [datetime.fromisoformat(item["sk"]["S"].partition("#")[0]) for item in found]
        return None if turnstile is None else str(turnstile["start"]["S"]), starts

    def decide(self, decision: Decision, newest: str | None) -> bool:
        """Write a decision; False if there is one, or it starts and ``newest`` is not the newest any more."""
        pk, lifetime = {"S": f"retune#{decision.workload}"}, _expires(decision.at)
        changes = [self._put(_item(decision) | lifetime, _NEW)]
        if decision.starts:
            start = f"{_moment(decision.at)}#{decision.tune_run}"
            about = {"run": {"S": decision.tune_run}, "failed": {"S": decision.run}}
            changes.append(self._put({"pk": pk, "sk": {"S": start}} | about | lifetime, _NEW))
            turnstile: Item = {"pk": pk, "sk": {"S": "newest"}, "start": {"S": start}}
            if newest is None:
                changes.append(self._put(turnstile, _NEW))
            else:
                changes.append(self._put(turnstile, "#start = :newest", {":newest": {"S": newest}}))
        with calling("dynamodb:PutItem", f"{self.name} retune#{decision.workload}"):
            try:
                self._table.transact_write_items(TransactItems=changes)
            except ClientError as problem:
                reasons = problem.response.get("CancellationReasons", [])
                if _LOST not in {reason.get("Code") for reason in reasons}:
                    raise
                return False
        return True

    def started(self, decision: Decision, tune_execution: str) -> Decision:
        """Note which run was started."""
        key = {name: _item(decision)[name] for name in ("pk", "sk")}
        with calling("dynamodb:UpdateItem", f"{self.name} retune#{decision.workload}"):
            self._table.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression="SET tune_execution = :it",
                ExpressionAttributeValues={":it": {"S": tune_execution}},
            )
        return replace(decision, tune_execution=tune_execution)

    def _put(self, item: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
        told: dict[str, Any] = {"TableName": self.name, "Item": item}
        told["ConditionExpression"] = condition
        if values is not None:
            told["ExpressionAttributeNames"] = {"#start": "start"}
            told["ExpressionAttributeValues"] = values
        return {"Put": told}

    def _get(self, pk: str, sk: str) -> Item | None:
        with calling("dynamodb:GetItem", f"{self.name} {pk}"):
            answer = self._table.get_item(
                TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        found: Item | None = answer.get("Item")
        return found


def _moment(at: datetime) -> str:
    """Write a time so that text order is order in time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _expires(at: datetime) -> Item:
    return {"expires": {"N": str(int((at + KEPT).timestamp()))}}


def _item(decision: Decision) -> Item:
    verdict, trained = decision.verdict, decision.trained
    told = {
        "token": decision.token,
        "run": decision.run,
        "execution": decision.execution,
        "at": _moment(decision.at),
        "reason": verdict.reason,
        "retunes": verdict.retunes,
        "until": None if verdict.until is None else _moment(verdict.until),
        "trained": None if trained is None else trained.model_dump(mode="json"),
    }
    return {
        "pk": {"S": f"retune#{decision.workload}"},
        "sk": {"S": f"decided#{decision.token}"},
        "decision": {"S": json.dumps(told)},
    }


def _decision(item: Item) -> Decision:
    told = json.loads(item["decision"]["S"])
    until, trained = told["until"], told["trained"]
    return Decision(
        workload=item["pk"]["S"].partition("#")[2],
        token=told["token"],
        run=told["run"],
        execution=told["execution"],
        at=datetime.fromisoformat(told["at"]),
        verdict=Verdict(
            told["reason"],
            told["retunes"],
            None if until is None else datetime.fromisoformat(until),
        ),
        trained=None if trained is None else Consumed.model_validate(trained),
        tune_execution=item.get("tune_execution", {}).get("S"),
    )
