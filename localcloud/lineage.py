"""Lineage: what a pipeline's run was made from, read off the journal.

A run is started once no more files come, so by the clock, and a model is approved by a person: as cause
and effect neither has to do with the file or the run before it. But a run reads objects that someone
wrote, and a package that is approved was registered. These links make one tree of the way from a file
to a model in service and on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from localcloud.journal import Record

_EXECUTION = ":pipeline/"
_PACKAGE = "SageMaker Model Package State Change"


def links(records: Iterable[Record]) -> dict[int, list[int]]:
    """By id of a record, the records that it builds upon, beside its cause.

    Args:
        records: in the order of ids.
    """
    found = _Links()
    for record in records:
        if record.kind in ("job", "call"):
            found.work(record)
        elif record.kind == "event":
            found.event(record)
    return {effect: list(causes) for effect, causes in found.links.items()}


class _Links:
    """What is known so far.

    Attributes:
        links: by record, those it builds upon, each once, in order.
    """

    def __init__(self) -> None:
        self.links: dict[int, dict[int, None]] = defaultdict(dict)
        self._first: dict[str, int] = {}  # by ARN, of an execution or a package
        self._inside: dict[int, int] = {}  # of which execution a record is part, by its first one
        self._written: dict[str, int] = {}  # by ARN of an object, the event that told of it last

    def work(self, record: Record) -> None:
        """The first record of an execution builds upon the objects that its steps read."""
        run = str(record.detail.get("run_id", ""))
        if record.kind == "job" and _EXECUTION in run:
            self._inside[record.id] = self._first.setdefault(run, record.id)
        execution = self._within(record)
        if execution is None or record.name != "s3:GetObject" or record.status != "ok":
            return
        writer = self._written.get(str(record.detail.get("resource")))
        if writer is not None and self._inside.get(writer) != execution:
            self.links[execution].setdefault(writer)

    def event(self, record: Record) -> None:
        """A package's change from outside builds upon its registration, the news of a run upon it."""
        detail = record.detail.get("detail")
        if not isinstance(detail, dict):
            return
        if record.detail.get("source") == "aws.s3" and record.name == "Object Created":
            self._within(record)
            told = [detail.get(part) or {} for part in ("bucket", "object")]
            arn = f"arn:aws:s3:::{told[0].get('name')}/{told[1].get('key')}"
            self._written[arn] = record.id
        elif record.name == _PACKAGE:
            before = self._first.setdefault(str(detail["ModelPackageArn"]), record.id)
            if record.cause is None and before != record.id:
                self.links[record.id].setdefault(before)
        elif record.detail.get("source") == "signalbox":
            execution = self._first.get(str(detail.get("execution")))
            if execution is not None:
                self.links[record.id].setdefault(execution)

    def _within(self, record: Record) -> int | None:
        """Note of which execution a record is part, if it is, and return that."""
        if record.id not in self._inside and record.cause in self._inside:
            self._inside[record.id] = self._inside[record.cause]
        return self._inside.get(record.id)
