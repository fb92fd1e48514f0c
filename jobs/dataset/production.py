"""Inference mode: what the model in service is shown of each unit, from the fragments that count.

The same kernel joins the fragments and makes the features as for training, so the model sees what it
saw. Parts are named by number and equal input gives equal bytes: a run that was killed and is run again
writes the same objects.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cycles import BadRecording, CycleSpec, Fragment, open_recording, stitch
from cycles.history import Past
from cycles.readers import Recording
from signalbox.adapters.history import moved_of, past_of, window_of
from signalbox.adapters.objects import Objects
from signalbox.adapters.onnx_model import refuse_mismatch
from signalbox.contracts.fleet import FaultRecord
from signalbox.contracts.keys import (
    FRAGMENTS,
    HISTORY,
    RAW,
    fragment_key,
    newest,
    parse_fragment_key,
    parts_prefix,
    windows_manifest_key,
)  # fmt: skip
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.scoring import ScoringRequest, Skipped, WindowsManifest
from signalbox.contracts.workload import Workload

UNITS_A_PART = 64  # a part is one request to the container: a few megabytes


@dataclass(frozen=True)
class Shown:
    """What the model is shown of one unit, and what is said beside it."""

    unit: str
    window: npt.NDArray[np.float32]
    valid: int
    cycle: int
    at: datetime
    moved: str


class Faults(Protocol):
    """What is known of a fleet's faults; :class:`signalbox.adapters.fleet_table.FleetTable`."""

    def faults(self, workload: str, unit: str) -> list[FaultRecord]:
        """Faults of a unit, oldest first."""
        ...


def make_windows(
    objects: Objects, faults: Faults, workload: Workload, request: ScoringRequest
) -> WindowsManifest:
    """Write the parts of a run, then its manifest.

    A unit is shown from the first cycle after its last fault on: as it is since it was repaired.

    Raises:
        Rejected: the model is of another workload or needs features this one does not have.
    """
    schema = request.model.schema_
    spec = CycleSpec.from_mapping(workload.mapping())
    refuse_mismatch(schema, workload.name, ["duration_s", *spec.result_names])
    past = past_of(schema)
    prefix = parts_prefix(workload.name, request.run)
    parts: list[str] = []
    shown: list[Shown] = []
    count = 0
    skipped = {unit: f"unit {unit} has no cycle yet" for unit in request.units or []}
    for unit, table in unit_tables(objects, workload, spec, request.units):
        if table.num_rows == 0:
            continue
        failed = faults.faults(workload.name, unit)
        seen = show(past, schema, unit, table, failed[-1].failed_at if failed else None)
        if seen is None:
            skipped[unit] = f"unit {unit} has no cycle since its fault of {failed[-1].failed_at}"
            continue
        skipped.pop(unit, None)
        shown.append(seen)
        count += 1
        if len(shown) == UNITS_A_PART:
            parts.append(_put(objects, f"{prefix}part-{len(parts):05}.parquet", shown, schema))
            shown = []
    if shown:
        parts.append(_put(objects, f"{prefix}part-{len(parts):05}.parquet", shown, schema))
    manifest = WindowsManifest(
        workload=workload.name, run=request.run, model=request.model, parts=parts, units=count,
        skipped=[
            Skipped(unit=unit, reason="no-cycles", message=message)
            for unit, message in sorted(skipped.items())
        ],
        at=request.at,
    )  # fmt: skip
    key = windows_manifest_key(workload.name, request.run)
    objects.put(key, manifest.model_dump_json(by_alias=True).encode())
    return manifest


def show(
    past: Past, schema: ModelSchema, unit: str, table: pa.Table, failed_at: datetime | None
) -> Shown | None:
    """What the model is shown of a unit with these cycles; None where there is none since its fault."""
    ends = table["cycle_end"].cast(pa.int64()).to_numpy()
    columns = [table[name].to_numpy(zero_copy_only=False) for name in schema.columns]
    values = np.column_stack(columns).astype(np.float32)
    if (
        failed_at is not None
    ):  # a cycle that ends with the fault is the last of that life, as in labels
        values = values[np.searchsorted(ends, round(failed_at.timestamp() * 1e9), side="right") :]
    if not len(values):
        return None
    window, valid = window_of(past, schema, values)
    moved = [each.model_dump() for each in moved_of(past, values)]
    at = datetime.fromtimestamp(int(ends[-1]) // 1_000_000_000, UTC)
    return Shown(unit, window, valid, table.num_rows, at, json.dumps(moved))


def unit_tables(
    objects: Objects, workload: Workload, spec: CycleSpec, units: list[str] | None
) -> Iterator[tuple[str, pa.Table]]:
    """All cycles of each unit asked for, joined from the fragments that count, unit after unit."""
    of: Mapping[str, list[tuple[str, Fragment]]] = _fragments(objects, workload.name, units)
    reread = _Reread(objects, spec)
    for unit in sorted(of):
        yield unit, stitch(of[unit], spec, reread.recording, units={unit}).table


def _fragments(
    objects: Objects, workload: str, units: list[str] | None
) -> dict[str, list[tuple[str, Fragment]]]:
    listing: dict[str, list[str]] = defaultdict(list)
    for room in (RAW, HISTORY):
        for key in objects.keys(f"{FRAGMENTS}{room}{workload}/"):
            listing[parse_fragment_key(key).source_key].append(key)
    wanted = None if units is None else set(units)
    of: dict[str, list[tuple[str, Fragment]]] = defaultdict(list)
    for source, found in sorted(listing.items()):
        counts = newest(source, found)
        if counts is None or counts.kind == "deleted":
            continue
        stored = objects.read(fragment_key(source, counts.sequencer))
        fragment = Fragment.read(io.BytesIO(stored))
        for unit in fragment.units:
            if wanted is None or unit in wanted:
                of[unit].append((source, fragment))
    return of


@dataclass(frozen=True)
class _Reread:
    """Opens files again that overlap in time, or were cut under another specification."""

    objects: Objects
    spec: CycleSpec

    def recording(self, name: str) -> Recording:
        found = self.objects.current(name)
        if found is None:
            raise BadRecording("no-such-object", f"{name!r} is gone and cannot be read again")
        with self.objects.local(found[0]) as path:
            return open_recording(path, self.spec, name).held()


def _put(objects: Objects, key: str, shown: list[Shown], schema: ModelSchema) -> str:
    flat = np.stack([each.window for each in shown]).reshape(-1)
    columns: dict[str, Any] = {
        "windows": pa.FixedSizeListArray.from_arrays(
            pa.array(flat), schema.window * len(schema.features)
        ),
        "valid": pa.array([each.valid for each in shown], pa.int64()),
        "unit": [each.unit for each in shown],
        "cycle": [each.cycle for each in shown],
        "at": [each.at.isoformat() for each in shown],
        "model": [schema.version] * len(shown),
        "schema": [schema.digest] * len(shown),
        "moved": [each.moved for each in shown],
    }
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, compression="zstd")
    objects.put(key, target.getvalue())
    return key
