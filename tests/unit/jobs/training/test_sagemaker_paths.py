"""The training program as SageMaker starts it: a process, its paths, killed and started again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import torch

from cycles.errors import BadHistory
from cycles.history import Sequences
from jobs.training.__main__ import main
from jobs.training.hyperparameters import switches, tuned
from jobs.training.run import draw_curve, learn
from jobs.training.train import Epoch
from signalbox.adapters.history import past_of
from signalbox.adapters.onnx_model import OnnxModel, read_schema
from signalbox.contracts.prediction import Prediction
from tests.conftest import ROOT
from tests.pumps import TRAINING, dataset

EPOCHS = 4
METRICS = [f"{name}=(.*?);" for name in ("train_loss", "validation_loss", "validation_auc")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    dataset(folder, training=TRAINING | {"epochs": EPOCHS})
    return folder / "dataset"


def laid_out(root, data, hyperparameters=None):
    """The tree below /opt/ml that a training job begins with."""
    shutil.copytree(data, root / "input" / "data" / "dataset")
    if hyperparameters is not None:
        config = root / "input" / "config" / "hyperparameters.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps(hyperparameters))
    return root


def started(root):
    lean = {"SIGNALBOX_ML_ROOT": str(root), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.training", "train"], cwd=ROOT, env=os.environ | lean,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(root):
    """The same in this process, which has imported the libraries already: exit code and output."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("SIGNALBOX_ML_ROOT", str(root))
        return main(), said.getvalue()


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A job that nobody interrupted, and what it said."""
    root = laid_out(tmp_path_factory.mktemp("whole"), data)
    code, said = run(root)
    assert code == 0
    return root, said


def test_a_job_leaves_its_model_its_curve_and_its_checkpoint(whole):
    root, _ = whole
    there = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert there - {p for p in there if p.startswith("input/")} == {
        "model/model.onnx", "model/model.json", "model/training.json", "model/training-curve.svg",
        "output/data/training.json", "output/data/training-curve.svg",
        "checkpoints/checkpoint.pt",
    }  # fmt: skip


def test_every_epoch_is_a_line_that_the_metric_definitions_read(whole):
    root, out = whole
    lines = [line for line in out.splitlines() if line.startswith("epoch=")]
    told = json.loads((root / "model" / "training.json").read_text())
    assert len(lines) == len(told["epochs"]) == EPOCHS
    for metric in METRICS:
        read = [float(each) for each in re.findall(metric, out)]
        name = metric.partition("=")[0]
        assert read == pytest.approx([epoch[name] for epoch in told["epochs"]], abs=1e-6)


def test_the_model_folder_holds_what_production_needs(whole):
    root, out = whole
    schema = read_schema(root / "model")
    data = Sequences.read(root / "input" / "data" / "dataset")
    assert schema.dataset == data.manifest["digest"]
    assert schema.features == past_of(schema).names == data.manifest["features"]
    OnnxModel.open(root / "model" / "model.onnx")
    told = json.loads((root / "model" / "training.json").read_text())
    assert schema.threshold == told["threshold"]
    assert told["parity"]["difference"] <= 1e-5
    assert told["parity"]["flips"] == 0
    assert f"model {schema.version}: " in out


def killed_at(root, epoch):
    """Start it, and kill -9 it as it prints the line of an epoch."""
    process = started(root)
    for line in process.stdout:
        if line.startswith(f"epoch={epoch};"):
            process.send_signal(signal.SIGKILL)
            break
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return rest


def test_a_job_killed_after_its_first_epoch_ends_in_the_same_bytes(data, whole, tmp_path):
    root = laid_out(tmp_path, data)
    rest = killed_at(root, 1)
    assert f"epoch={EPOCHS};" not in rest
    assert not (root / "model" / "model.json").exists()
    kept = torch.load(root / "checkpoints" / "checkpoint.pt", weights_only=True)
    assert 1 <= len(kept["epochs"]) < EPOCHS
    assert run(root) == (0, whole[1])
    for name in ("model.onnx", "model.json", "training.json", "training-curve.svg"):
        assert (root / "model" / name).read_bytes() == (whole[0] / "model" / name).read_bytes()


def in_process(root, monkeypatch):
    monkeypatch.setenv("SIGNALBOX_ML_ROOT", str(root))
    return main()


def test_hyperparameters_come_as_text_and_a_tuning_job_adds_its_own(
    data, tmp_path, monkeypatch, capsys
):
    given = {
        "epochs": "1", "learning_rate": "0.005", "seed": "3", "int8": "true",
        "_tuning_objective_metric": "validation_auc", "sagemaker_region": '"eu-central-1"',
    }  # fmt: skip
    root = laid_out(tmp_path, data, given)
    assert in_process(root, monkeypatch) == 0
    assert "epoch=1;" in (said := capsys.readouterr().out)
    assert "epoch=2;" not in said
    told = json.loads((root / "model" / "training.json").read_text())
    assert set(told["int8"]) == {"flips", "accepted"}
    assert (root / "model" / "model.int8.onnx").is_file() is told["int8"]["accepted"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"epoch": "3"}, "epoch: there are"),
        ({"epochs": "many"}, "epochs"),
        ({"learning_rate": "-1"}, "learning_rate"),
        ({"learning_rate": "inf"}, "learning_rate"),
        ({"seed": "lucky"}, "seed"),
        ({"seed": "-1"}, "seed"),
        ({"int8": "perhaps"}, "int8"),
        ([1], "hyperparameters.json"),
    ],
)
def test_a_bad_hyperparameter_fails_the_job_and_is_named(
    data, tmp_path, monkeypatch, capsys, given, named
):
    root = laid_out(tmp_path, data, given)
    assert in_process(root, monkeypatch) == 1
    told = (root / "output" / "failure").read_text()
    assert told.startswith("bad-hyperparameter: ")
    assert named in told
    assert told in capsys.readouterr().err
    assert not (root / "model" / "model.json").exists()


def test_a_channel_without_a_dataset_fails_the_job(tmp_path, monkeypatch):
    assert in_process(tmp_path, monkeypatch) == 1
    assert (tmp_path / "output" / "failure").read_text().startswith("no-dataset: ")


def test_hyperparameters_replace_the_workloads_training_and_network_and_nothing_else():
    told = Prediction().model_dump(mode="json")
    changed = tuned(told, {"epochs": "5", "positive_weight": "2.5", "seed": "1", "int8": "false"})
    assert changed == told | {"training": told["training"] | {"epochs": 5, "positive_weight": 2.5}}
    assert switches({}) == (0, False)
    assert switches({"seed": "7", "int8": "true"}) == (7, True)
    network = tuned(told, {"layers": "1", "dropout": "0.3"})["network"]
    assert network == told["network"] | {"layers": 1, "dropout": 0.3}
    for bad in ({"width": "9"}, {"dropout": "1"}, {"horizon": "8"}):
        with pytest.raises(BadHistory):
            tuned(told, bad)


def test_what_an_earlier_model_left_does_not_stay(data, tmp_path):
    told = Sequences.read(data)
    told.manifest["prediction"]["training"]["epochs"] = 1
    for name in ("model.int8.onnx", "model.json", "model.onnx"):
        (tmp_path / name).write_text("of another model")
    learn(told, tmp_path, 0, lambda _: None)
    assert not (tmp_path / "model.int8.onnx").exists()
    assert read_schema(tmp_path).window == 16


def test_a_run_that_fails_leaves_no_model(data, tmp_path):
    told = Sequences.read(data)
    told.manifest["prediction"]["training"]["learning_rate"] = 1e38
    (tmp_path / "model.json").write_text("of another model")
    with pytest.raises(BadHistory):
        learn(told, tmp_path, 0, lambda _: None)
    assert not (tmp_path / "model.json").exists()


def test_the_curve_is_a_drawing_and_the_same_bytes_each_time(tmp_path):
    epochs = [Epoch(k, 1 / k, 1.1 / k, 1 - 0.5 / k) for k in range(1, 6)]
    for name in ("a.svg", "b.svg"):
        draw_curve(epochs, 5, tmp_path / name)
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_one_epoch_is_a_curve_too(tmp_path):
    draw_curve([Epoch(1, 0.5, 0.5, 0.5)], 1, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size > 1_000
