"""The three workloads fit the recordings they are for."""

from pathlib import Path

import pytest
import yaml

from cycles import CycleSpec, cut, stitch
from signalbox.contracts.workload import Workload
from simulator.catalogue import BY_NAME
from simulator.selection import HVAC_WORKLOAD, hvac_selection

FOLDER = HVAC_WORKLOAD.parent


def mapping(name: str) -> dict:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def cycles_of(name: str, *files: Path):
    spec = CycleSpec.from_mapping(mapping(name))
    found = [(f"raw/{name}/{f.name}", cut(f, spec, f"raw/{name}/{f.name}")) for f in files]

    def no_overlap(key: str):
        raise AssertionError(key)

    result = stitch(found, spec, no_overlap)
    assert result.rejected == ()
    return result.table


@pytest.mark.parametrize("name", ["hvac", "metropt3", "lbnl_ahu"])
def test_each_workload_is_valid_and_named_like_its_file(name):
    assert Workload.model_validate(mapping(name)).name == name


def test_hvac_selects_sixty_six_statistics_of_sensors_there_are():
    wanted = hvac_selection()
    assert sum(len(w.statistics) for w in wanted) == 66
    assert {w.sensor for w in wanted} <= set(BY_NAME)
    assert mapping("hvac")["cycles"]["running"]["signal"] in BY_NAME


def test_metropt3_starts_its_motor_five_times(real_data):
    table = cycles_of("metropt3", real_data("metropt3_sample/MetroPT3_first1000.csv"))
    assert table["unit"].to_pylist() == ["MetroPT3"] * 5
    assert [t.strftime("%H:%M:%S") for t in table["cycle_start"].to_pylist()] == [
        "00:23:08", "00:57:19", "01:30:41", "02:04:23", "02:37:54",
    ]  # fmt: skip
    assert table.num_columns == 5 + 15 * 8 + 1
    assert all(90 <= s <= 110 for s in table["Motor_current__above_s"].to_pylist())


def test_air_handlers_run_over_midnight_and_never_over_a_gap(real_data):
    table = cycles_of(
        "lbnl_ahu", real_data("lbnl_ahu/MZVAV-2-1.csv.gz"), real_data("lbnl_ahu/SZVAV.csv.gz")
    )
    runs = table.to_pylist()
    zones = [r for r in runs if r["unit"] == "MZVAV-2-1"]
    single = [r for r in runs if r["unit"] == "SZVAV"]
    assert len(zones) == 15  # one a day
    assert all(r["cycle_start"].date() == r["cycle_end"].date() for r in zones)
    # Its fan never stops: one run for each stretch of consecutive days.
    assert [(r["cycle_start"].day, r["cycle_end"].day) for r in single] == [
        (11, 12),
        (14, 15),
        (18, 24),
    ]
    assert "Fault Detection Ground Truth__mean" not in table.column_names
    heating = "AHU: Supply Air Temperature Heating Set Point"
    assert {r[f"{heating}__n"] for r in zones} == {0}
    assert all(r[f"{heating}__n"] > 0 for r in single)
