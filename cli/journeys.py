"""What became of each file: the path it took through the cloud, told from the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.journal import Record

INPUTS = ("raw/", "backfill/")
STATIONS = ("event", "rule", "delivery", "invocation", "job", "dead-letter")
OUTCOMES = {
    "CycleFeaturesReady": "features",
    "FileRejected": "rejected",
    "CycleFeaturesWithdrawn": "withdrawn",
    "BackfillFailed": "failed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One station on a file's path: an event, a rule, a delivery, a door, an output."""

    kind: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Journey:
    """A file's path from the bucket to its end.

    Attributes:
        key: the file's key in the data bucket.
        steps: stations in causal order.
        outcome: ``features``, ``rejected``, or what else became of it.
        units: units the file spoke of.
        cycles: cycles that the file alone decided.
        output_key: the fragment, or the note why it was rejected.
        message: why, where it was rejected.
    """

    key: str
    steps: tuple[Step, ...]
    outcome: str
    units: tuple[str, ...] = ()
    cycles: int = 0
    output_key: str = ""
    message: str = ""


def journeys(records: Iterable[Record]) -> list[Journey]:
    """The path of every file that was dropped, in the order of their first events."""
    held = list(records)
    below: dict[int, list[Record]] = defaultdict(list)
    for record in held:
        causes = record.detail.get("causes") or [record.cause]  # a batch has several
        for cause in causes:
            if cause is not None:
                below[cause].append(record)
    starts: dict[str, list[Record]] = defaultdict(list)
    for record in held:
        key = object_key(record)
        if key is not None and key.startswith(INPUTS):
            starts[key].append(record)
    return [_journey(key, events, below) for key, events in starts.items()]


def object_key(record: Record) -> str | None:
    """The key of the object that an event of S3 is about; None for other records."""
    if record.kind != "event" or record.detail.get("source") != "aws.s3":
        return None
    return str(record.detail["detail"]["object"]["key"])


def _journey(key: str, events: list[Record], below: dict[int, list[Record]]) -> Journey:
    steps: list[Step] = []
    ends: list[Record] = []
    waiting, seen = list(events), {record.id for record in events}
    while waiting:
        record = waiting.pop(0)
        if record.kind in STATIONS:
            steps.append(Step(record.kind, record.name, record.status))
        if record.detail.get("source") == "signalbox":
            ends.append(record)
            continue
        for after in below[record.id]:
            if after.id not in seen and _concerns(after, key):
                seen.add(after.id)
                waiting.append(after)
    distinct = tuple(dict.fromkeys(steps))
    return _ended(key, distinct, ends)


def _concerns(record: Record, key: str) -> bool:
    """Whether what a batch caused has to do with this file and not with another of the batch."""
    written = object_key(record)
    if written is not None:
        return False  # what a door writes begins a path of its own
    if record.detail.get("source") == "signalbox":
        about = (record.detail["detail"].get("source") or {}).get("key")
        return about == key or not about or not str(about).startswith("raw/")
    return True


def _ended(key: str, steps: tuple[Step, ...], ends: list[Record]) -> Journey:
    last: Mapping[str, Any] = {}
    outcome = "no outcome yet"
    for record in ends:
        about = (record.detail["detail"].get("source") or {}).get("key")
        if record.name in OUTCOMES and about == key:
            outcome, last = OUTCOMES[record.name], record.detail["detail"]
    if any(step.kind == "dead-letter" for step in steps) and not last:
        outcome = "dead letter"
    return Journey(
        key=key,
        steps=steps,
        outcome=outcome,
        units=tuple(last.get("units", ())),
        cycles=int(last.get("cycles", 0)),
        output_key=str(last.get("output_key") or last.get("rejected_key") or ""),
        message=str(last.get("message", "")),
    )
