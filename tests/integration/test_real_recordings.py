"""Real recordings through `signalbox features`, held against an independent float64 reading of the rules."""

from __future__ import annotations

import csv
import gzip
import math
from datetime import UTC, datetime
from itertools import pairwise

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.workloads import load
from tests import reference

NULLS = {"", "#VALUE!"}


def read(path, time_column, time_format):
    """Times (ns) and columns of a CSV, by the standard library alone."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        header, *rows = csv.reader(file)
    names = [name.strip() for name in header]
    place = names.index(time_column)
    times = [
        int(datetime.strptime(row[place], time_format).replace(tzinfo=UTC).timestamp()) * 10**9
        for row in rows
    ]
    columns = {
        name: [math.nan if row[k] in NULLS else float(row[k]) for row in rows]
        for k, name in enumerate(names)
        if name != time_column
    }
    return times, columns


def compare(path, workload, out, time_column, time_format):
    """Run the command on the file; return its rows after holding each against the reference."""
    ran = CliRunner().invoke(app, ["features", str(path), "--spec", workload, "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    times, columns = read(path, time_column, time_format)
    mapping = load(workload).mapping()
    for sensor in mapping["sensors"]:
        columns.setdefault(sensor["name"], [math.nan] * len(times))
    expected = reference.cycles(times, columns, mapping)
    table = pq.read_table(out)
    rows = table.to_pylist()
    starts, ends = (table[c].cast("int64").to_pylist() for c in ("cycle_start", "cycle_end"))
    assert len(rows) == len(expected)
    for row, start, end, want in zip(rows, starts, ends, expected, strict=True):
        row |= {"start": start, "end": end}
        assert reference.differences(row, want) == []
        assert row["duration_s"] == (end - start) / 1e9
    return rows


def test_metropt3_has_its_five_motor_starts(real_data, tmp_path):
    path = real_data("metropt3_sample/MetroPT3_first1000.csv")
    rows = compare(path, "metropt3", tmp_path / "out.parquet", "timestamp", "%Y-%m-%d %H:%M:%S")
    assert len(rows) == 5
    assert {row["unit"] for row in rows} == {"MetroPT3"}
    assert [row["rows"] for row in rows] == [53, 51, 52, 52, 44]


@pytest.mark.parametrize(("unit", "runs"), [("MZVAV-2-1", 15), ("SZVAV", 3)])
def test_an_air_handler_gives_one_result_per_run_and_days_are_not_joined_across_a_gap(
    real_data, tmp_path, unit, runs
):
    path = real_data(f"lbnl_ahu/{unit}.csv.gz")
    rows = compare(path, "lbnl_ahu", tmp_path / "out.parquet", "Datetime", "%m/%d/%Y %H:%M")
    assert len(rows) == runs
    times, _ = read(path, "Datetime", "%m/%d/%Y %H:%M")
    gaps = [a for a, b in pairwise(times) if b - a > 3600 * 10**9]
    assert gaps
    for row in rows:
        assert not [gap for gap in gaps if row["start"] <= gap < row["end"]]


def test_both_air_handlers_at_once_keep_their_units_apart(real_data, tmp_path):
    folder = real_data("lbnl_ahu/SZVAV.csv.gz").parent
    out = tmp_path / "out.parquet"
    ran = CliRunner().invoke(app, ["features", str(folder), "--spec", "lbnl_ahu", "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    units = pq.read_table(out)["unit"].to_pylist()
    assert (units.count("MZVAV-2-1"), units.count("SZVAV")) == (15, 3)
