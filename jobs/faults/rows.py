"""Rows of cycles as they came: cycle tables and fault logs told apart, and each row with its unit and time.

A row is called ``<unit>#<cycle>`` where cycles come ready, else ``<unit>#<end of the cycle>`` in ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cycles.errors import BadHistory
from jobs.dataset.tables import (
    ENDINGS,
    FAILED_AT,
    OWN,
    History,
    measured,
    of_frame,
    read_frame,
)
from jobs.tabular.tables import files_of, first_line, joined, read_table, require
from signalbox.contracts.tabular import ADDED, ID
from signalbox.contracts.workload import Workload
from signalbox.errors import Rejected

UNIT, RAW = "unit", "raw.parquet"


@dataclass(frozen=True)
class Given:
    """The files of a folder: cycle tables, and fault logs (CSV, Parquet with ``unit`` and ``failed_at``)."""

    cycles: list[Path]
    faults: list[Path]


def sorted_out(folder: Path) -> Given:
    """Tell cycle tables and fault logs of a folder apart, however deep they lie.

    Raises:
        Rejected: there is no file, another kind of file, or one that cannot be read.
    """
    given = Given([], [])
    for path in sorted(folder.rglob("*") if folder.is_dir() else []):
        if not path.is_file() or path.name.startswith((".", "_")):
            continue
        if not path.name.endswith(ENDINGS):
            raise Rejected("bad-file", f"{path.name} is no table; send {', '.join(ENDINGS)}")
        (given.faults if _is_fault_log(path) else given.cycles).append(path)
    if not given.cycles and not given.faults:
        raise Rejected("no-file", f"no table in {folder.name}; send {', '.join(ENDINGS)}")
    return given


def _is_fault_log(path: Path) -> bool:
    if path.name.endswith(".parquet"):
        try:
            names = pq.read_schema(path).names
        except (OSError, pa.ArrowException) as problem:
            raise Rejected("bad-file", f"{path.name} cannot be read: {problem}") from problem
    else:
        names = first_line(path) if ".csv" in path.name else []
    return {UNIT, FAILED_AT} <= set(names)


def cycles_of(given: Given, folder: Path) -> list[Path]:
    """The cycle tables.

    Raises:
        BadHistory: there is none.
    """
    if not given.cycles:
        raise BadHistory("no-table", f"{folder.name} holds no cycle table, only a fault log")
    return given.cycles


def known(workload: Workload) -> set[str]:
    """Columns that are no news: what the workload names, and what the house adds."""
    table = workload.table
    if table is not None:
        return {*ADDED, UNIT, table.unit, table.cycle, *table.features, *(table.columns or [])}
    named = {
        f"{sensor.name}__{statistic}"
        for sensor in workload.sensors or []
        for statistic in sensor.statistics or workload.statistics
    }
    return {*ADDED, UNIT, *OWN, "duration_s", *named}


def named_rows(
    files: Sequence[Path], workload: Workload, columns: Sequence[str]
) -> Iterator[tuple[History, pd.DataFrame]]:
    """Units with their rows as they came: ``id``, ``unit``, ``columns``, and what the workload does not name.

    Raises:
        BadHistory: as for :func:`jobs.dataset.tables.histories`.
        Rejected: a column has a name that the house adds itself.
    """
    unnamed = known(workload)
    when = workload.table.cycle if workload.table is not None else "cycle_end"
    for history, frame in measured(files, workload, columns):
        taken = ADDED & {str(name) for name in frame.columns}
        if taken:
            raise Rejected(
                "name-taken", f"the tables have {', '.join(sorted(taken))}; send cycles alone"
            )
        own = frame.iloc[history.rows]
        kept = [*columns, *(name for name in own.columns if name not in unnamed)]
        told = own[kept].reset_index(drop=True)
        moments = _moments(own[when], ready=workload.table is not None)
        told.insert(0, UNIT, history.unit)
        told.insert(0, ID, [f"{history.unit}#{moment}" for moment in moments])
        yield history, told


def _moments(column: pd.Series, *, ready: bool) -> list[str]:
    if ready:
        return [f"{number:.15g}" for number in pd.to_numeric(column)]
    notation = "ISO8601" if column.dtype == object else None
    return [each.isoformat() for each in pd.to_datetime(column, utc=True, format=notation)]


def sent(folder: Path, workload: Workload, *, predicted: bool) -> pa.Table:
    """Read rows to be held against the baseline, whatever they lack: predictions, or cycle tables.

    Raises:
        Rejected: a file cannot be read, or holds no rows.
        BadHistory: there is no cycle table.
    """
    if predicted:
        return joined([read_table(path) for path in files_of(folder)])
    tables = []
    for path in cycles_of(sorted_out(folder), folder):
        frame = read_frame(path, workload.table)
        tables.append(pa.table({str(name): _plain(frame[name]) for name in frame.columns}))
    return joined(tables)


def _plain(column: pd.Series) -> pa.Array:
    """Numbers as they are, all else as text."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return pa.array(column, from_pandas=True)
    return pa.array([None if pd.isna(each) else str(each) for each in column], pa.string())


def write_raw(frames: Sequence[pd.DataFrame], folder: Path) -> None:
    """Keep rows as they came beside what was made of them."""
    pd.concat(frames, ignore_index=True).to_parquet(folder / RAW, index=False, compression="zstd")


def raw_table(folder: Path) -> pa.Table:
    """The rows that :func:`write_raw` kept.

    Raises:
        Rejected: they are not there, or not whole.
    """
    if not (folder / RAW).is_file():
        raise Rejected("no-dataset", f"{folder / RAW} is not there; run preprocess first")
    return read_table(folder / RAW)


def units_of(table: pa.Table, workload: Workload, columns: Sequence[str]) -> Iterator[History]:
    """Units again, from rows that were named: raw ones, or predictions.

    Raises:
        Rejected: columns are missing.
        BadHistory: a time is none, a cycle comes twice, or ``columns`` hold no numbers.
    """
    require(table, [ID, UNIT, *columns], "the table")
    frame = table.to_pandas()
    unit, when = UNIT, "cycle_end"
    if workload.table is not None:
        unit, when = workload.table.unit, workload.table.cycle
    told = pd.DataFrame({
        unit: frame[UNIT].astype(str),
        when: frame[ID].astype(str).str.rpartition("#")[2],
        **{name: pd.to_numeric(frame[name], errors="coerce") for name in columns},
    })  # fmt: skip
    yield from of_frame(told, "the table", workload, columns)
