"""What workloads ask of their models fits what the pipelines take."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from cli.workloads import load, names
from signalbox.contracts.datasets import program_of
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.workload import Workload
from tests.conftest import ROOT
from tests.fakes import workload

GATE = {"metric": "auc", "at_least": 0.9}
OPERATED = [name for name in names() if load(name).operations is not None]


def asked(pipeline: str) -> set[str]:
    """Parameters that a definition has no value for."""
    definition = json.loads((ROOT / "pipelines" / f"{pipeline}.json").read_text())
    return {each["Name"] for each in definition["Parameters"] if "DefaultValue" not in each}


@pytest.mark.parametrize("name", OPERATED)
def test_every_workload_fills_what_tuning_asks_for_beyond_training(name):
    told = load(name).search()
    assert asked("tune") - asked("train") <= set(told)
    numbers = [(float(told[f"{r}Min"]), float(told[f"{r}Max"])) for r in told if r[-1:] in "12"]
    assert len(numbers) == 4
    assert all(low < high for low, high in numbers)
    assert all("." not in told[f"Integer{k}{end}"] for k in (1, 2) for end in ("Min", "Max"))


def test_both_kinds_of_workloads_have_pipelines_and_a_program():
    assert {program_of(load(name)) for name in OPERATED} == {"jobs.tabular", "jobs.faults"}


def test_ranges_that_are_not_given_are_the_usual_ones():
    told = Prediction.model_validate({"gate": GATE, "tuning": {"batch": [16, 64]}}).search()
    assert [told[each] for each in ("Integer1", "Integer1Max", "Integer2", "Continuous1")] == [
        "batch", "64", "epochs", "learning_rate",
    ]  # fmt: skip
    assert told["ObjectiveType"] == "Maximize"
    assert Prediction().search() == {}
    assert workload().search() == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"gate": {"metric": "rmse", "at_most": 1}}, "binary is judged by f1, auc"),
        ({"tuning": {"width": [8, 16]}}, "width is no hyperparameter"),
        ({"tuning": {"dropout": [0.1, 1.0]}}, "dropout"),
        (
            {"tuning": {"dropout": [0, 0.5], "learning_rate": [0.1, 0.2], "weight_decay": [0, 1]}},
            "2 continuous ranges at most, not dropout, learning_rate, weight_decay",
        ),
    ],
)
def test_a_section_that_cannot_be_asked_for_is_refused(change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Prediction.model_validate({"gate": GATE} | change)


def test_pipelines_of_a_fault_model_need_a_gate():
    operations = {"owner": "a@example.com", "card": {"purpose": "to test"}}
    with pytest.raises(ValidationError, match=r"pipelines need prediction\.gate"):
        workload(prediction={}, operations=operations)
    found = workload(prediction={"gate": GATE}, operations=operations)
    assert isinstance(found, Workload)
