"""A ratio between engines means something only if they compute the same numbers."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from benchmarks.coldstart import PROGRAM, link_distribution
from benchmarks.engines import ENGINES, Task
from benchmarks.features import refuse_other_cycles, unit_day
from benchmarks.figures import Figure, Ratio, show, write
from benchmarks.rounds import Cost, ratio, take_turns
from benchmarks.unitday import UnitDay
from tests import reference

DAY = UnitDay(rows=9_000, sensors=5, cycles=4)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return unit_day(tmp_path_factory.mktemp("bench") / "day", DAY)


@pytest.fixture(scope="module")
def expected(task):
    table = pq.read_table(task.path)
    columns = {name: table[name].to_pylist() for name in DAY.names}
    times = [1_000_000 * ms for ms in table["ts"].cast("int64").to_pylist()]
    return reference.cycles(times, columns, task.workload)


@pytest.mark.parametrize("engine", ["kernel", "pandas", "polars"])
def test_every_engine_gives_the_numbers_of_the_reference(engine, task, expected):
    found = ENGINES[engine](task)()
    assert len(expected) == 4
    for k, want in enumerate(expected):
        row = {name: float(found[name][k]) for name in want if "__" in name}
        row |= {name: want[name] for name in ("start", "end", "rows")}
        # seconds that are not counted in whole nanoseconds are exact to rounding only
        above = {name for name in want if name.endswith("__above_s")}
        assert [row[name] for name in above] == pytest.approx([want[name] for name in above])
        row |= {name: want[name] for name in above}
        assert reference.differences(row, want) == []


def test_the_day_is_as_it_says(task, expected):
    table = pq.read_table(task.path)
    assert table.num_rows == 9_000
    assert [row["rows"] for row in expected] == [b - a for a, b in task.ranges]
    assert 0.35 < sum(row["rows"] for row in expected) / 9_000 < 0.65
    assert all(np.isnan(table[name].to_numpy()).any() for name in DAY.names[1:])
    by_level = [[row[f"s0{k}__above_s"] for row in expected] for k in range(3)]
    crossed, never, always = by_level
    assert never == [0.0] * 4
    seconds = [(row["end"] - row["start"]) / 1e9 for row in expected]
    assert all(0 < a < b for a, b in zip(crossed, seconds, strict=True))
    assert max(a / b for a, b in zip(always, seconds, strict=True)) == 1.0


def test_decode_reads_all_the_kernel_reads_and_computes_nothing(task, monkeypatch):
    read = []
    original = pq.ParquetFile.read

    def noting(self, columns, **rest):
        read.extend(columns)
        return original(self, columns=columns, **rest)

    monkeypatch.setattr(pq.ParquetFile, "read", noting)
    assert ENGINES["decode"](task)() == {}
    by_decode, read[:] = sorted(read), []
    ENGINES["kernel"](task)()
    assert by_decode == sorted(read) == sorted(["ts", "unit", *DAY.names])


def test_engines_given_other_cycles_than_the_kernel_finds_are_refused(task):
    wrong = Task(task.path, task.workload, [(a, b + 1) for a, b in task.ranges])
    with pytest.raises(ValueError, match="the kernel finds cycles"):
        refuse_other_cycles(wrong)


def test_workers_take_turns_and_say_what_it_cost(task):
    place = task.path.parent
    costs = take_turns({"decode": ("decode", place), "kernel": ("kernel", place)}, 2)
    assert {name: len(told) for name, told in costs.items()} == {"decode": 2, "kernel": 2}
    assert all(0 < c.cpu_s < 10 and 20 < c.rss_mb < 1000 for told in costs.values() for c in told)


def test_ratios_are_taken_within_rounds():
    slow = [Cost(2.0, 0, 0), Cost(30.0, 0, 0), Cost(4.0, 0, 0)]
    fast = [Cost(1.0, 0, 0), Cost(10.0, 0, 0), Cost(1.0, 0, 0)]
    assert ratio(slow, fast) == Ratio(median=3.0, least=2.0, greatest=4.0)


def test_a_target_is_the_most_or_the_least_that_is_wanted(tmp_path):
    value = Ratio.of([1.3])
    figures = [
        Figure("a", value, "at most", 1.35),
        Figure("b", value, "at least", 1.35),
        Figure("c", value),
    ]
    assert [figure.met for figure in figures] == [True, False, None]
    with (tmp_path / "table.txt").open("w") as file:
        show(figures, "one round", Console(file=file, width=100))
    lines = (tmp_path / "table.txt").read_text().splitlines()
    assert [("yes" in line, "no" in line) for line in lines if "1.30" in line] == [
        (True, False), (False, True), (False, False),
    ]  # fmt: skip
    write(figures, "one round", tmp_path / "figures.json")
    told = json.loads((tmp_path / "figures.json").read_text())
    assert [figure["met"] for figure in told["figures"]] == [True, False, None]
    assert "numpy" in told["machine"]


def test_a_cold_start_sees_boto3_and_nothing_else_of_the_environment(tmp_path):
    import subprocess

    link_distribution("boto3", tmp_path / "runtime")

    def imports(name):
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            PROGRAM,
            f"import {name}",
            str(tmp_path / "runtime"),
        ]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert imports("boto3")
    assert imports("dateutil.tz")
    assert not imports("pydantic")
    assert not imports("numpy")
