"""From cycle tables to a judged model: parts by unit, the raw rows, formats, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cycles.history import Sequences
from jobs.dataset.build import Sources, build
from jobs.faults.parts import together
from signalbox.adapters.onnx_model import read_schema
from signalbox.contracts.model_quality import ModelQuality
from signalbox.contracts.monitor import Constraints, Statistics
from signalbox.contracts.packages import Smoke, metrics_of
from tests import pumps
from tests.conftest import ROOT
from tests.container_process import tried
from tests.programs import Steps
from tests.unit.jobs.faults.conftest import HEATERS, faults, heated, main, program, written

SPLITS = ("train", "validation", "test")


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_parts_are_the_whole_cut_by_unit_and_training_knows_no_other(made, tmp_path):
    _, folders = made
    whole = build(
        pumps.workload(), Sources(folders["train"].parents[3] / "data" / "pumps.csv"), tmp_path
    )
    parts = [Sequences.read(folders[name]) for name in SPLITS]
    again = together(parts[::-1])
    assert again.units == whole.units
    assert again.manifest["digest"] == whole.manifest["digest"]
    for name in ("features", "offsets", "times", "labels", "eligible"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert [f.tolist() for f in again.faults] == [f.tolist() for f in whole.faults]
    for name, part in zip(SPLITS, parts, strict=True):
        assert set(part.manifest["split"]) == {name}
        raw = pd.read_parquet(folders[name] / "raw.parquet")
        assert set(raw["unit"]) == set(part.units)
        assert len(raw) == len(part.times)
    learner = (folders["train"] / "manifest.json").read_text()
    assert not any(f'"{unit}"' in learner for unit in parts[2].units)


def test_the_files_of_a_training_run_keep_their_formats(made):
    steps, folders = made
    statistics = Statistics.model_validate(read(folders["baseline"], "statistics.json"))
    constraints = Constraints.model_validate(read(folders["baseline"], "constraints.json"))
    assert [f.name for f in statistics.features] == pumps.FEATURES
    assert [f.name for f in constraints.features] == pumps.FEATURES
    raw = pd.read_parquet(folders["train"] / "raw.parquet")
    heat = next(f for f in statistics.features if f.name == "heat").numerical_statistics
    assert heat.mean == pytest.approx(raw["heat"].mean(), rel=1e-12)
    evaluation = read(folders["evaluation"], "evaluation.json")
    alerts = evaluation.pop("signalbox")["alerts"]
    assert {"transformer", "gradient boosting", "always", "never"} <= set(alerts)
    quality = ModelQuality.model_validate(evaluation)
    gate = read(folders["evaluation"], "gate.json")
    assert (gate["passed"], gate["value"]) == (1, quality.value("auc"))
    assert gate["sentence"].startswith("pumps: auc is ")
    assert "auc" in metrics_of((folders["evaluation"] / "evaluation.json").read_bytes())
    assert {p.name for p in folders["unpacked"].iterdir()} == {
        "model.onnx", "model.json", "training.json",
    }  # fmt: skip
    assert (steps.folder / "train" / "output" / "data" / "training-curve.svg").is_file()


def test_the_container_says_again_what_the_model_said_of_a_few_test_windows(made, tmp_path):
    _, folders = made
    sample = Smoke.model_validate(read(folders["evaluation"], "smoke.json"))
    assert len(sample.answers) == 2
    assert tried(folders["unpacked"], sample, tmp_path / "ml") is None


def test_the_last_metric_line_is_of_the_model_that_is_kept(made):
    steps, folders = made
    said = (steps.folder / "said.txt").read_text()
    found = {name: re.findall(f"validation_{name}=(.*?);", said) for name in ("auc", "f1")}
    told = read(folders["unpacked"], "training.json")
    assert len(found["auc"]) == len(told["epochs"]) + 1
    assert float(found["auc"][-1]) == pytest.approx(told["validation"]["auc"], abs=1e-6)
    best = told["epochs"][told["best_epoch"] - 1]["validation_auc"]
    assert told["validation"]["auc"] == pytest.approx(best, abs=1e-4)
    assert float(found["f1"][-1]) == pytest.approx(told["validation"]["f1"], abs=1e-6)


def test_the_comparison_has_all_four(made):
    steps, folders = made
    of = {name: folders[name] for name in (*SPLITS, "model")}
    compared = read(folders["evaluation"], "comparison.json")
    assert compared["approved"] is None
    assert compared["constant"]["auc"] == 0.5
    assert set(compared["default"]) == set(compared["model"]) == {"auc", "f1"}
    code, _, out = steps.run("evaluate", **of, approved=folders["model"])
    assert code == 0
    compared = read(out / "evaluation", "comparison.json")
    # its windows are made anew from raw rows: they lose what float16 rounds
    assert compared["approved"]["auc"] == pytest.approx(compared["model"]["auc"], abs=0.01)


def test_an_approved_model_that_was_asked_another_question_is_not_compared(made, tmp_path):
    steps, folders = made
    other = program(tmp_path, horizon=20, training=pumps.TRAINING | {"epochs": 1})
    mine = other.trained(written(tmp_path / "data", pumps=pumps.fleet(24)))
    of = {name: folders[name] for name in SPLITS}
    code, _, out = steps.run("evaluate", **of, model=folders["model"], approved=mine["model"])
    assert code == 0
    assert read(out / "evaluation", "comparison.json")["approved"] is None
    told = steps.refused("evaluate", **of, model=mine["model"])
    assert "its test units may have been its training units" in told
    mixed = {"train": folders["train"], "validation": mine["validation"]}
    assert "are of different datasets" in other.refused("train", **mixed)


def test_hyperparameters_are_text_and_count(made, tmp_path):
    steps, folders = made
    parts = {name: folders[name] for name in ("train", "validation")}
    own = Steps(tmp_path, main, steps.shipped)
    given = {
        "epochs": "1", "layers": "2", "dropout": "0.2", "seed": "3",
        "_tuning_objective_metric": "validation:auc", "sagemaker_region": "eu-west-1",
    }  # fmt: skip
    code, said, out = own.run("train", hyperparameters=given, **parts)
    assert code == 0
    assert said.count("epoch=") == 1
    assert read_schema(out).version != read_schema(folders["unpacked"]).version
    told = own.refused("train", hyperparameters={"max_iter": "3"}, **parts)
    assert "max_iter: there are seed, int8, batch" in told
    assert "learning_rate" in own.refused(
        "train", hyperparameters={"learning_rate": "fast"}, **parts
    )


def test_units_by_the_calendar_need_a_fault_log_and_may_have_several(heaters, tmp_path):
    _, folders = heaters
    parts = together([Sequences.read(folders[name]) for name in SPLITS])
    assert sum(len(each) for each in parts.faults) == 6, "a fault that two logs tell of is one"
    own = Steps(tmp_path, main, HEATERS)
    data = written(tmp_path / "data", cycles=heated()["cycles"])
    assert "needs a fault log" in own.refused("preprocess", data=data)


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"log": faults((1, 9))}, "data holds no cycle table, only a fault log"),
        ({"pumps": pumps.fleet(3).drop(columns="heat")}, "lacks heat"),
        ({"pumps": pumps.fleet(2)}, "2 units leave none for"),
        ({"a": pumps.fleet(3), "b": pumps.fleet(3)}, "unit 1 is in"),
        ({"pumps": pumps.fleet(9), "log": faults((77, 9))}, "77: a unit with no cycle"),
        ({"pumps": pumps.fleet(9).assign(prediction=1)}, "the tables have prediction"),
        ({}, "no table in data"),
    ],
)
def test_training_files_are_checked_at_the_door(tmp_path, tables, reason):
    assert reason in program(tmp_path).refused(
        "preprocess", data=written(tmp_path / "data", **tables)
    )


def test_files_that_are_no_tables_are_named(tmp_path):
    data = written(tmp_path / "data", pumps=pumps.fleet(9))
    (data / "notes.pdf").write_bytes(b"%PDF")
    assert "notes.pdf is no table" in program(tmp_path).refused("preprocess", data=data)
    (data / "notes.pdf").rename(data / "notes.parquet")
    assert "notes.parquet cannot be read" in program(tmp_path).refused("preprocess", data=data)


def test_parts_of_another_workload_and_no_parts_are_refused(made, tmp_path):
    _, folders = made
    other = Steps(tmp_path, main, HEATERS)
    assert "are of pumps, not of heaters" in other.refused("baseline", train=folders["train"])
    (tmp_path / "empty").mkdir()
    assert "holds no dataset" in other.refused("baseline", train=tmp_path / "empty")


def test_a_workload_without_a_gate_or_of_another_kind_is_refused(made, tmp_path):
    _, folders = made
    of = {name: folders[name] for name in (*SPLITS, "model")}
    ungated = Steps(tmp_path, main, pumps.workload().mapping())
    assert "has no prediction.gate" in ungated.refused("evaluate", **of)
    shells = {"problem": "regression", "target": "y", "columns": {"x": "number"},
              "gate": {"metric": "rmse", "at_most": 1}}  # fmt: skip
    told = {"name": "shells", "description": "d", "owner": "me", "tabular": shells}
    data = written(tmp_path / "data", pumps=pumps.fleet(9))
    said = Steps(tmp_path, main, told).refused("preprocess", data=data)
    assert "says nothing of predicting faults" in said


def test_a_command_loads_only_what_it_needs():
    code = (
        "import sys, jobs.faults.__main__, jobs.faults.predict, jobs.faults.check_model;"
        "print({'torch', 'skl2onnx', 'datasketches', 'matplotlib'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == "set()"
