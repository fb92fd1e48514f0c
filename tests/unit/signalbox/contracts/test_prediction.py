"""The section prediction, and the schema beside a model: what they refuse, and say why."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cli.workloads import load
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.prediction import Baseline, Network, Prediction, Split, Table, Training


@pytest.mark.parametrize("name", ["hvac", "turbofan"])
def test_the_workloads_of_the_house_hold(name):
    assert load(name).prediction is not None


def test_every_field_has_a_default():
    told = Prediction()
    assert (told.horizon, told.grace, told.window, told.samples) == (60, 30, 128, 100)
    assert told.threshold == 0.99


@pytest.mark.parametrize(
    "section",
    [
        {"horizon": 0},
        {"horizon": float("inf")},
        {"grace": -1},
        {"grace": float("nan")},
        {"snooze": -1},
        {"window": 0},
        {"samples": 0},
        {"threshold": 1},
        {"precision": 0},
        {"months": []},
        {"months": [0]},
        {"months": [13]},
        {"features": []},
        {"features": ["a", "a"]},
        {"features": [""]},
        {"time": "hours"},
        {"horizons": 60},
        {"baseline": {"compare": []}},
        {"baseline": {"compare": ["later"]}},
        {"baseline": {"smooth": 0}},
        {"split": {"validation": 0}},
        {"network": {"dropout": 1}},
        {"training": {"learning_rate": 0}},
        {"training": {"learning_rate": float("inf")}},
        {"training": {"positive_weight": float("inf")}},
        {"training": {"epochs": 0}},
    ],
)
def test_what_cannot_be_meant_is_refused(section):
    with pytest.raises(ValidationError):
        Prediction.model_validate(section)


def test_a_season_needs_a_calendar():
    assert Prediction(time="days", months=[5, 6]).months == [5, 6]
    with pytest.raises(ValidationError, match="cycles have no calendar"):
        Prediction(time="cycles", months=[5, 6])


def test_heads_divide_the_width():
    assert Network(width=6, heads=3).heads == 3
    with pytest.raises(ValidationError, match="heads must divide width"):
        Network(width=8, heads=3)


def test_some_unit_is_left_for_training():
    with pytest.raises(ValidationError, match="no unit for training"):
        Split(validation=0.5, test=0.5)


def test_a_comparison_is_named_once():
    with pytest.raises(ValidationError, match="twice"):
        Baseline(compare=["level", "level"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"unit": "u", "cycle": "c", "features": ["c"]}, "different columns"),
        ({"unit": "u", "cycle": "u", "features": ["a"]}, "different columns"),
        ({"unit": "u", "cycle": "c", "features": ["a", "a"]}, "different columns"),
        (
            {"unit": "u", "cycle": "c", "features": ["a", "b"], "columns": ["u", "a"]},
            "does not name b, c",
        ),
        ({"unit": "u", "cycle": "c", "features": ["a"], "separator": ";;"}, "separator"),
    ],
)
def test_a_table_names_each_column_once_and_all_that_it_needs(table, said):
    with pytest.raises(ValidationError, match=said):
        Table.model_validate(table)


def test_hyperparameters_come_as_text():
    told = Training.model_validate({"epochs": "7", "learning_rate": "1e-2"})
    assert (told.epochs, told.learning_rate) == (7, 0.01)


SCHEMA = {
    "workload": "pumps", "version": "abc-1", "columns": ["a"], "features": ["a", "a~own"],
    "window": 16, "time": "cycles", "horizon": 10, "grace": 5, "threshold": 0.5, "reference": 5,
    "smooth": 3, "dataset": "d",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"version": ""},
        {"version": "a_b"},
        {"version": "-a"},
        {"version": "a" * 41},
        {"columns": ["a", "a"]},
        {"features": ["a", "a"]},
        {"columns": []},
        {"threshold": 1},
        {"horizon": float("nan")},
        {"adjustment": {"usual": [float("nan")]}},
        {"more": 1},
    ],
)
def test_a_schema_that_cannot_hold_is_refused(change):
    ModelSchema.model_validate(SCHEMA)
    with pytest.raises(ValidationError):
        ModelSchema.model_validate(SCHEMA | change)


@pytest.mark.parametrize(
    "change",
    [
        {"workload": "fans"},
        {"window": 17},
        {"smooth": 4},
        {"reference": 6},
        {"lag": 7},
        {"features": ["a~own", "a"]},
        {"adjustment": {"usual": [1.0]}},
    ],
)
def test_what_shapes_an_input_changes_the_digest(change):
    before = ModelSchema.model_validate(SCHEMA)
    assert ModelSchema.model_validate(SCHEMA | change).digest != before.digest


@pytest.mark.parametrize("change", [{"version": "abc-2"}, {"threshold": 0.6}, {"dataset": "e"}])
def test_what_does_not_shape_an_input_leaves_it(change):
    before = ModelSchema.model_validate(SCHEMA)
    assert ModelSchema.model_validate(SCHEMA | change).digest == before.digest
