"""The table of episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.alerts import Episode, Feedback, Judgement, Newest
from signalbox.domain.episodes import Standing
from signalbox.errors import Transient

LOST = "ConditionalCheckFailedException"
NEWEST = "~newest"
"""Sorts behind every episode, so that the last two items of a unit are all that a score asks for."""

_CHANGES = {"claimed_at", "sent", "announced", "feedback", "heard_at_cycle", "judgement"}

Item = dict[str, dict[str, Any]]


class EpisodeTable:
    """A DynamoDB table: ``pk`` is ``<workload>#<unit>``, ``sk`` an episode's id or ``~newest``.

    What never changes of an episode is one text, ``told``; what does stands beside it, an attribute each,
    so that doors at work at the same time do not undo each other.
    """

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._table = client or connect("dynamodb")

    def standing(self, workload: str, unit: str) -> Standing:
        """Return what is known of a unit, as of now."""
        with calling("dynamodb:Query", self._row(workload, unit)):
            found = self._table.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"{workload}#{unit}"}},
                ScanIndexForward=False,
                Limit=2,
                ConsistentRead=True,
            )["Items"]
        newest = next((_newest(item) for item in found if _is_newest(item)), None)
        latest = next((_episode(item) for item in found if not _is_newest(item)), None)
        return Standing(newest, latest)

    def get(self, workload: str, unit: str, episode: str) -> Episode | None:
        """Return one episode, as of now."""
        with calling("dynamodb:GetItem", self._row(workload, unit)):
            answer = self._table.get_item(
                TableName=self.name, Key=_key(workload, unit, episode), ConsistentRead=True
            )
        found = answer.get("Item")
        return None if found is None or _is_newest(found) else _episode(found)

    def open(self, episode: Episode) -> bool:
        """Write a new episode; False if there is one of this name."""
        with calling("dynamodb:PutItem", self._row(episode.workload, episode.unit)):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=_item(episode),
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise
                return False
        return True

    def renew(self, episode: Episode, now: datetime) -> Episode:
        """Take over the sending of an alert.

        Raises:
            Transient: somebody else did, or it was sent in the meantime.
        """
        self._change(
            _key_of(episode),
            {"claimed_at": {"S": now.isoformat()}},
            "claimed_at = :old AND sent = :no",
            {":old": {"S": episode.claimed_at.isoformat()}, ":no": {"BOOL": False}},
        )
        return episode.model_copy(update={"claimed_at": now})

    def sent(self, workload: str, unit: str, episode: str) -> bool:
        """Note that the topic has taken the alert; False if there is no such episode."""
        key = _key(workload, unit, episode)
        try:
            self._change(key, {"sent": {"BOOL": True}}, "attribute_exists(told)")
        except Transient as problem:
            if isinstance(problem.__cause__, ClientError) and code_of(problem.__cause__) == LOST:
                return False
            raise
        return True

    def announced(self, episode: Episode) -> None:
        """Note that FaultPredicted went out."""
        self._change(_key_of(episode), {"announced": {"BOOL": True}}, "attribute_exists(told)")

    def advance(self, workload: str, unit: str, newest: Newest) -> None:
        """Note the newest score judged; an older one changes nothing."""
        item = _key(workload, unit, NEWEST) | {
            "place": {"S": newest.place},
            "time": {"S": newest.time},
            "at": {"S": newest.at.isoformat()},
            "cycle": {"N": str(newest.cycle)},
        }
        with calling("dynamodb:PutItem", self._row(workload, unit)):
            try:
                self._table.put_item(
                    TableName=self.name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR place < :place",
                    ExpressionAttributeValues={":place": item["place"]},
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise

    def hear(self, episode: Episode, feedback: Feedback, cycle: int | None) -> None:
        """Note feedback in the place of what ``episode`` has.

        Raises:
            Transient: somebody else did in the meantime.
        """
        changes: Item = {"feedback": {"S": feedback.model_dump_json()}}
        if cycle is not None:
            changes["heard_at_cycle"] = {"N": str(cycle)}
        known = episode.feedback
        condition = "attribute_not_exists(feedback)" if known is None else "feedback = :known"
        values = {} if known is None else {":known": {"S": known.model_dump_json()}}
        self._change(_key_of(episode), changes, condition, values)

    def judge(self, episode: Episode, judgement: Judgement) -> None:
        """Note how the prediction turned out, unless that is noted."""
        changes: Item = {"judgement": {"S": judgement.model_dump_json()}}
        self._change(_key_of(episode), changes, "attribute_not_exists(judgement)")

    def survey(self) -> tuple[Sequence[Episode], Mapping[tuple[str, str], Newest]]:
        """Return all episodes, and the newest score judged by (workload, unit)."""
        episodes: list[Episode] = []
        newest: dict[tuple[str, str], Newest] = {}
        with calling("dynamodb:Scan", self.name):
            pages = self._table.get_paginator("scan").paginate(
                TableName=self.name, ConsistentRead=True
            )
            for item in (item for page in pages for item in page["Items"]):
                if _is_newest(item):
                    workload, _, unit = item["pk"]["S"].partition("#")
                    newest[workload, unit] = _newest(item)
                else:
                    episodes.append(_episode(item))
        return sorted(episodes, key=lambda each: (each.at, each.id)), newest

    def _change(self, key: Item, changes: Item, condition: str, values: Item | None = None) -> None:
        """Set attributes on a condition.

        Raises:
            Transient: the condition does not hold (any more).
        """
        row = f"{self.name} {key['pk']['S']} {key['sk']['S']}"
        with calling("dynamodb:UpdateItem", row):
            try:
                self._table.update_item(
                    TableName=self.name,
                    Key=key,
                    UpdateExpression="SET " + ", ".join(f"{n} = :{n}" for n in changes),
                    ConditionExpression=condition,
                    ExpressionAttributeValues={f":{n}": v for n, v in changes.items()}
                    | (values or {}),
                )
            except ClientError as problem:
                if code_of(problem) != LOST:
                    raise
                raise Transient(f"{row} was changed by somebody else") from problem

    def _row(self, workload: str, unit: str) -> str:
        return f"{self.name} {workload}#{unit}"


def _key(workload: str, unit: str, sort: str) -> Item:
    return {"pk": {"S": f"{workload}#{unit}"}, "sk": {"S": sort}}


def _key_of(episode: Episode) -> Item:
    return _key(episode.workload, episode.unit, episode.id)


def _item(episode: Episode) -> Item:
    return _key_of(episode) | {
        "told": {"S": episode.model_dump_json(exclude=_CHANGES)},
        "claimed_at": {"S": episode.claimed_at.isoformat()},
        "sent": {"BOOL": episode.sent},
        "announced": {"BOOL": episode.announced},
    }


def _episode(item: Item) -> Episode:
    told = json.loads(item["told"]["S"])
    told |= {
        "claimed_at": item["claimed_at"]["S"],
        "sent": item["sent"]["BOOL"],
        "announced": item["announced"]["BOOL"],
    }
    for name in ("feedback", "judgement"):
        if name in item:
            told[name] = json.loads(item[name]["S"])
    if "heard_at_cycle" in item:
        told["heard_at_cycle"] = int(item["heard_at_cycle"]["N"])
    return Episode.model_validate(told)


def _is_newest(item: Item) -> bool:
    return bool(item["sk"]["S"] == NEWEST)


def _newest(item: Item) -> Newest:
    return Newest.model_validate(
        {"time": item["time"]["S"], "at": item["at"]["S"], "cycle": int(item["cycle"]["N"])}
    )
