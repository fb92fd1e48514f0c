"""The section tabular, what stands beside its models, and Model Monitor's formats: what they refuse."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cli.workloads import load
from signalbox.contracts.gate import Gate
from signalbox.contracts.model_quality import ModelQuality
from signalbox.contracts.monitor import Constraints, Statistics, Violations
from signalbox.contracts.tabular import Tabular
from signalbox.contracts.tabular_model import ModelColumn, Shape, TabularModel
from signalbox.contracts.workload import Workload
from tests.shells import BINARY, SECTION


@pytest.mark.parametrize("name", ["abalone", "air_quality"])
def test_the_workloads_of_the_house_hold(name):
    found = load(name)
    assert found.kind == "tabular"
    assert found.tabular is not None
    assert load("turbofan").kind == "faults"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"columns": {}}, "columns"),
        ({"columns": {"age": "number"}}, "age is the target"),
        ({"columns": {"prediction": "number"}}, "a name of the house's own"),
        ({"names": ["sex", "width", "age"]}, "names does not name weight"),
        ({"names": ["sex", "sex", "width", "weight", "age"]}, "twice"),
        ({"gate": {"metric": "auc", "at_least": 0.5}}, "regression is judged by rmse, mae, r2"),
        ({"gate": {"metric": "rmse", "at_least": 0.5}}, "rmse needs at_most"),
        ({"gate": {"metric": "r2", "at_most": 0.5}}, "r2 needs at_least"),
        ({"gate": {"metric": "rmse"}}, "exactly one"),
        ({"pm25_limit": 35.4}, "belongs to loader beijing or gsod"),
        ({"loader": "beijing", "pm25_limit": 35.4}, "problem is binary"),
        ({"tuning": {"depth": [1, 2]}}, "depth is no hyperparameter"),
        ({"tuning": {"learning_rate": [0.2, 0.1]}}, "low below high"),
        ({"tuning": {"learning_rate": [0.1, 7]}}, "learning_rate"),
        ({"training": {"max_iter": 0}}, "max_iter"),
        ({"drift": {"threshold": 2}}, "threshold"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Tabular.model_validate(SECTION | change)


def test_a_tabular_workload_has_no_cycles():
    told = {"name": "shells", "description": "d", "owner": "me"}
    Workload.model_validate(told | {"tabular": BINARY})
    table = {"unit": "u", "cycle": "c", "features": ["f"]}
    with pytest.raises(ValidationError, match="rows are no cycles and need no table"):
        Workload.model_validate(told | {"tabular": BINARY, "table": table})


def test_a_gate_is_met_at_its_bound_and_never_by_nothing():
    error, score = Gate(metric="rmse", at_most=0), Gate(metric="auc", at_least=0.5)
    assert error.met(0)
    assert not error.met(0.1)
    assert score.met(0.5)
    assert not score.met(float("nan"))
    assert not error.met(float("nan"))


def test_a_models_features_are_those_of_its_columns():
    told = {
        "workload": "shells", "version": "a-b", "problem": "regression", "target": "age",
        "columns": [ModelColumn(name="sex", categories=["F", "M"]), ModelColumn(name="width", fill=2)],
        "features": ["sex=F", "sex=M", "width"], "threshold": 0.5, "dataset": "d",
        "inputs": {"features": Shape(shape=[3])},
    }  # fmt: skip
    model = TabularModel.model_validate(told)
    assert len(model.digest) == 16
    for change in ({"features": ["width"]}, {"inputs": {"features": Shape(shape=[2])}}):
        with pytest.raises(ValidationError):
            TabularModel.model_validate(told | change)
    with pytest.raises(ValidationError, match="exactly one of fill"):
        ModelColumn(name="sex")


def test_the_examples_of_the_developer_guide_are_taken():
    common = {"num_present": 5, "num_missing": 1}
    sketch = {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[0.5, 1.0], [2.0]]}
    kll = {"buckets": [{"lower_bound": 0.5, "upper_bound": 2.0, "count": 5.0}], "sketch": sketch}
    number = {"common": common, "mean": 1.0, "sum": 5.0, "std_dev": 0.5, "min": 0.5, "max": 2.0,
              "distribution": {"kll": kll}}  # fmt: skip
    text = {"common": common, "distinct_count": 1,
            "distribution": {"categorical": {"buckets": [{"value": "F", "count": 5}]}}}  # fmt: skip
    Statistics.model_validate(
        {"version": 0, "dataset": {"item_count": 6}, "features": [
            {"name": "a", "inferred_type": "Fractional", "numerical_statistics": number},
            {"name": "b", "inferred_type": "String", "string_statistics": text},
            {"name": "c", "inferred_type": "Unknown"},
        ]}
    )  # fmt: skip
    with pytest.raises(ValidationError, match="do not fit"):
        Statistics.model_validate(
            {"dataset": {"item_count": 6}, "features": [
                {"name": "a", "inferred_type": "String", "numerical_statistics": number}]}
        )  # fmt: skip
    constraints = Constraints.model_validate(
        {"version": 0, "features": [
            {"name": "a", "inferred_type": "Integral", "completeness": 1.0,
             "num_constraints": {"is_non_negative": True}, "monitoringConfigOverrides": {}}],
         "monitoring_config": {"evaluate_constraints": "Enabled", "emit_metrics": "Enabled",
             "datatype_check_threshold": 0.1, "domain_content_threshold": 0.1,
             "distribution_constraints": {"perform_comparison": "Enabled",
                 "comparison_threshold": 0.1, "comparison_method": "Simple",
                 "categorical_comparison_threshold": 0.1, "categorical_drift_method": "ChiSquared"}}}
    )  # fmt: skip
    assert '"monitoringConfigOverrides":{}' in constraints.text().replace(" ", "").replace("\n", "")
    with pytest.raises(ValidationError, match="constraint_check_type"):
        Violations.model_validate(
            {"violations": [{"feature_name": "a", "constraint_check_type": "odd", "description": "d"}]}
        )  # fmt: skip
    with pytest.raises(ValidationError, match="exactly one problem"):
        ModelQuality.model_validate({})
