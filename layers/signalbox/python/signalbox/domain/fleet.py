"""A file about the fleet arrives: its rows are merged into what is known, newest word first.

Order is the time of the event that brought the file, then S3's sequencer, kept with every record. A
record only gives way to one of the same file or of a newer one, so files may come twice, late or
half, and the end is the same. A fault that is withdrawn stays as a tombstone: an older file that
arrives late must not bring it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.contracts.keys import FleetKind, parse_fleet_key
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus, fleet_records_merged
from signalbox.errors import Rejected

MAX_BYTES = 32 << 20
MAX_ROWS = 50_000
"""Each row is one conditional write of some milliseconds, and the door has fifteen minutes."""

Record = UnitRecord | FaultRecord
Merged = Literal["merged", "ignored"]

CONTRACTS: Mapping[FleetKind, type[UnitRecord] | type[FaultRecord]] = {
    "registry": UnitRecord,
    "faults": FaultRecord,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file as it was read, and where: a 0-based row, or a 1-based line of a text."""

    values: Mapping[str, Any]
    row: int | None = None
    line: int | None = None


def order_of(source: ObjectRef, at: datetime) -> str:
    """Return what orders two files, whatever their keys: text order is age order.

    >>> from datetime import datetime, UTC
    >>> source = ObjectRef(bucket="b", key="faults/hvac/a.csv", sequencer="a1")
    >>> order_of(source, datetime(2026, 7, 2, 12, tzinfo=UTC))
    '2026-07-02T12:00:00.000000#000000000000000000000000000000A1'
    """
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}#{source.sequencer}"


class FleetFiles(Protocol):
    """Files about the fleet, in the data bucket."""

    def size(self, ref: ObjectRef) -> int | None:
        """Return the bytes of this version by its head, or None if there is no such version."""

    def rows(self, source: ObjectRef, columns: Iterable[str]) -> Iterable[Row]:
        """Read these columns of a file, as far as it has them.

        Raises:
            Rejected: it cannot be read as a table.
        """


class Fleet(Protocol):
    """What is known of every unit."""

    def merge(self, workload: str, record: Record, order: str) -> bool:
        """Write a record unless a newer one stands; return whether it stands now."""


def records(kind: FleetKind, name: str, rows: Iterable[Row]) -> list[Record]:
    """Judge every row before the first is written; of two about the same thing the later counts.

    Raises:
        Rejected: a row that is none; or too many of them.
    """
    found: dict[tuple[str, datetime | None], Record] = {}
    for number, each in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise Rejected(
                "too-many-rows", f"{name!r} has more than {MAX_ROWS} rows; split the file"
            )
        record = _record(kind, name, each)
        about = record.failed_at if isinstance(record, FaultRecord) else None
        found[record.unit, about] = record
    return list(found.values())


def _record(kind: FleetKind, name: str, row: Row) -> Record:
    try:
        return CONTRACTS[kind].model_validate(row.values)
    except ValidationError as problem:
        where = f"line {row.line}" if row.line is not None else f"row {row.row}"
        column = problem.errors(include_input=False)[0]["loc"]
        raise Rejected(
            "bad-row",
            f"{name!r}, {where}: {complaint(problem)}; mend the row and send the file again",
            column=str(column[0]) if column else None,
            row=row.row,
            line=row.line,
        ) from None


@dataclass(frozen=True, slots=True)
class FleetIntake:
    """Everything a file about the fleet meets."""

    workloads: Mapping[str, Workload]
    files: FleetFiles
    fleet: Fleet
    bus: Bus

    def take_in(self, source: ObjectRef, at: datetime) -> Merged:
        """Merge a version of a file and say what came of it; ``at`` is the time of its event.

        Raises:
            Rejected: the file can never be merged; nothing of it was.
        """
        if source.key.endswith("/"):
            return "ignored"  # a folder marker of the console, no file
        kind, workload = self._told_by(source.key)
        size = self.files.size(source)
        if size is None:
            return "ignored"  # deleted since, or replaced in a bucket without versions
        _admit(source, size)
        contract = CONTRACTS[kind]
        found = records(kind, source.key, self.files.rows(source, contract.model_fields))
        order = order_of(source, at)
        standing = [self.fleet.merge(workload, record, order) for record in found]
        units = len({record.unit for record in found})
        self.bus.emit(
            fleet_records_merged(workload, kind, source, units, len(found), sum(standing))
        )
        return "merged"

    def _told_by(self, key: str) -> tuple[FleetKind, str]:
        try:
            kind, workload = parse_fleet_key(key)
        except ValueError as problem:
            raise Rejected("bad-key", str(problem)) from problem
        if workload not in self.workloads:
            raise Rejected(
                "unknown-workload",
                f"{key!r} names workload {workload!r}; "
                f"shipped are: {', '.join(sorted(self.workloads))}",
            )
        return kind, workload


def _admit(source: ObjectRef, size: int) -> None:
    if size == 0:
        raise Rejected("empty", f"{source.key!r} has no bytes; send it again, complete")
    if size > MAX_BYTES:
        raise Rejected(
            "too-large", f"{source.key!r} has {size} bytes, {MAX_BYTES} are allowed; split the file"
        )
