"""Cycle tables as they come: Parquet, CSV or blank-separated text, plain or gzipped; a row a cycle.

Either tables that the house made itself (``unit, cycle_end, …, <sensor>__<stat>``), or tables of
others, as the workload's ``table`` describes them.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cycles.errors import BadHistory
from signalbox.contracts.prediction import Table
from signalbox.contracts.workload import Workload

DAY_NS = 86_400_000_000_000
OWN = ("unit", "cycle_start", "cycle_end", "rows")
FAILED_AT = "failed_at"
ENDINGS = (".parquet", ".csv", ".csv.gz", ".txt", ".txt.gz")


@dataclass(frozen=True)
class History:
    """The cycles of one unit, in order.

    Attributes:
        unit: its name.
        cycles: (n,) their numbers as the source has them, or 1, 2, …
        times: (n,) when each ended: days since 1970, or the number.
        values: (n, columns) float32; NaN where there was no reading.
        rows: (n,) where each lies in its table.
    """

    unit: str
    cycles: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]


def columns_of(workload: Workload) -> list[str]:
    """The cycle features that a model of this workload may see, in order."""
    wanted = workload.prediction.features if workload.prediction else None
    if wanted is not None:
        return list(wanted)
    if workload.table is not None:
        return list(workload.table.features)
    sensors = workload.sensors or []
    named = [
        f"{sensor.name}__{statistic}"
        for sensor in sensors
        for statistic in sensor.statistics or workload.statistics
    ]
    return ["duration_s", *named]


def table_files(place: Path) -> list[Path]:
    """The cycle tables that a path names: itself, or all below it.

    Raises:
        BadHistory: there is none.
    """
    found = [place] if place.is_file() else sorted(p for p in place.rglob("*") if _is_table(p.name))
    if not found:
        raise BadHistory("no-table", f"{place}: no cycle table ({', '.join(ENDINGS)}) is there")
    return found


def _is_table(name: str) -> bool:
    return name.endswith(ENDINGS)


def histories(
    files: Sequence[Path], workload: Workload, columns: Sequence[str]
) -> Iterator[History]:
    """Read cycle tables, unit by unit; a unit's cycles must lie in one file.

    Raises:
        BadHistory: a file cannot be read or lacks columns (all are named), a unit is in two files,
            or a cycle comes twice.
    """
    for history, _ in measured(files, workload, columns):
        yield history


def measured(
    files: Sequence[Path], workload: Workload, columns: Sequence[str]
) -> Iterator[tuple[History, pd.DataFrame]]:
    """The same, each beside the table that its rows are of.

    Raises:
        BadHistory: as for :func:`histories`.
    """
    seen: dict[str, Path] = {}
    for path in files:
        frame = read_frame(path, workload.table)
        for history in of_frame(frame, path.name, workload, columns):
            if history.unit in seen:
                raise BadHistory(
                    "unit-twice",
                    f"unit {history.unit} is in {seen[history.unit]} and in {path}; "
                    "put all its cycles into one file",
                )
            seen[history.unit] = path
            yield history, frame


def read_frame(path: Path, table: Table | None) -> pd.DataFrame:
    """Read a table as it is.

    Raises:
        BadHistory: it is not what its ending says, or has other columns than were told.
    """
    try:
        if path.name.endswith(".parquet"):
            return pq.read_table(path).to_pandas()
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        return _text(text.decode("utf-8-sig"), table, path)
    except (OSError, EOFError, ValueError, zlib.error, pa.ArrowException) as problem:
        if isinstance(problem, BadHistory):
            raise
        raise BadHistory("unreadable", f"{path}: {problem}") from problem


def _text(text: str, table: Table | None, path: Path) -> pd.DataFrame:
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = "," if "," in first else r"\s+"
    if separator != "," and table is not None and table.separator not in ("space", ","):
        separator = table.separator
    if table is None or table.columns is None or not _all_numbers(first, separator):
        return pd.read_csv(io.StringIO(text), sep=separator, skipinitialspace=True)
    frame = pd.read_csv(io.StringIO(text), sep=separator, header=None, skipinitialspace=True)
    if frame.shape[1] != len(table.columns):
        raise BadHistory(
            "wrong-width",
            f"{path}: {frame.shape[1]} columns, the workload names {len(table.columns)}",
        )
    return frame.set_axis(table.columns, axis=1)


def _all_numbers(line: str, separator: str) -> bool:
    parts = line.split() if separator == r"\s+" else line.split(separator)
    try:
        return bool([float(part) for part in parts if part.strip()])
    except ValueError:
        return False


def of_frame(
    frame: pd.DataFrame, name: str, workload: Workload, columns: Sequence[str]
) -> Iterator[History]:
    """The units of a table, each with its cycles in order."""
    table = workload.table
    unit, when = (table.unit, table.cycle) if table is not None else ("unit", "cycle_end")
    _refuse_missing(name, set(frame.columns), [unit, when, *columns])
    times = _times(frame[when], name, ready=table is not None)
    if frame[unit].isna().any():
        raise BadHistory("no-unit-name", f"{name}: column {unit} must name the unit of every row")
    labels = frame[unit].map(_unit_name)
    try:
        values = frame[list(columns)].to_numpy(np.float32, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise BadHistory("not-numbers", f"{name}: features must be numbers: {problem}") from problem
    for unit_name, rows in labels.groupby(labels, sort=True).indices.items():
        order = rows[np.argsort(times[rows], kind="stable")]
        own = times[order]
        if (np.diff(own) <= 0).any():
            raise BadHistory("cycle-twice", f"{name}: unit {unit_name} has a cycle twice")
        numbers = own.astype(np.int64) if table is not None else np.arange(1, len(own) + 1)
        yield History(str(unit_name), numbers, own, values[order], order)


def _refuse_missing(name: str, there: set[str], wanted: Sequence[str]) -> None:
    missing = [column for column in wanted if column not in there]
    if missing:
        raise BadHistory("missing-features", f"{name} lacks {', '.join(missing)}")


def _unit_name(value: object) -> str:
    """Text as it is; 3.0, as text files have it, is unit 3."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole and isinstance(value, float) else str(value)


def _times(column: pd.Series, name: str, *, ready: bool) -> npt.NDArray[np.float64]:
    if ready:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
        if not np.isfinite(numbers).all():
            raise BadHistory("not-numbers", f"{name}: column {column.name} must number the cycles")
        return np.asarray(numbers)
    # else pandas takes the first line's notation for that of all: with an hour, with a fraction
    notation = "ISO8601" if column.dtype == object else None
    moments = pd.to_datetime(column, utc=True, errors="coerce", format=notation)
    if moments.isna().any():
        raise BadHistory("not-a-time", f"{name}: column {column.name} must hold ISO 8601 times")
    return np.asarray(moments.dt.as_unit("ns").astype("int64").to_numpy() / DAY_NS)


def faults_from(path: Path, workload: Workload) -> Mapping[str, npt.NDArray[np.float64]]:
    """Read a fault log: of each unit when it failed (days since 1970, or its cycle).

    Raises:
        BadHistory: it lacks ``unit`` and ``failed_at`` (or ``cycle``, where cycles count).
    """
    frame = read_frame(path, None)
    by_cycle = workload.prediction is not None and workload.prediction.time == "cycles"
    when = "cycle" if by_cycle and FAILED_AT not in frame.columns else FAILED_AT
    _refuse_missing(str(path), set(frame.columns), ["unit", when])
    if "withdrawn" in frame.columns:
        frame = frame[~frame["withdrawn"].eq(other=True)]
    times = _times(frame[when], str(path), ready=by_cycle)
    units = frame["unit"].map(_unit_name).to_numpy()
    return {str(unit): np.sort(times[units == unit]) for unit in np.unique(units.astype(str))}


def fault_log(paths: Sequence[Path], workload: Workload) -> Mapping[str, npt.NDArray[np.float64]]:
    """Read fault logs as one; a fault that several of them tell of is one fault.

    Raises:
        BadHistory: as for :func:`faults_from`.
    """
    told: dict[str, npt.NDArray[np.float64]] = {}
    for path in paths:
        for unit, times in faults_from(path, workload).items():
            told[unit] = np.union1d(told.get(unit, np.empty(0)), times)
    return told
