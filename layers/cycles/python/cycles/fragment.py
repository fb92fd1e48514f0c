"""Fragments: what one file contributes to its units' cycles, and how that is stored.

A fragment is stored as Parquet, one row a stretch, each field of the moments as a list with one number a
sensor. Rows of kind CLOSED are cycles already; the others wait for the neighbouring files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cycles.detect import State
from cycles.errors import BadRecording
from cycles.moments import FIELDS, INT_FIELDS, Moments

FORMAT = 1
METADATA_KEY = b"signalbox.fragment"


@dataclass(frozen=True, slots=True)
class Extent:
    """Times (ns) of a unit's first and last row in a file, and how many rows lie between them."""

    start: int
    end: int
    rows: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a unit's rows: what it is known to be, its first and last time (ns), its rows."""

    unit: str
    state: State
    start: int
    end: int
    rows: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one file contributes.

    Attributes:
        sensors: names, in the order of the moments' columns.
        extents: for each unit the time span its rows cover.
        stretches: in time order within each unit.
        moments: (stretches, sensors) each field.
        spec_digest: the specification it was cut under.
    """

    sensors: tuple[str, ...]
    extents: dict[str, Extent]
    stretches: tuple[Stretch, ...]
    moments: Moments
    spec_digest: str

    @property
    def units(self) -> list[str]:
        """The units with rows in the file."""
        return list(self.extents)

    @property
    def rows(self) -> int:
        """Rows of all units."""
        return sum(extent.rows for extent in self.extents.values())

    @property
    def closed(self) -> int:
        """Cycles that this file alone decides."""
        return sum(stretch.state is State.CLOSED for stretch in self.stretches)

    @property
    def start_ns(self) -> int:
        """Time of the earliest row, ns since 1970, UTC."""
        return min(extent.start for extent in self.extents.values())

    @property
    def end_ns(self) -> int:
        """Time of the latest row, ns since 1970, UTC."""
        return max(extent.end for extent in self.extents.values())

    def write(self, target: Path | BinaryIO) -> None:
        """Store the fragment; the same fragment always gives the same bytes."""
        about = {
            "format": FORMAT,
            "spec": self.spec_digest,
            "sensors": self.sensors,
            "units": {unit: [e.start, e.end, e.rows] for unit, e in self.extents.items()},
        }
        columns: dict[str, Any] = {
            "unit": pa.array([s.unit for s in self.stretches], pa.string()),
            "kind": pa.array([s.state.name for s in self.stretches], pa.string()),
            "start": pa.array([s.start for s in self.stretches], pa.timestamp("ns", tz="UTC")),
            "end": pa.array([s.end for s in self.stretches], pa.timestamp("ns", tz="UTC")),
            "rows": pa.array([s.rows for s in self.stretches], pa.int64()),
        }
        width = len(self.sensors)
        for name in FIELDS:
            flat = pa.array(np.ascontiguousarray(self.moments[name]).ravel())
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, width)
        table = pa.table(columns).replace_schema_metadata({METADATA_KEY: json.dumps(about)})
        pq.write_table(table, target, compression="zstd", use_dictionary=["unit", "kind"])

    @classmethod
    def read(cls, source: Path | BinaryIO) -> Fragment:
        """Read a stored fragment.

        Raises:
            BadRecording: the object is no fragment, or one of another format.
        """
        table = pq.read_table(source, use_threads=False)
        about = json.loads((table.schema.metadata or {}).get(METADATA_KEY, b"{}"))
        if about.get("format") != FORMAT:
            raise BadRecording("not-a-fragment", f"{source}: no fragment of format {FORMAT}")
        shape = (table.num_rows, len(about["sensors"]))
        values = {}
        for name in FIELDS:
            flat = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            kind = np.int64 if name in INT_FIELDS else np.float64
            values[name] = flat.astype(kind, copy=False).reshape(shape)
        stretches = tuple(
            Stretch(unit, State[kind], start, end, rows)
            for unit, kind, start, end, rows in zip(
                table["unit"].to_pylist(),
                table["kind"].to_pylist(),
                table["start"].cast(pa.int64()).to_pylist(),
                table["end"].cast(pa.int64()).to_pylist(),
                table["rows"].to_pylist(),
                strict=True,
            )
        )
        extents = {unit: Extent(*span) for unit, span in about["units"].items()}
        return cls(tuple(about["sensors"]), extents, stretches, Moments(values), about["spec"])
