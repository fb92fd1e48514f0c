"""Notes of due units, and the runs that took them.

    <workload>  seen#<id>     a note was written once; kept a month
    <workload>  due#<slot>    a note that waits
    <workload>  open          the run whose start is under way
    run#<run>   run           a run that was opened
    run#<run>   note#<slot>   a note that it took

What belongs together changes in one transaction; the first condition that does not hold undoes all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.domain.due import Note
from signalbox.domain.scoring import OpenRun
from signalbox.errors import Transient

KEPT = timedelta(days=30)
"""Longer than any event, archive or dead letter can come back (14 days)."""

_LOST = "ConditionalCheckFailed"
_NEW = "attribute_not_exists(pk)"

Item = dict[str, dict[str, Any]]


class ScoringTable:
    """A DynamoDB table with text keys ``pk`` and ``sk``, and ``expires`` as its lifetime."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def note(self, workload: str, note: Note) -> bool:
        """Write a note unless it was written before; return whether it is new."""
        seen = _key(workload, f"seen#{note.id}") | _expires(note.at)
        due = _key(workload, f"due#{note.slot}") | _item(note)
        return self._together(self._put(seen, _NEW), self._put(due))

    def due(self, workload: str, most: int) -> list[Note]:
        """Return notes that wait, oldest first."""
        return [_note(item) for item in self._query(workload, "due#", most)]

    def open_run(self, workload: str) -> OpenRun | None:
        """Return the run whose start is under way, if there is one."""
        item = self._get(workload, "open")
        return None if item is None else _run(item)

    def begin(self, run: OpenRun) -> OpenRun:
        """Open a run unless one is open; return the one that is.

        Raises:
            Transient: another one was open, and was closed meanwhile.
        """
        told: Item = {
            "workload": {"S": run.workload},
            "run": {"S": run.run},
            "at": {"S": run.at.isoformat()},
        }
        slots: Item = {"slots": {"L": [{"S": slot} for slot in run.slots]}}
        known = _key(f"run#{run.run}", "run") | told | _expires(run.at)
        opened = _key(run.workload, "open") | told | slots
        if self._together(self._put(opened, _NEW), self._put(known)):
            return run
        standing = self.open_run(run.workload)
        if standing is None:
            raise Transient(f"{self.name}: another run of {run.workload!r} was just started")
        return standing

    def take(self, run: OpenRun, slot: str) -> bool:
        """Give a waiting note to a run; return whether the run has it now."""
        waiting = self._get(run.workload, f"due#{slot}")
        if waiting is not None:
            taken = waiting | _key(f"run#{run.run}", f"note#{slot}") | _expires(run.at)
            delete = {
                "Delete": {
                    "TableName": self.name,
                    "Key": _key(run.workload, f"due#{slot}"),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            }
            if self._together(delete, self._put(taken)):
                return True
        return self._get(f"run#{run.run}", f"note#{slot}") is not None

    def close(self, run: OpenRun) -> None:
        """Note that the start of a run is over; another run stays open."""
        with calling("dynamodb:DeleteItem", f"{self.name} {run.workload}"):
            try:
                self._table.delete_item(
                    TableName=self.name,
                    Key=_key(run.workload, "open"),
                    ConditionExpression="#run = :run",
                    ExpressionAttributeNames={"#run": "run"},
                    ExpressionAttributeValues={":run": {"S": run.run}},
                )
            except ClientError as problem:
                if code_of(problem) != f"{_LOST}Exception":
                    raise

    def workload_of(self, run: str) -> str | None:
        """Return the workload of a run that was opened, or None."""
        item = self._get(f"run#{run}", "run")
        return None if item is None else str(item["workload"]["S"])

    def taken(self, run: str) -> list[Note]:
        """Return the notes that a run took, oldest first."""
        return [_note(item) for item in self._query(f"run#{run}", "note#", None)]

    def _put(self, item: Item, condition: str | None = None) -> dict[str, Any]:
        told: dict[str, Any] = {"TableName": self.name, "Item": item}
        return {"Put": told | ({"ConditionExpression": condition} if condition else {})}

    def _together(self, *changes: dict[str, Any]) -> bool:
        """Make all changes or none; False if a condition does not hold."""
        with calling("dynamodb:PutItem", f"table {self.name}"):
            try:
                self._table.transact_write_items(TransactItems=list(changes))
            except ClientError as problem:
                reasons = problem.response.get("CancellationReasons", [])
                if _LOST not in {reason.get("Code") for reason in reasons}:
                    raise
                return False
        return True

    def _get(self, pk: str, sk: str) -> Item | None:
        with calling("dynamodb:GetItem", f"{self.name} {pk}"):
            answer = self._table.get_item(
                TableName=self.name, Key=_key(pk, sk), ConsistentRead=True
            )
        found: Item | None = answer.get("Item")
        return found

    def _query(self, pk: str, begins: str, most: int | None) -> Iterable[Item]:
        limit = {} if most is None else {"PaginationConfig": {"MaxItems": most}}
        with calling("dynamodb:Query", f"{self.name} {pk}"):
            pages = self._table.get_paginator("query").paginate(
                TableName=self.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :begins)",
                ExpressionAttributeValues={":pk": {"S": pk}, ":begins": {"S": begins}},
                ConsistentRead=True,
                **limit,
            )
            for page in pages:
                yield from page["Items"]


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _expires(at: datetime) -> Item:
    return {"expires": {"N": str(int((at + KEPT).timestamp()))}}


def _item(note: Note) -> Item:
    item: Item = {
        "name": {"S": note.name},
        "at": {"S": note.at.isoformat()},
        "attempt": {"N": str(note.attempt)},
    }
    return item if note.units is None else item | {"units": {"SS": sorted(note.units)}}


def _note(item: Item) -> Note:
    units = item.get("units")
    return Note(
        name=item["name"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
        units=None if units is None else tuple(sorted(units["SS"])),
        attempt=int(item["attempt"]["N"]),
    )


def _run(item: Item) -> OpenRun:
    return OpenRun(
        workload=item["workload"]["S"],
        run=item["run"]["S"],
        slots=tuple(slot["S"] for slot in item["slots"]["L"]),
        at=datetime.fromisoformat(item["at"]["S"]),
    )
