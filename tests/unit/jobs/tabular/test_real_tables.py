"""Abalone and the air of Beijing: at least as good as a default gradient boosting on the same split."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from cli.workloads import load
from jobs.tabular.baseline import draw
from jobs.tabular.check_data import check_data, own_of, sent
from jobs.tabular.preprocess import read
from jobs.tabular.tables import read_table
from tests.shells import Program


def judged(tmp_path, name, files):
    (tmp_path / "data").mkdir()
    for path in files:
        shutil.copy(path, tmp_path / "data")
    section = load(name).tabular.model_dump(mode="json")
    made = Program(tmp_path, name, section).trained(tmp_path / "data")
    return made, json.loads((made["evaluation"] / "comparison.json").read_text())


def test_abalone(tmp_path, real_data):
    _, compared = judged(tmp_path, "abalone", [real_data("abalone/abalone.csv")])
    assert compared["model"]["rmse"] <= compared["default"]["rmse"]
    assert compared["model"]["rmse"] == pytest.approx(1.992, abs=0.02)


def test_air_quality_of_a_station_that_was_not_trained_on(tmp_path, real_data):
    files = sorted(real_data("beijing_multisite").glob("*.csv.gz"))
    made, compared = judged(tmp_path, "air_quality", files)
    stations = {
        name: set(read(made[name])[0]["station"].to_pylist())
        for name in ("train", "validation", "test")
    }
    assert len(set.union(*stations.values())) == sum(map(len, stations.values())) == 3
    assert compared["model"]["auc"] >= compared["default"]["auc"]
    assert compared["constant"]["auc"] == 0.5


@pytest.mark.parametrize("months", [(2016, 3), (2016, 7), (2016, 11), (2017, 1)])
def test_a_month_after_three_years_of_weather_is_no_news(tmp_path, real_data, months):
    files = sorted(real_data("beijing_multisite").glob("*.csv.gz"))
    told = load("air_quality").tabular
    before = cut(files, tmp_path / "before", lambda year, month: (year, month) < (2016, 3))
    after = cut(files, tmp_path / "after", lambda year, month: (year, month) == months)
    draw(sent(before, told, predicted=False), told.columns, told.drift, tmp_path / "baseline")
    rows = sent(after, told, predicted=False)
    found = check_data(rows, own_of(told), tmp_path / "baseline", tmp_path / "out")
    assert [(each.feature_name, each.description) for each in found.violations] == []


def cut(files, folder, wanted):
    """The same files with the hours of some months alone."""
    folder.mkdir()
    for path in files:
        table = read_table(path)
        calendar = zip(table["year"].to_pylist(), table["month"].to_pylist(), strict=True)
        kept = pa.array([wanted(int(year), int(month)) for year, month in calendar])
        pacsv.write_csv(table.filter(kept), folder / path.name.removesuffix(".gz"))
    return folder
