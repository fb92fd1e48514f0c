"""A run reports how its data violates the constraints of its model: the owner is warned, nothing stops.

What is told once is a run's list of violations, not the file: a job that is tried again writes it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import ValidationError

from signalbox.contracts.alerts import Message
from signalbox.contracts.complaints import complaint
from signalbox.contracts.monitoring import Described, Violation, Violations
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.operation_keys import parse_violations_key
from signalbox.contracts.operations import Operations
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import data_quality_violated
from signalbox.domain.mail import address_of, mail, table
from signalbox.domain.telling import Ledger, Topic, once
from signalbox.errors import Rejected

MAX_BYTES = 16 << 20
MAX_DESCRIBED = 5
MAX_TEXT = 300

Reported = Literal["warned", "repeated", "nothing-violated", "ignored"]


class Reports(Protocol):
    """The data bucket, as far as reports need it."""

    def size(self, ref: ObjectRef) -> int | None:
        """Return the bytes of this version, or None if there is no such version."""

    def read(self, key: str, version_id: str | None = None) -> bytes:
        """Return the content of one version of ``key``."""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """Everything a report meets."""

    workloads: Mapping[str, Workload]
    reports: Reports
    ledger: Ledger
    topic: Topic
    bus: Bus

    def report(self, source: ObjectRef, now: datetime) -> Reported:
        """Warn of the violations of a version of a report, if it holds any, once.

        Raises:
            Rejected: it is none, or of no workload with an owner.
            Transient: somebody else may be telling it right now.
        """
        try:
            workload, run = parse_violations_key(source.key)
        except ValueError as problem:
            raise Rejected("bad-key", str(problem)) from problem
        size = self.reports.size(source)
        if size is None:
            return "ignored"  # deleted since
        if size > MAX_BYTES:
            raise Rejected(
                "too-large", f"{source.key!r} has {size} bytes; {MAX_BYTES} are read at most"
            )
        found = self._violations(source)
        operations = self._operations(workload, source.key)
        if not found:
            return "nothing-violated"
        with once(self.ledger, _thing(workload, run, found), now) as new:
            if new:
                first = [_described(each) for each in found[:MAX_DESCRIBED]]
                self.bus.emit(data_quality_violated(workload, run, len(found), first, source))
                self.topic.publish(_warning(workload, run, len(found), first, operations))
        return "warned" if new else "repeated"

    def _violations(self, source: ObjectRef) -> list[Violation]:
        content = self.reports.read(source.key, source.version_id)
        try:
            return Violations.model_validate_json(content).violations
        except ValidationError as problem:
            raise Rejected("bad-report", f"{source.key!r}: {complaint(problem)}") from None

    def _operations(self, workload: str, key: str) -> Operations:
        found = self.workloads.get(workload)
        if found is None or found.operations is None:
            known = ", ".join(sorted(n for n, w in self.workloads.items() if w.operations))
            raise Rejected(
                "unknown-workload",
                f"{key!r} names workload {workload!r}; those with operations: {known or 'none'}",
            )
        return found.operations


def _thing(workload: str, run: str, found: list[Violation]) -> str:
    listed = sorted(f"{each.feature}\t{each.check}\t{each.description}" for each in found)
    digest = hashlib.sha256("\n".join(listed).encode("utf-8", "replace")).hexdigest()
    return f"data quality {workload} {run} {digest}"


def _described(each: Violation) -> Described:
    return Described(
        feature=each.feature[:MAX_TEXT],
        check=each.check[:MAX_TEXT],
        description=each.description[:MAX_TEXT],
    )


def _warning(
    workload: str, run: str, count: int, first: list[Described], operations: Operations
) -> Message:
    more = count - len(first)
    things = "1 violation" if count == 1 else f"{count} violations"
    lines = [
        f"The data of a run of {workload} is not what its model was trained on: {things}.",
        "Its predictions may be worse than usual. This is a warning; nothing was stopped.",
        "",
        *(f"  {each.feature}: {each.check}. {each.description}".rstrip() for each in first),
        *([f"  and {more} more"] if more else []),
        "",
        *table({"Workload": workload, "Run": run}),
        "",
        "See more:",
        f"  signalbox runs {run}",
    ]
    detail: dict[str, object] = {
        "workload": workload,
        "run": run,
        "count": count,
        "violations": [each.model_dump() for each in first],
        "owner": operations.owner,
        "recipients": list(operations.recipients),
    }
    address = address_of(workload, "data-quality", "violated", operations)
    return mail(address, f"data of a run has {things}", lines, detail)
