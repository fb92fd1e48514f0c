"""Fleets as files: complete, resumable, readable by whoever gets them."""

import csv
from datetime import date

import pyarrow.parquet as pq
import pytest

from simulator.files import FAULTS, REGISTRY, raw_path, write_fleet
from simulator.fleet import Fleet


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(units=2, seed=7, days=40)


def test_a_fleet_is_written_whole_and_goes_on_where_it_was(fleet, tmp_path):
    seen = []
    paths = write_fleet(
        fleet, tmp_path, fleet.dates[:1], lambda done, of, path: seen.append((done, of, path.name))
    )
    assert [str(p.relative_to(tmp_path)) for p in paths] == [
        "raw/hvac/unit=hp-0001/2024-06-01.parquet",
        "raw/hvac/unit=hp-0002/2024-06-01.parquet",
    ]
    assert seen == [(1, 2, "2024-06-01.parquet"), (2, 2, "2024-06-01.parquet")]
    file = pq.ParquetFile(paths[0])
    assert file.num_row_groups == 1
    assert file.metadata.row_group(0).column(5).compression == "ZSTD"

    kept = paths[0].stat().st_mtime_ns
    first = paths[1].read_bytes()
    paths[1].unlink()
    write_fleet(fleet, tmp_path, fleet.dates[:1])
    assert paths[0].stat().st_mtime_ns == kept
    assert paths[1].read_bytes() == first
    assert (
        sorted(p.name for p in tmp_path.rglob("*") if p.is_file() and p.name.startswith(".")) == []
    )


def test_a_write_that_fails_leaves_no_file_that_looks_whole(fleet, tmp_path):
    folder = tmp_path / "raw" / "hvac"
    folder.mkdir(parents=True)
    (folder / "unit=hp-0001").write_text("in the way")
    with pytest.raises(FileExistsError):
        write_fleet(fleet, tmp_path, fleet.dates[:1])
    assert list(tmp_path.rglob("*.parquet")) == []
    with pytest.raises(ValueError, match="not among"):
        write_fleet(fleet, tmp_path / "other", [date(2020, 1, 1)])
    assert [p.name for p in (tmp_path / "other").rglob("*.part*")] == []


def test_registry_and_faults_as_csv(tmp_path):
    fleet = Fleet(units=12, seed=7, days=120)
    write_fleet(fleet, tmp_path, [])
    with (tmp_path / REGISTRY).open(newline="") as file:
        units = list(csv.DictReader(file))
    assert [row["unit"] for row in units] == list(fleet.units)
    assert all(date.fromisoformat(row["installed"]) < fleet.start for row in units)
    with (tmp_path / FAULTS).open(newline="") as file:
        faults = list(csv.DictReader(file))
    assert len(faults) == fleet.fault_log().num_rows > 0
    assert all(row["failed_at"].endswith("Z") and row["failed_at"][10] == "T" for row in faults)


def test_where_a_unit_day_lies():
    assert raw_path("hp-0007", date(2024, 7, 4)) == "raw/hvac/unit=hp-0007/2024-07-04.parquet"
