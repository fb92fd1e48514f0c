"""A model at work: predictions, the same as `signalbox score` gives; data and truth held against them."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from cli import models
from signalbox.adapters.onnx_model import read_schema
from signalbox.contracts.model_quality import ModelQuality
from signalbox.contracts.monitor import Violations
from tests import pumps
from tests.programs import Steps
from tests.unit.jobs.faults.conftest import HEATERS, ends, faults, heated, main, written

FRESH = pumps.fleet(16, seed=7)


def read(folder, name):
    return json.loads((folder / name).read_text())


def predicted(made, folder, **tables):
    """The folder of predictions.csv, and its rows."""
    steps, folders = made
    code, _, out = steps.run(
        "predict", data=written(folder / "in", **tables), model=folders["model"]
    )
    assert code == 0
    with (out / "predictions" / "predictions.csv").open(newline="") as file:
        return out / "predictions", list(csv.DictReader(file))


def found(made, **inputs):
    steps, folders = made
    code, _, out = steps.run("check-data", baseline=folders["baseline"], **inputs)
    assert code == 0
    told = Violations.model_validate(read(out / "monitoring", "constraint_violations.json"))
    return {(each.feature_name, each.constraint_check_type) for each in told.violations}


def test_predictions_are_those_of_signalbox_score(made, tmp_path, monkeypatch):
    _, folders = made
    _, rows = predicted(made, tmp_path, pumps=FRESH)
    assert list(rows[0]) == ["id", "unit", *pumps.FEATURES, "prediction", "probability"]
    monkeypatch.setattr(models, "load", lambda _: pumps.workload())
    score = tmp_path / "scores.parquet"
    models.score(Console(file=io.StringIO()), folders["unpacked"], tmp_path / "in", score)
    told = pq.read_table(score)
    assert [row["id"] for row in rows] == [
        f"{unit}#{cycle}"
        for unit, cycle in zip(*(told[n].to_pylist() for n in ("unit", "cycle")), strict=True)
    ]
    said = [float(row["probability"]) for row in rows]
    np.testing.assert_array_equal(said, told["probability"])
    threshold = read_schema(folders["unpacked"]).threshold
    assert [row["prediction"] for row in rows] == [str(int(each >= threshold)) for each in said]
    first = FRESH[FRESH["pump"] == 1]
    assert float(rows[0]["heat"]) == first["heat"].iloc[0], "columns are as they were sent"


def test_a_unit_begins_anew_after_a_fault_of_a_log_among_the_tables(made, tmp_path):
    _, before = predicted(made, tmp_path, pumps=FRESH)
    _, after = predicted(made, tmp_path, pumps=FRESH, log=faults((1, 30)))
    differ = [a["id"] for a, b in zip(after, before, strict=True) if a != b]
    assert differ
    assert {each.split("#")[0] for each in differ} == {"1"}
    assert min(int(each.split("#")[1]) for each in differ) == 31


def test_cycles_like_those_learned_from_violate_nothing(made, tmp_path):
    place, _ = predicted(made, tmp_path, pumps=FRESH)
    assert found(made, predictions=place) == set()
    assert found(made, data=tmp_path / "in") == set()


def test_what_strays_is_a_violation_not_a_failure(made, tmp_path):
    place, _ = predicted(made, tmp_path, pumps=FRESH.assign(heat=FRESH["heat"] + 9, dust=1.5))
    assert {("heat", "baseline_drift_check"), ("dust", "extra_column_check")} == found(
        made, predictions=place
    )
    other = written(tmp_path / "other", pumps=FRESH.drop(columns="heat").assign(fan="on"))
    assert found(made, data=other) == {
        ("heat", "missing_column_check"), ("fan", "extra_column_check"),
    }  # fmt: skip


def test_the_truth_agrees_and_what_has_not_matured_is_left_out(made, tmp_path):
    steps, _ = made
    place, rows = predicted(made, tmp_path, pumps=FRESH)
    log = ends(FRESH)
    truth = written(tmp_path / "truth", some=log[:8], more=log[7:13])
    code, said, out = steps.run("check-model", predictions=place, truth=truth)
    assert code == 0, said
    quality = ModelQuality.model_validate(read(out / "quality", "evaluation.json"))
    gate = read(out / "quality", "gate.json")
    assert gate["value"] == quality.value("auc") > 0.6
    # of the three pumps of which no fault is known, the last ten runs say nothing yet; one had nine in all
    lengths = FRESH.groupby("pump")["run"].max()[13:]
    assert gate["without_truth"] == sum(min(10, each) for each in lengths)
    assert f"on {len(rows) - gate['without_truth']} rows" in gate["sentence"]


def test_a_model_that_is_not_good_enough_any_more_fails_in_one_sentence(made, tmp_path):
    steps, _ = made
    place, _ = predicted(made, tmp_path, pumps=FRESH)
    early = ends(FRESH).assign(failed_at=lambda log: log["failed_at"] // 3)
    told = steps.refused(
        "check-model", predictions=place, truth=written(tmp_path / "truth", log=early)
    )
    assert re.fullmatch(
        r"pumps: auc is \S+ on \d+ rows, at least 0.6 is asked: not good enough", told
    )
    gate = steps.folder / "check-model/processing/output/quality/gate.json"
    assert json.loads(gate.read_text())["passed"] == 0


def test_heaters_are_named_by_the_end_of_a_cycle_and_judged_by_the_calendar(heaters, tmp_path):
    steps, _ = heaters
    cycles = heated()["cycles"]
    place, rows = predicted(heaters, tmp_path, cycles=cycles)
    assert rows[0]["id"] == "h-00#2026-01-01T00:00:00+00:00"
    assert list(rows[0])[2:5] == ["duration_s", "power__mean", "power__max"]
    assert found(heaters, predictions=place) == set()
    truth = written(tmp_path / "truth", log=heated()["log-1"])
    code, said, out = steps.run("check-model", predictions=place, truth=truth)
    assert code == 0, said
    # the record ends on the last of 60 days: ten are open, but for four cycles that end with a fault
    assert read(out / "quality", "gate.json")["without_truth"] == 12 * 20 - 4


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"log": faults((1, 40), ("x9", 3))}, "faults of 1 units that were not predicted for: x9"),
        ({"pumps": FRESH}, "pumps.csv is no fault log; the truth is when units failed"),
        ({"log": faults((1, "soon"))}, "failed_at must number the cycles"),
        ({}, "no table in truth"),
    ],
)
def test_truth_that_is_none_is_refused(made, tmp_path, tables, reason):
    steps, _ = made
    place, _ = predicted(made, tmp_path, pumps=FRESH)
    truth = written(tmp_path / "truth", **tables)
    assert reason in steps.refused("check-model", predictions=place, truth=truth)


def test_truth_before_its_time_is_refused(made, tmp_path):
    steps, _ = made
    young = FRESH[FRESH["run"] <= 9]
    place, _ = predicted(made, tmp_path, pumps=young)
    truth = written(tmp_path / "truth", log=faults((1, 9)))
    told = steps.refused("check-model", predictions=place, truth=truth)
    assert "predictions 9 have matured, all with one answer, 1" in told


def test_a_model_of_another_workload_and_no_model_are_refused(made, tmp_path):
    _, folders = made
    other = Steps(tmp_path, main, HEATERS)
    data = written(tmp_path / "in", cycles=heated()["cycles"])
    told = other.refused("predict", data=data, model=folders["model"])
    assert "is of workload 'pumps', not of 'heaters'" in told
    (tmp_path / "none").mkdir()
    assert "holds no model" in other.refused("predict", data=data, model=tmp_path / "none")


def test_tables_to_predict_for_are_checked(made, tmp_path):
    steps, folders = made
    for tables, reason in (
        ({"pumps": FRESH.drop(columns="heat")}, "lacks heat"),
        ({"pumps": FRESH.assign(heat="hot")}, "features must be numbers"),
        ({"pumps": FRESH.assign(probability=0.5)}, "the tables have probability"),
        ({"pumps": pd.concat([FRESH, FRESH[:1]])}, "has a cycle twice"),
    ):
        data = written(tmp_path / "in", **tables)
        assert reason in steps.refused("predict", data=data, model=folders["model"])
