"""A model in ONNX Runtime: what it is given is looked at, and what does not fit is refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cycles.history import fit_past, last_window
from jobs.dataset.build import adjustment_of, past_mapping
from signalbox.adapters.history import moved_of, past_of, window_of
from signalbox.adapters.onnx_model import OnnxModel, read_schema, refuse_mismatch
from signalbox.contracts.model_schema import FILE, ONNX, ModelSchema
from signalbox.errors import Rejected
from tests import onnx_models

STEPS, WIDTH = onnx_models.STEPS, onnx_models.FEATURES
COLUMNS = ["flow__mean", "flow__max", "heat__mean", "weather__mean"]
BASELINE = {
    "compare": ["own"], "reference": 20, "smooth": 5, "lag": 100, "age": True,
    "conditions": ["weather__mean"], "mode": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return onnx_models.save(tmp_path_factory.mktemp("onnx"), onnx_models.fault()) / "model"


@pytest.fixture(scope="module")
def model(folder):
    return OnnxModel.open(folder / ONNX, threads=1)


def refused(call, *args):
    with pytest.raises(Rejected) as problem:
        call(*args)
    return problem.value


def test_windows_in_log_probabilities_out(model):
    given = onnx_models.records(40)
    told = model.log_probabilities(**given)
    assert told.shape == (40, 2)
    np.testing.assert_allclose(np.exp(told).sum(1), 1, rtol=1e-5)
    alone = [model.log_probabilities(given["windows"][k : k + 1], given["valid"][k : k + 1])
             for k in range(40)]  # fmt: skip
    np.testing.assert_allclose(told, np.concatenate(alone), atol=1e-5)


def test_no_window_gives_no_answer(model):
    assert model.log_probabilities(**onnx_models.records(0)).shape == (0, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_window_that_is_not_finite_is_refused_with_its_row(model, value):
    given = onnx_models.records(40)
    given["windows"][[17, 30], 5, 2] = value
    problem = refused(lambda: model.log_probabilities(**given))
    assert problem.reason == "not-finite"
    assert problem.row == 17


@pytest.mark.parametrize("shape", [(3, STEPS, WIDTH + 1), (3, STEPS - 1, WIDTH), (STEPS, WIDTH)])
def test_windows_of_another_shape_are_refused(model, shape):
    problem = refused(model.log_probabilities, np.zeros(shape, np.float32), np.ones(3, np.int64))
    assert problem.reason == "wrong-shape"
    assert str(STEPS) in problem.message


@pytest.mark.parametrize("valid", [[1, 2], [1], [0, 1, 1], [1, 1, STEPS + 1], [[1], [1], [1]]])
def test_each_window_needs_a_count_of_real_cycles_that_can_be(model, valid):
    windows = np.zeros((3, STEPS, WIDTH), np.float32)
    assert refused(model.log_probabilities, windows, np.array(valid)).reason == "wrong-shape"


def test_a_file_that_is_not_there_or_no_model_is_refused_by_its_name(tmp_path):
    assert refused(OnnxModel.open, tmp_path / ONNX).reason == "no-model"
    for content in (b"", b"no model at all"):
        (tmp_path / ONNX).write_bytes(content)
        problem = refused(OnnxModel.open, tmp_path / ONNX)
        assert problem.reason == "bad-model"
        assert ONNX in problem.message


def test_a_model_of_something_else_is_refused(tmp_path):
    other = onnx_models.save(tmp_path, onnx_models.linear()) / "model" / ONNX
    problem = refused(OnnxModel.open, other)
    assert problem.reason == "bad-model"
    assert "windows" in problem.message


def unit(cycles=80, seed=0):
    rng = np.random.default_rng(seed)
    weather = rng.normal(10, 5, cycles)
    flow = 100 + 2 * weather + rng.normal(0, 1, cycles)
    return np.column_stack(
        [flow, flow + 5 + rng.random(cycles), rng.normal(40, 1, cycles), weather]
    )


PAST = fit_past([unit(300, 5)], [np.ones(300, bool)], COLUMNS, BASELINE)


def schema(**changed):
    told = {
        "workload": "pumps", "version": "abc-1", "columns": COLUMNS, "features": PAST.names,
        "window": 16, "time": "cycles", "horizon": 10, "grace": 5, "threshold": 0.5,
        "compare": ["own"], "reference": 20, "smooth": 5, "lag": 100, "age": True,
        "adjustment": adjustment_of(past_mapping(PAST)), "dataset": "d",
    }  # fmt: skip
    return ModelSchema.model_validate(told | changed)


def test_a_schema_is_read_back_from_beside_its_model(folder):
    (folder / FILE).write_text(schema().model_dump_json())
    assert read_schema(folder) == schema()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"workload": "pumps"}'])
def test_a_damaged_schema_is_refused(tmp_path, content):
    (tmp_path / ONNX).touch()
    (tmp_path / FILE).write_bytes(content)
    problem = refused(read_schema, tmp_path)
    assert problem.reason == "bad-model"
    assert FILE in problem.message


@pytest.mark.parametrize("there", [ONNX, FILE, None])
def test_half_a_model_is_no_model(tmp_path, there):
    if there:
        (tmp_path / there).write_text("{}")
    assert refused(read_schema, tmp_path).reason == "no-model"


def test_a_model_of_another_workload_is_refused():
    problem = refused(refuse_mismatch, schema(), "fans", COLUMNS)
    assert problem.reason == "other-workload"
    assert "'pumps'" in problem.message
    assert "'fans'" in problem.message


def test_all_missing_features_are_named_and_others_do_not_matter():
    refuse_mismatch(schema(), "pumps", [*COLUMNS, "more"])
    problem = refused(refuse_mismatch, schema(), "pumps", ["flow__max", "weather__mean", "more"])
    assert problem.reason == "missing-features"
    assert "flow__mean, heat__mean" in problem.message


def test_features_made_from_a_schema_are_those_made_in_training():
    past = past_of(ModelSchema.model_validate_json(schema().model_dump_json()))
    np.testing.assert_array_equal(past.features(unit()), PAST.features(unit()))


def adjusted(**changed):
    return schema().adjustment.model_dump() | changed


@pytest.mark.parametrize(
    "change",
    [
        {"features": PAST.names[::-1]},
        {"features": PAST.names[:-1]},
        {"columns": COLUMNS[::-1]},
        {"compare": ["before"]},
        {"age": False},
        {"adjustment": {}},
        {"adjustment": adjusted(usual=[1.0])},
        {"adjustment": adjusted(low=[1.0])},
        {"adjustment": adjusted(deviation=[])},
        {"adjustment": adjusted(spread=[])},
        {"adjustment": adjusted(coefficients=[[1.0]])},
        {"adjustment": adjusted(coefficients=[[1.0, 2.0, 3.0, 4.0], [1.0]])},
        {"adjustment": adjusted(conditions=["rain"])},
        {"adjustment": adjusted(mode="rain")},
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(change):
    assert refused(past_of, schema(**change)).reason == "bad-model"


def test_the_window_now_ends_with_the_last_cycle():
    for cycles in (3, 16, 80):
        found, valid = window_of(PAST, schema(), unit(cycles))
        expected, real = last_window(PAST.features(unit(cycles)), 16)
        np.testing.assert_array_equal(found, expected)
        assert valid == real == min(cycles, 16)


def test_the_sensors_that_moved_are_told_the_furthest_first_and_each_once():
    values = unit()
    values[60:, 2] += 4
    values[60:, 0] += 30
    values[60:, 1] += 20
    told = moved_of(replace(PAST, high=PAST.high + 100), values)
    assert [each.sensor for each in told] == ["flow", "heat"]
    assert told[0].feature == "flow__mean"
    assert told[0].now - told[0].usual == pytest.approx(30, abs=2)
    assert told[1].now - told[1].usual == pytest.approx(4, abs=1)


def test_of_a_unit_as_usual_nothing_is_told():
    assert moved_of(replace(PAST, deviation=PAST.deviation * 5), unit()) == []
