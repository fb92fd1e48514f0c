"""A recording as the kernels see it: times, units, the running signal, sensors by the batch."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cycles.errors import BadRecording
from cycles.spec import NANOSECONDS, CycleSpec, Timestamp

Times = npt.NDArray[np.int64]
Rows = slice | npt.NDArray[np.int64]
Batch = tuple[slice, list[npt.NDArray[np.floating]]]
UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")
BATCH_COLUMNS = 90
BATCH_BYTES = 64 * 2**20  # decoded readings held at a time


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, opened: what detection needs is here, the sensors come by the batch.

    Attributes:
        name: the file's key or name, for messages.
        times: (rows,) int64 ns since 1970, UTC, in file order.
        units: for each unit the rows that are its own, in file order.
        signal: (rows,) the column that defines running; floats, or objects for a text status.
        batches: yields ``(slice of spec.sensors, [readings of each, (rows,)])`` until all are read.
    """

    name: str
    times: Times
    units: dict[str, Rows]
    signal: npt.NDArray[np.generic]
    batches: Callable[[], Iterator[Batch]]

    def held(self) -> Recording:
        """The same recording with all readings in memory: its file may go away."""
        held = [
            (part, [np.array(column) for column in columns]) for part, columns in self.batches()
        ]
        return replace(self, batches=lambda: iter(held))


def batch_slices(sensors: int, rows: int, itemsize: int) -> list[slice]:
    """Cut the sensors into batches whose readings fit the memory set aside for them."""
    width = max(1, min(BATCH_COLUMNS, BATCH_BYTES // max(1, rows * itemsize)))
    return [slice(k, min(k + width, sensors)) for k in range(0, sensors, width)]


def require_columns(present: Sequence[str], wanted: Sequence[str], name: str) -> None:
    """Refuse a file without a column the workload needs, naming those that look alike."""
    for column in wanted:
        if column not in present:
            near = difflib.get_close_matches(column, present, n=3)
            hint = f"; did you mean {', '.join(repr(n) for n in near)}?" if near else ""
            raise BadRecording(
                "no-such-column",
                f"{name}: no column {column!r} among {len(present)}{hint}",
                column=column,
            )


def refuse_twice(present: Sequence[str], wanted: Sequence[str], name: str) -> None:
    """Refuse a file in which a column that matters has a namesake: nobody could say which is meant."""
    for column in wanted:
        if present.count(column) > 1:
            raise BadRecording(
                "duplicate-column",
                f"{name}: two columns are named {column!r}; rename one",
                column=column,
            )


def times_from(column: pa.Array, asked: Timestamp, name: str) -> Times:
    """Times as int64 ns, from numbers in a unit, formatted text, Arrow times or ISO 8601 text."""
    try:
        if asked.unit is not None:
            return _times_from_numbers(column, NANOSECONDS[asked.unit])
        if pa.types.is_timestamp(column.type):
            typed = column
        elif asked.format is not None:
            typed = pc.strptime(column, format=asked.format, unit="us")  # ns would wrap unnoticed
        else:
            typed = _iso_times(column)
        whole = typed.cast(pa.timestamp("ns"), safe=True) if typed.type.tz is None else typed
        ns = whole.cast(pa.timestamp("ns", tz=whole.type.tz)).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        row = _first_bad_time(column, asked)
        raise BadRecording(
            "bad-timestamp",
            f"{name}: column {asked.column!r} holds something that is no time as the workload reads it "
            f"(unit {asked.unit}, format {asked.format})",
            column=asked.column,
            row=row,
        ) from problem
    return _whole(ns, asked, name)


def _iso_times(column: pa.Array) -> pa.Array:
    zoned = len(column) > 0 and bool(
        pc.match_substring_regex(column.slice(0, 1), r"(Z|[+-]\d\d:?\d\d)$")[0].as_py()
    )
    zone = "UTC" if zoned else None
    try:
        return column.cast(pa.timestamp("us", tz=zone))
    except pa.ArrowInvalid:  # nine digits of a second; in ns, years far off would wrap unnoticed
        years = pc.utf8_slice_codeunits(column, 0, 4).cast(pa.int64())
        typed = column.cast(pa.timestamp("ns", tz=zone))
        near = pc.less_equal(pc.abs(pc.subtract(pc.year(typed), years)), 1)
        if not pc.all(near).as_py():
            raise
        return typed


def _times_from_numbers(column: pa.Array, scale: int) -> Times:
    if column.null_count:
        raise pa.ArrowInvalid("missing time")
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise pa.ArrowInvalid("missing time")
        _refuse_far(np.abs(values).max(initial=0), scale)
        whole = np.floor(values)
        fine: Times = np.rint((values - whole) * scale).astype(np.int64)
        fine += whole.astype(np.int64) * scale
        return fine
    if values.dtype.kind not in "iu":
        raise pa.ArrowInvalid("a time that is no number")
    _refuse_far(float(np.abs(values.astype(np.float64)).max(initial=0)), scale)
    times: Times = values.astype(np.int64) * scale
    return times


def _refuse_far(largest: float, scale: int) -> None:
    """Nanoseconds reach to the year 2262; a number beyond is in another unit than the workload says."""
    if largest >= 2**63 / scale:
        raise pa.ArrowInvalid("a time beyond what nanoseconds can tell")


def _whole(ns: pa.Array, asked: Timestamp, name: str) -> Times:
    if ns.null_count:
        row = pc.index(ns.is_null(), value=True).as_py()
        raise BadRecording(
            "bad-timestamp", f"{name}: no time in row {row}", column=asked.column, row=row
        )
    times: Times = ns.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return times


def _first_bad_time(column: pa.Array, asked: Timestamp) -> int | None:
    """The first row whose time cannot be read, by halving; None where no single row is to blame."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        part = column.slice(low, middle - low)
        try:
            times_from(part, Timestamp(asked.column, asked.unit, asked.format), "")
        except BadRecording:
            high = middle
        else:
            low = middle
    return low if high > low else None


def units_from(column: pa.Array | None, spec: CycleSpec, name: str, rows: int) -> dict[str, Rows]:
    """Which rows belong to which unit, from the unit column or the file's name."""
    named = re.search(r"(?:^|/)unit=([^/]+)/", name)
    if column is None:
        pattern = spec.unit.pattern or "(?!)"
        found = re.search(pattern, name.rsplit("/", 1)[-1]) or re.search(pattern, name)
        if not found:
            raise BadRecording(
                "missing-unit",
                f"{name}: the name does not match unit pattern {spec.unit.pattern!r}",
            )
        units: dict[str, Rows] = {_unit_name(found["unit"], name, None): slice(0, rows)}
        _refuse_strangers(units, named[1] if named else None, spec, name)
        return units
    if pa.types.is_floating(column.type):
        raise BadRecording(
            "wrong-type",
            f"{name}: units are text or whole numbers, not {column.type}",
            column=spec.unit.column,
        )
    codes = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if codes.indices.null_count:
        row = pc.index(codes.indices.is_null(), value=True).as_py()
        raise BadRecording(
            "missing-unit", f"{name}: no unit in row {row}", column=spec.unit.column, row=row
        )
    units = {}
    index = codes.indices.to_numpy()
    single = int(index.min()) == int(index.max())
    for code in index[:1] if single else np.unique(index):
        unit = _unit_name(str(codes.dictionary[int(code)].as_py()), name, spec.unit.column)
        own = np.arange(rows) if single else np.flatnonzero(index == code)
        contiguous = own[-1] - own[0] + 1 == len(own)
        units[unit] = slice(int(own[0]), int(own[-1]) + 1) if contiguous else own
    _refuse_strangers(units, named[1] if named else None, spec, name)
    return units


def _refuse_strangers(
    units: dict[str, Rows], named: str | None, spec: CycleSpec, name: str
) -> None:
    """Refuse rows of another unit than the key names with ``unit=<name>/``."""
    strangers = [unit for unit in units if named is not None and unit != named]
    if strangers:
        raise BadRecording(
            "wrong-unit",
            f"{name}: rows of unit {strangers[0]!r} under the key of unit {named!r}",
            column=spec.unit.column,
        )


def _unit_name(unit: str, name: str, column: str | None) -> str:
    if not UNIT_NAME.fullmatch(unit):
        raise BadRecording(
            "wrong-unit",
            f"{name}: a unit is named with 1 to 128 letters, digits and ._:+-, not {unit[:40]!r}",
            column=column,
        )
    return unit


def check_times(times: Times, rows: Rows, spec: CycleSpec, name: str) -> None:
    """Refuse times that go back, come twice, or jump as only a wrong clock does."""
    if len(times) < 2:
        return
    steps = np.diff(times)
    low, high = int(steps.min()), int(steps.max())
    if low > 0 and high <= spec.max_jump_ns:
        return
    k = int(np.argmax(steps <= 0)) if low <= 0 else int(np.argmax(steps))
    row = int(k + 1 + rows.start) if isinstance(rows, slice) else int(rows[k + 1])
    moment = f"{_iso(int(times[k]))} then {_iso(int(times[k + 1]))} in row {row}"
    if low <= 0:
        kind = (
            ("time-twice", "a time comes twice")
            if steps[k] == 0
            else ("time-back", "time goes back")
        )
    else:
        kind = ("clock-jump", f"time jumps by more than {spec.max_jump_ns / 1e9:g} s")
    raise BadRecording(
        kind[0], f"{name}: {kind[1]}: {moment}", column=spec.timestamp.column, row=row
    )


def _iso(ns: int) -> str:
    if not 0 <= ns < 253_402_300_799_000_000_000:
        return f"{ns / 1e9:.0f} s"
    return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="milliseconds")
