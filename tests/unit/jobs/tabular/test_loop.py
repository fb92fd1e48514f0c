"""The whole loop on small tables: learned, judged, served, predicted, watched, held against the truth."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest

from containers.onnx_inference.model import Model
from jobs.tabular.baseline import draw
from jobs.tabular.preprocess import read as split_of
from signalbox.contracts.gate import BELOW, Drift
from signalbox.contracts.model_quality import ModelQuality
from signalbox.contracts.monitor import Constraints, Statistics, Violations
from signalbox.contracts.packages import Smoke
from signalbox.contracts.tabular_model import TabularModel
from tests.conftest import ROOT
from tests.container_process import tried
from tests.shells import BINARY, NAMES, SECTION, Program, shells, write


def _made(folder, binary):
    section = BINARY if binary else SECTION
    program = Program(folder, "old_shells" if binary else "shells", section)
    write(folder / "data" / "history.csv", shells(900, binary=binary))
    return program, program.trained(folder / "data")


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    return _made(tmp_path_factory.mktemp("regression"), binary=False)


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return _made(tmp_path_factory.mktemp("binary"), binary=True)


@pytest.fixture(params=["regression", "binary"])
def made(request):
    return request.getfixturevalue(request.param)


def read(folder, name):
    return json.loads((folder / name).read_text())


def predicted(program, made, rows, header=None):
    inputs = write(program.folder / "inputs" / "monday.csv", rows, header).parent
    code, said, out = program.run("predict", data=inputs, model=made["model"])
    assert code == 0, said
    with (out / "predictions" / "predictions.csv").open(newline="") as file:
        return out / "predictions", list(csv.DictReader(file))


def test_the_files_of_a_training_run_keep_model_monitors_formats(made):
    program, folders = made
    statistics = Statistics.model_validate(read(folders["baseline"], "statistics.json"))
    constraints = Constraints.model_validate(read(folders["baseline"], "constraints.json"))
    quality = ModelQuality.model_validate(read(folders["evaluation"], "evaluation.json"))
    assert [f.name for f in statistics.features] == [f.name for f in constraints.features]
    width = next(f for f in statistics.features if f.name == "width").numerical_statistics
    assert len(width.distribution.kll.buckets) == 10
    assert sum(b.count for b in width.distribution.kll.buckets) == statistics.dataset.item_count
    sex = next(f for f in constraints.features if f.name == "sex")
    assert sex.string_constraints.domains == ["F", "I", "M"]
    gate = read(folders["evaluation"], "gate.json")
    assert gate["passed"] == 1
    assert gate["value"] == quality.value(gate["metric"])
    assert gate["sentence"].startswith(program.workload)


def test_the_model_is_better_than_a_constant_and_no_worse_than_a_default(made):
    _, folders = made
    compared = read(folders["evaluation"], "comparison.json")
    assert compared["approved"] is None
    better = (
        (lambda a, b: a <= b * 1.05)
        if "rmse" in compared["model"]
        else (lambda a, b: a >= b * 0.95)
    )
    metric = "rmse" if "rmse" in compared["model"] else "auc"
    assert better(compared["model"][metric], compared["default"][metric])
    assert better(
        compared["model"][metric] * (1.5 if metric == "rmse" else 0.7), compared["constant"][metric]
    )


def test_the_container_says_again_what_the_model_said_of_a_few_test_rows(made, tmp_path):
    _, folders = made
    sample = Smoke.model_validate(read(folders["evaluation"], "smoke.json"))
    assert len(sample.answers) == 3
    assert tried(folders["unpacked"], sample, tmp_path / "ml") is None
    other = sample.model_copy(update={"answers": tuple(each + 1 for each in sample.answers)})
    assert "when it was judged" in str(tried(folders["unpacked"], other, tmp_path / "again"))


def test_metric_lines_are_found_by_metric_definitions(made):
    program, _ = made
    said = (program.folder / "said.txt").read_text()
    metric = "rmse" if program.section["problem"] == "regression" else "auc"
    for split in ("train", "validation"):
        found = re.search(f"{split}_{metric}=(.*?);", said)
        assert found
        float(found[1])


def test_the_container_serves_the_model_and_gives_the_same_answers(made):
    program, folders = made
    told = TabularModel.model_validate(read(folders["unpacked"], "model.json"))
    session = onnxruntime.InferenceSession(
        str(folders["unpacked"] / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    served = Model(session, read(folders["unpacked"], "model.json"))
    assert served.check()
    assert served.signature.inputs[0].shape == (len(told.features),)
    rows = [row[:-1] for row in shells(20, 7)]
    _, told_of = predicted(program, folders, rows)
    shown = [[float(r[0] == c) for c in "FIM"] + [float(r[1]), float(r[2])] for r in rows]
    names = ["sex=F", "sex=I", "sex=M", "width", "weight"]
    order = [names.index(name) for name in told.features]
    answers = served.run({"features": np.asarray(shown, np.float32)[:, order]})
    column = "prediction" if told.problem == "regression" else "probability"
    (output,) = answers.values()
    assert np.allclose(output[:, -1], [float(r[column]) for r in told_of], atol=1e-6)


def test_the_same_rows_give_the_same_model(regression):
    program, folders = regression
    before = read(folders["unpacked"], "model.json")
    code, _, again = program.run("train", train=folders["train"], validation=folders["validation"])
    assert code == 0
    assert read(again, "model.json") == before


def test_rows_like_the_training_rows_violate_nothing_and_the_truth_agrees(made):
    program, folders = made
    rows = shells(400, 5, binary=program.section["problem"] == "binary")
    place, told = predicted(program, folders, [row[:-1] for row in rows])
    assert [row["id"] for row in told[:2]] == ["monday#0", "monday#1"]
    code, _, out = program.run("check-data", predictions=place, baseline=folders["baseline"])
    assert code == 0
    assert (
        Violations.model_validate(read(out / "monitoring", "constraint_violations.json")).violations
        == []
    )
    Statistics.model_validate(read(out / "monitoring", "statistics.json"))
    truth = write(program.folder / "truth" / "monday.csv", [[row[-1]] for row in rows]).parent
    code, said, out = program.run("check-model", predictions=place, truth=truth)
    assert code == 0, said
    ModelQuality.model_validate(read(out / "quality", "evaluation.json"))
    assert read(out / "quality", "gate.json")["without_truth"] == 0


def test_a_model_that_is_not_good_enough_any_more_fails_in_one_sentence(regression):
    program, folders = regression
    rows = shells(50, 6)
    place, _ = predicted(program, folders, [row[:-1] for row in rows])
    truth = [[f"monday#{k}", str(float(row[-1]) + 9)] for k, row in enumerate(rows)]
    write(program.folder / "off" / "any.csv", truth, ["id", "age"])
    told = program.refused("check-model", predictions=place, truth=program.folder / "off")
    assert re.fullmatch(
        r"shells: rmse is \S+ on 50 rows, at most 1 is asked: not good enough", told
    )
    quality = read(program.folder / "check-model/processing/output/quality", "evaluation.json")
    assert quality["regression_metrics"]["rmse"]["standard_deviation"] == "NaN"


FIRST, SECOND = (f"arn:aws:sagemaker:eu-west-1:1:model-package/shells/{k}" for k in (1, 2))


def runs(program, folders, tmp_path, *given):
    """A folder of the predictions of several runs, of the same rows but for their ids' file."""
    rows = shells(50, 6)
    for number, (stem, package, worse) in enumerate(given):
        shown = [[*row[:-1]] for row in rows]
        source = write(tmp_path / f"in{number}" / f"{stem}.csv", shown).parent
        day = f"2026-07-0{number + 1}T00:00:00Z"
        code, _, out = program.run(
            "predict", options=["--package", package, "--at", day], data=source, model=folders["model"]
        )  # fmt: skip
        assert code == 0
        table = pacsv.read_csv(out / "predictions" / "predictions.csv")
        said = pc.add(table["prediction"], float(worse))
        table = table.set_column(table.column_names.index("prediction"), "prediction", said)
        place = tmp_path / "predictions" / f"run{number}"
        place.mkdir(parents=True)
        pacsv.write_csv(table, place / "predictions.csv")
    return tmp_path / "predictions", rows


def judged(program, place, rows, stem="monday", package=""):
    truth = write(
        program.folder / "true" / stem / f"{stem}.csv", [[row[-1]] for row in rows]
    ).parent
    code, _, out = program.run(
        "check-model", options=["--package", package], predictions=place, truth=truth
    )
    return code, read(out / "quality", "gate.json")


def test_truth_of_monday_finds_the_predictions_of_monday(regression, tmp_path):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("monday", FIRST, 0), ("tuesday", FIRST, 9))
    code, gate = judged(program, place, rows, package=FIRST)
    assert (code, gate["passed"], gate["without_truth"]) == (0, 1, 50)
    code, gate = judged(program, place, rows, "tuesday", FIRST)
    assert (code, gate["passed"]) == (1, 0)


def test_of_two_predictions_for_a_row_the_later_counts(regression, tmp_path):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("monday", FIRST, 9), ("monday", FIRST, 0))
    assert judged(program, place, rows, package=FIRST)[0] == 0


def test_two_runs_that_began_at_the_same_time_block_no_truth(regression, tmp_path):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("monday", FIRST, 0))
    (place / "again").mkdir()
    shutil.copy(place / "run0" / "predictions.csv", place / "again")
    assert judged(program, place, rows, package=FIRST)[0] == 0


def test_a_name_that_stands_for_rows_of_two_days_is_refused_and_nothing_is_tuned(
    regression, tmp_path
):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("daily", FIRST, 0), ("other", FIRST, 0))
    (second,) = (place / "run1").iterdir()
    second.write_text(second.read_text().replace("other#", "daily#").replace('"F"', '"M"'))
    write(program.folder / "clear" / "daily.csv", [[row[-1]] for row in rows])
    told = program.refused("check-model", predictions=place, truth=program.folder / "clear")
    assert "rows named after their file were predicted by several runs" in told
    assert BELOW not in told


def test_truth_of_one_answer_alone_says_nothing(binary, tmp_path):
    program, folders = binary
    rows = shells(50, 6, binary=True)
    place, _ = predicted(program, folders, [row[:-1] for row in rows])
    write(program.folder / "same" / "monday.csv", [["0"] for _ in rows])
    told = program.refused("check-model", predictions=place, truth=program.folder / "same")
    assert "came out the same" in told
    assert BELOW not in told


def test_a_version_that_serves_no_more_is_judged_and_nothing_follows(regression, tmp_path):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("monday", FIRST, 9), ("tuesday", SECOND, 0))
    code, gate = judged(program, place, rows, package=SECOND)
    assert (code, gate["passed"]) == (0, 0)
    assert gate["sentence"].endswith(
        "at most 1 is asked; version 1 predicted it, which is not in service"
    )
    code, gate = judged(program, place, rows, "tuesday", SECOND)
    assert (code, gate["passed"], gate["of_other_versions"]) == (0, 1, 0)


def test_only_rows_of_the_version_in_service_are_judged(regression, tmp_path):
    program, folders = regression
    place, rows = runs(program, folders, tmp_path, ("monday", FIRST, 9), ("tuesday", SECOND, 0))
    both = program.folder / "true" / "both"
    for stem in ("monday", "tuesday"):
        write(both / f"{stem}.csv", [[row[-1]] for row in rows])
    code, _, out = program.run(
        "check-model", options=["--package", SECOND], predictions=place, truth=both
    )
    gate = read(out / "quality", "gate.json")
    assert (code, gate["passed"], gate["of_other_versions"]) == (0, 1, 50)


@pytest.mark.parametrize(
    ("rows", "header", "feature", "check"),
    [
        (shells(400, 8, shift=1.5), None, "width", "baseline_drift_check"),
        ([["F", *r[1:]] for r in shells(400, 8)], None, "sex", "baseline_drift_check"),
        ([["X", *r[1:]] for r in shells(400, 8)], None, "sex", "categorical_values_check"),
        ([[*r[:2], "", r[3]] for r in shells(20, 8)] + shells(380, 9), None, "weight", "completeness_check"),
        ([[*r[:2], "big", r[3]] for r in shells(90, 8)] + shells(310, 9), None, "weight", "data_type_check"),
    ],
)  # fmt: skip
def test_what_strays_is_a_violation_not_a_failure(regression, rows, header, feature, check):
    program, folders = regression
    place, _ = predicted(program, folders, [row[:-1] for row in rows], header)
    code, _, out = program.run("check-data", predictions=place, baseline=folders["baseline"])
    assert code == 0
    found = read(out / "monitoring", "constraint_violations.json")["violations"]
    assert (feature, check) in {(v["feature_name"], v["constraint_check_type"]) for v in found}


def test_a_check_that_is_to_be_skipped_finds_nothing(regression):
    program, folders = regression
    place, _ = predicted(program, folders, [row[:-1] for row in shells(400, 8, shift=1.5)])
    code, said, out = program.run(
        "check-data", options=["--skip-check", "True"], predictions=place, baseline=folders["baseline"]
    )  # fmt: skip
    assert (code, said) == (0, "400 rows, not checked, as asked\n")
    assert read(out / "monitoring", "constraint_violations.json")["violations"] == []


def test_a_workload_may_let_values_be_missing(regression, tmp_path):
    program, folders = regression
    table, schema = split_of(folders["train"])
    draw(table, schema.tabular.columns, Drift(missing=0.1), tmp_path)
    rows = [[*row[:2], "" if k < 20 else row[2]] for k, row in enumerate(shells(400, 8))]
    place, _ = predicted(program, folders, rows)
    code, _, out = program.run("check-data", predictions=place, baseline=tmp_path)
    assert code == 0
    assert read(out / "monitoring", "constraint_violations.json")["violations"] == []


def test_other_columns_than_the_baseline_are_violations_of_inputs(regression, tmp_path):
    program, folders = regression
    headed = Program(tmp_path, program.workload, program.section | {"names": None})
    rows = [[row[0], row[1], "3"] for row in shells(50, 8)]
    inputs = write(tmp_path / "inputs" / "a.csv", rows, ["sex", "width", "shell"]).parent
    code, _, out = headed.run("check-data", data=inputs, baseline=folders["baseline"])
    assert code == 0
    found = read(out / "monitoring", "constraint_violations.json")["violations"]
    assert {(v["feature_name"], v["constraint_check_type"]) for v in found} >= {
        ("weight", "missing_column_check"), ("shell", "extra_column_check"),
    }  # fmt: skip


def test_the_approved_model_is_judged_beside(regression):
    program, folders = regression
    code, _, out = program.run(
        "evaluate", **{name: folders[name] for name in ("train", "validation", "test", "model")},
        approved=folders["model"],
    )  # fmt: skip
    assert code == 0
    compared = read(out / "evaluation", "comparison.json")
    assert compared["approved"] == compared["model"]


def test_a_model_that_was_asked_another_question_is_not_compared(regression, tmp_path):
    program, folders = regression
    narrow = {name: kind for name, kind in SECTION["columns"].items() if name != "weight"}
    gate = {"gate": {"metric": "rmse", "at_most": 9.0}}
    other = Program(tmp_path, program.workload, SECTION | gate | {"columns": narrow})
    write(tmp_path / "data" / "history.csv", shells(300))
    made = other.trained(tmp_path / "data")
    code, _, out = other.run(
        "evaluate", **{name: made[name] for name in ("train", "validation", "test", "model")},
        approved=folders["model"],
    )  # fmt: skip
    assert code == 0
    assert read(out / "evaluation", "comparison.json")["approved"] is None
    told = other.refused(
        "evaluate", **{name: folders[name] for name in ("train", "validation", "test")},
        model=made["model"],
    )  # fmt: skip
    assert "was trained on another dataset" in told


def test_a_command_loads_only_what_it_needs():
    code = (
        "import sys, jobs.tabular.__main__, jobs.tabular.predict, jobs.tabular.check_data,"
        " jobs.tabular.check_model, jobs.tabular.evaluate, jobs.tabular.train;"
        "print({'sklearn', 'skl2onnx', 'onnxruntime', 'datasketches', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize("cell", ["inf", "1e300", "1_000", "0x10", "1,5"])
def test_cells_that_are_no_numbers_are_kept_and_count_as_missing(regression, cell):
    program, folders = regression
    rows = [row[:-1] for row in shells(30, 4)]
    rows[3][2] = cell
    _, told = predicted(program, folders, rows)
    assert told[3]["weight"] == cell
    rows[3][2] = ""
    _, without = predicted(program, folders, rows)
    assert told[3]["prediction"] == without[3]["prediction"]


# ---- what is refused --------------------------------------------------------------------------


def test_a_model_of_another_workload_is_refused(regression, tmp_path):
    program, folders = regression
    other = Program(tmp_path, "clams", program.section)
    inputs = write(tmp_path / "inputs" / "a.csv", [r[:-1] for r in shells(5)]).parent
    assert "is of workload 'shells', not of 'clams'" in other.refused(
        "predict", data=inputs, model=folders["model"]
    )


def test_truth_of_other_ids_is_refused_by_name_and_no_truth_too(regression):
    program, folders = regression
    rows = shells(10, 6)
    place, _ = predicted(program, folders, [row[:-1] for row in rows])
    write(program.folder / "other" / "tuesday.csv", [[row[-1]] for row in rows])
    told = program.refused("check-model", predictions=place, truth=program.folder / "other")
    assert "truth of 10 ids that were not predicted for: tuesday#0, tuesday#1" in told
    (program.folder / "nothing").mkdir(exist_ok=True)
    told = program.refused("check-model", predictions=place, truth=program.folder / "nothing")
    assert "no table in truth" in told
    write(program.folder / "nan" / "monday.csv", [["NaN"], *([row[-1]] for row in rows[1:])])
    told = program.refused("check-model", predictions=place, truth=program.folder / "nan")
    assert told == "age is not a number for 1 ids: monday#0"


@pytest.mark.parametrize(
    ("rows", "header", "reason"),
    [
        ([], NAMES, "empty|holds no rows"),
        ([["F", "1", "2"]], ["sex", "width", "age"], "lacks weight; it has sex, width, age"),
        ([["F", "wide", "2", "3"]] * 3, NAMES, "width: 3 rows hold no number, such as a#0"),
        ([["F", "1", "2", ""]] * 3, NAMES, "3 rows have no age, such as a#0"),
        ([["F", "1", "2", "3"]] * 3, NAMES, "rows leave none for"),
    ],
)
def test_training_files_are_checked_at_the_door(tmp_path, rows, header, reason):
    program = Program(tmp_path, "shells", SECTION | {"names": None})
    write(tmp_path / "data" / "a.csv", rows, header)
    assert re.search(reason, program.refused("preprocess", data=tmp_path / "data"))


def test_files_that_are_no_tables_are_named(tmp_path):
    program = Program(tmp_path, "shells", SECTION)
    (tmp_path / "data").mkdir()
    place = tmp_path / "data" / "a.parquet"
    place.write_bytes(b"PAR1 no")
    assert "a.parquet cannot be read" in program.refused("preprocess", data=tmp_path / "data")
    place.unlink()
    (tmp_path / "data" / "a.csv").write_bytes(b"")
    assert "a.csv is empty" in program.refused("preprocess", data=tmp_path / "data")
    write(tmp_path / "data" / "a.csv", [[*row, "1"] for row in shells(5)])
    assert "a.csv has 5 columns" in program.refused("preprocess", data=tmp_path / "data")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"epochs": "3"}, "epochs: there are seed, learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"seed": "-1"}, "seed"),
    ],
)
def test_hyperparameters_that_are_none_are_refused(given, reason):
    from jobs.tabular.train import settings
    from signalbox.contracts.tabular import Boosting
    from signalbox.errors import Rejected

    with pytest.raises(Rejected, match=reason):
        settings(Boosting(), given)
    chosen, seed = settings(Boosting(), {"max_iter": "7", "seed": "3"})
    assert (chosen.max_iter, seed) == (7, 3)
