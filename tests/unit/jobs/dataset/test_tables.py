"""Cycle tables as others write them: text with and without a header, CSV, Parquet, whole and torn."""

from __future__ import annotations

import gzip
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cli.workloads import load
from cycles.errors import BadHistory
from jobs.dataset.tables import columns_of, faults_from, histories, table_files
from signalbox.contracts.workload import Workload
from simulator.fleet import Fleet
from tests.pumps import FEATURES, fleet, workload

TURBOFAN = load("turbofan")


def read(path, told=None, columns=None):
    told = told or workload()
    return list(histories(table_files(path), told, columns or columns_of(told)))


def refused(path, told=None, columns=None):
    with pytest.raises(BadHistory) as problem:
        read(path, told, columns)
    return problem.value


def text_of_engines(tail="  "):
    """Two engines as the C-MAPSS files have them: 26 columns, blanks between and at the end."""
    rng = np.random.default_rng(0)
    lines = []
    for unit, cycles in ((1, 5), (2, 3)):
        for cycle in range(1, cycles + 1):
            values = [f"{value:.4f}" for value in rng.normal(100, 5, 24)]
            lines.append(" ".join([str(unit), str(cycle), *values]) + tail)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("ending", ["txt", "txt.gz"])
@pytest.mark.parametrize("tail", ["", "  ", "\r"])
def test_text_without_a_header_is_read_by_the_workloads_columns(tmp_path, ending, tail):
    text = text_of_engines(tail)
    raw = gzip.compress(text.encode()) if ending.endswith("gz") else text.encode()
    (tmp_path / f"train.{ending}").write_bytes(raw)
    one, two = read(tmp_path, TURBOFAN)
    assert (one.unit, two.unit) == ("1", "2")
    assert one.cycles.tolist() == one.times.tolist() == [1, 2, 3, 4, 5]
    place = TURBOFAN.table.columns.index("s12")
    expected = [float(line.split()[place]) for line in text.splitlines()[5:]]
    np.testing.assert_allclose(two.values[:, columns_of(TURBOFAN).index("s12")], expected)


@pytest.mark.parametrize("separator", [";", "|", "\t", ","])
def test_any_one_character_may_separate_text_without_a_header(tmp_path, separator):
    told = workload()
    table = told.table.model_copy(
        update={"columns": ["pump", "run", *FEATURES], "separator": separator}
    )
    told = told.model_copy(update={"table": table})
    fleet(2).to_csv(tmp_path / "pumps.txt", sep=separator, header=False, index=False)
    assert [each.unit for each in read(tmp_path, told)] == ["1", "2"]


def test_a_missing_reading_in_the_first_line_does_not_make_it_a_header(tmp_path):
    told = workload()
    table = told.table.model_copy(update={"columns": ["pump", "run", *FEATURES]})
    (tmp_path / "pumps.csv").write_text("1,1,,2.0,3.0\n1,2,4.0,5.0,6.0\n")
    (one,) = read(tmp_path, told.model_copy(update={"table": table}))
    np.testing.assert_array_equal(one.values, [[np.nan, 2, 3], [4, 5, 6]])


def test_too_few_columns_are_refused_with_both_counts(tmp_path):
    (tmp_path / "train.txt").write_text("1 1 0.5\n")
    problem = refused(tmp_path, TURBOFAN)
    assert problem.reason == "wrong-width"
    assert "3 columns" in problem.message
    assert "26" in problem.message


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_csv_with_a_header_and_parquet_say_the_same(tmp_path, ending):
    table = fleet(4).sample(frac=1, random_state=0)  # in any order
    if ending == "parquet":
        table.to_parquet(tmp_path / "pumps.parquet")
    else:
        table.to_csv(tmp_path / f"pumps.{ending}", index=False)
    found = read(tmp_path)
    assert [each.unit for each in found] == ["1", "2", "3", "4"]
    for each in found:
        own = table[table["pump"] == int(each.unit)].sort_values("run")
        np.testing.assert_array_equal(each.times, own["run"])
        np.testing.assert_allclose(each.values, own[FEATURES].to_numpy(), rtol=1e-6)
        assert each.values.dtype == np.float32


def test_a_header_counts_even_where_the_workload_names_columns(tmp_path):
    told = workload()
    table = told.table.model_copy(update={"columns": ["pump", "run", *FEATURES]})
    fleet(2)[["run", "pump", *reversed(FEATURES)]].to_csv(tmp_path / "pumps.csv", index=False)
    found = read(tmp_path, told.model_copy(update={"table": table}))
    assert found[0].values[:, 0].mean() == pytest.approx(9_000, abs=20)


def test_unit_three_is_three_however_it_is_written(tmp_path):
    table = fleet(3)
    table["pump"] = table["pump"].astype(float)
    table.to_csv(tmp_path / "a.csv", index=False)
    assert [each.unit for each in read(tmp_path)] == ["1", "2", "3"]
    table["pump"] = [f"p{int(unit)}.0" for unit in table["pump"]]
    table.to_csv(tmp_path / "a.csv", index=False)
    assert [each.unit for each in read(tmp_path)] == ["p1.0", "p2.0", "p3.0"]


def test_a_row_of_no_unit_is_refused(tmp_path):
    table = fleet(2).astype({"pump": float})
    table.loc[3, "pump"] = np.nan
    table.to_parquet(tmp_path / "a.parquet")
    problem = refused(tmp_path)
    assert problem.reason == "no-unit-name"
    assert "pump" in problem.message


def test_a_unit_in_two_files_is_refused_with_both_named(tmp_path):
    fleet(2).to_csv(tmp_path / "one.csv", index=False)
    fleet(3).tail(9).assign(pump=2).to_csv(tmp_path / "two.csv", index=False)
    problem = refused(tmp_path)
    assert problem.reason == "unit-twice"
    assert all(word in problem.message for word in ("unit 2", "one.csv", "two.csv"))


def test_a_cycle_that_comes_twice_is_refused(tmp_path):
    table = fleet(2)
    pd.concat([table, table.iloc[[70]]]).to_csv(tmp_path / "a.csv", index=False)
    problem = refused(tmp_path)
    assert problem.reason == "cycle-twice"
    assert f"unit {table['pump'][70]}" in problem.message


def test_all_missing_columns_are_named(tmp_path):
    fleet(2).drop(columns=["flow", "noise", "run"]).to_csv(tmp_path / "a.csv", index=False)
    problem = refused(tmp_path)
    assert problem.reason == "missing-features"
    assert problem.message == "a.csv lacks run, flow, noise"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [("heat", "warm", "not-numbers"), ("run", "first", "not-numbers"), ("run", "", "not-numbers")],
)
def test_text_in_place_of_a_number_is_refused(tmp_path, column, value, reason):
    table = fleet(2).astype({column: object})
    table.loc[5, column] = value
    table.to_csv(tmp_path / "a.csv", index=False)
    assert refused(tmp_path).reason == reason


def test_gaps_are_kept_as_gaps(tmp_path):
    table = fleet(1)
    table.loc[4, "heat"] = np.nan
    table.to_csv(tmp_path / "a.csv", index=False)
    assert np.flatnonzero(np.isnan(read(tmp_path)[0].values[:, 1])).tolist() == [4]


def test_a_folder_without_a_table_is_refused(tmp_path):
    (tmp_path / "readme.md").write_text("nothing")
    assert refused(tmp_path).reason == "no-table"
    assert refused(tmp_path / "nowhere").reason == "no-table"


def unreadable():
    whole = gzip.compress(text_of_engines().encode())
    harmed = bytearray(whole)
    for place in range(20, len(harmed) - 20, 7):
        harmed[place] ^= 0xFF
    return {
        "torn.csv.gz": whole[: len(whole) // 2],
        "harmed.csv.gz": bytes(harmed),
        "fake.parquet": b"PAR1 but not really",
        "empty.csv": b"",
        "binary.csv": b"\x80\x81\x82,\n",
    }


@pytest.mark.parametrize("name", unreadable())
def test_a_torn_or_harmed_file_is_refused_by_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(unreadable()[name])
    problem = refused(tmp_path)
    assert problem.reason == "unreadable"
    assert name in problem.message


def test_a_table_of_the_house_is_read_by_the_hvac_workload(tmp_path):
    pumps = Fleet(units=2, days=2, seed=3, start=date(2024, 6, 1))
    told = load("hvac")
    for unit in pumps.units:
        pq.write_table(pumps.cycle_history(unit), tmp_path / f"{unit}.parquet")
    found = read(tmp_path, told)
    assert [each.unit for each in found] == sorted(pumps.units)
    expected = pumps.cycle_history(found[0].unit)
    assert found[0].values.shape == (expected.num_rows, len(columns_of(told)))
    assert found[0].cycles.tolist() == list(range(1, expected.num_rows + 1))
    day = date(2024, 6, 1).toordinal() - date(1970, 1, 1).toordinal()
    assert ((found[0].times > day) & (found[0].times < day + 3)).all()
    np.testing.assert_array_equal(
        found[0].values[:, 0], expected["duration_s"].to_numpy().astype(np.float32)
    )


def test_columns_are_those_told_else_those_of_the_table_else_all_statistics():
    assert columns_of(workload()) == FEATURES
    assert columns_of(workload(features=["heat"])) == ["heat"]
    hvac = columns_of(load("hvac"))
    assert hvac[0] == "duration_s"
    assert "suction_pressure__std" in hvac
    assert len(set(hvac)) == len(hvac)


def test_a_fault_log_says_when_each_unit_failed(tmp_path):
    (tmp_path / "faults.csv").write_text("unit,cycle\n3,50\n1,20\n3,10\n")
    found = faults_from(tmp_path / "faults.csv", workload())
    assert {unit: times.tolist() for unit, times in found.items()} == {"1": [20], "3": [10, 50]}


def days() -> Workload:
    return workload(time="days", run_to_failure=False)


def test_faults_by_the_calendar_are_days_and_withdrawn_ones_do_not_count(tmp_path):
    (tmp_path / "faults.csv").write_text(
        "unit,failed_at,withdrawn\na,1970-01-02T12:00:00Z,false\na,1970-01-04,true\nb,1970-01-11,\n"
    )
    found = faults_from(tmp_path / "faults.csv", days())
    assert {unit: times.tolist() for unit, times in found.items()} == {"a": [1.5], "b": [10]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("unit,when\na,1970-01-02\n", "missing-features"),
        ("unit,failed_at\na,soon\n", "not-a-time"),
        ("", "unreadable"),
    ],
)
def test_a_fault_log_that_says_nothing_is_refused(tmp_path, text, reason):
    (tmp_path / "faults.csv").write_text(text)
    with pytest.raises(BadHistory) as problem:
        faults_from(tmp_path / "faults.csv", days())
    assert problem.value.reason == reason
