"""Abalone and the air of Beijing: at least as good as a default gradient boosting on the same split."""

from __future__ import annotations

import json
import shutil

import pytest

from cli.workloads import load
from jobs.tabular.preprocess import read
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
