"""The command line: what it prints, writes and answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.recordings import found, simulated
from cli.workloads import UnusableWorkload, load
from tests.conftest import ROOT

SPEC = """
name: pump
description: A pump.
owner: tests
recording: {timestamp: {column: ts}, unit: {column: unit}}
cycles: {running: {signal: power, above: 1.0}, max_gap_s: 60}
sensors: [{name: power}]
"""


@pytest.fixture
def pump(tmp_path: Path) -> Path:
    (tmp_path / "pump.yaml").write_text(SPEC)
    k = np.arange(300)
    table = pa.table(
        {
            "ts": pa.array(1_780_000_000_000 + k * 1000, pa.timestamp("ms")),
            "unit": ["p1"] * 300,
            "power": np.where(k % 100 < 40, 2.0, 0.0),
        }
    )
    (tmp_path / "in").mkdir()
    pq.write_table(table.slice(0, 150), tmp_path / "in" / "a.parquet")
    pq.write_table(table.slice(150), tmp_path / "in" / "b.parquet")
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def signalbox(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


def test_features_writes_one_table_for_all_files(pump):
    ran = run(
        "features", pump / "in", "--spec", pump / "pump.yaml", "-o", pump / "deep" / "out.parquet"
    )
    assert ran.exit_code == 0, ran.output
    table = pq.read_table(pump / "deep" / "out.parquet")
    assert table["rows"].to_pylist() == [40, 40, 40]
    assert "p1" in ran.output
    again = run(
        "features",
        pump / "in",
        pump / "in" / "a.parquet",
        "--spec",
        pump / "pump.yaml",
        "-o",
        pump / "b.csv",
    )
    assert again.exit_code == 0
    assert len((pump / "b.csv").read_text().splitlines()) == 4


def test_a_rejected_file_is_told_and_the_others_are_done(pump):
    (pump / "in" / "c.parquet").write_bytes(b"PAR1")
    ran = run("features", pump / "in", "--spec", pump / "pump.yaml", "-o", pump / "out.parquet")
    assert ran.exit_code == 1
    assert "footer" in ran.output
    assert pq.read_table(pump / "out.parquet").num_rows == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("features", "nowhere.parquet", "--spec", "hvac"), "no such file or folder"),
        (("features", ".ci", "--spec", "hvac"), "no .parquet, .csv, .csv.gz files"),
        (("features", "README.md", "--spec", "nobody"), "no workload 'nobody'"),
        (("trace", "--nonsense"), "No such option"),
        (("upload", "README.md", "--workload", "hvac"), "signalbox up"),
        (("publish", "--model", "docs"), "signalbox up"),
        (("features", "/tmp/x[/red].csv", "--spec", "hvac"), "/tmp/x[/red].csv: no such file"),
        (("demo", "-o", "README.md"), "README.md"),
        (("package", "--bucket", "none", "--endpoint-url", "http://127.0.0.1:9"), "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_exit_code_2(
    arguments, words, monkeypatch, tmp_path
):
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path))
    ran = signalbox(*arguments)
    assert ran.returncode == 2
    assert words in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("owner: tests", "owner"),
        ("max_gap_s: 60", "cycles.max_gap_s"),
        ("name: power", "sensors.0.name"),
    ],
)
def test_a_broken_workload_names_the_field(pump, change, place):
    broken = pump / "broken.yaml"
    broken.write_text(SPEC.replace(change, change.split(":")[0] + "_: 1"))
    with pytest.raises(UnusableWorkload) as caught:
        load(str(broken))
    assert f"  {place}:" in str(caught.value)
    broken.write_text("a: [")
    with pytest.raises(UnusableWorkload, match="not yaml"):
        load(str(broken))


def test_found_recordings_go_to_the_workload_that_reads_them(pump, real_data):
    root = real_data("metropt3_sample/MetroPT3_first1000.csv").parent.parent
    drops, strangers = found(root)
    by_workload = {drop.workload: drop.key for drop in drops}
    assert by_workload["metropt3"] == "raw/metropt3/metropt3_sample/MetroPT3_first1000.csv"
    assert by_workload["lbnl_ahu"].startswith("raw/lbnl_ahu/lbnl_ahu/")
    assert {path.name for path in strangers} >= {"abalone.csv"}
    assert all(strangers.values())


def test_a_simulated_file_damaged_on_disk_is_made_again(tmp_path):
    def make():
        return simulated(tmp_path, 1, 1, 3, lambda *_: None)

    (drop,) = make()
    whole = drop.path.read_bytes()
    drop.path.write_bytes(whole[:1000])
    make()
    assert drop.path.read_bytes() == whole


def test_a_folder_holds_one_fleet(tmp_path):
    assert signalbox("simulate", tmp_path, "--units", 1, "--days", 1, "--seed", 1).returncode == 0
    other = signalbox("simulate", tmp_path, "--units", 1, "--days", 1, "--seed", 2)
    assert other.returncode == 2
    assert "take another folder" in " ".join(other.stderr.split())
