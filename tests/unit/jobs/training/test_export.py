"""The exported model is the trained one: over spread-out outputs, and a difference is refused."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from cycles.errors import BadHistory
from cycles.history import Standard
from jobs.training import export as exporting
from jobs.training.export import CLOSE, FLIPS, export, int8_of, parity, quantize, raw_windows
from jobs.training.train import draw, train
from signalbox.adapters.onnx_model import OnnxModel
from signalbox.contracts.prediction import Prediction
from tests.pumps import TRAINING, dataset


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Data, trained model, its ONNX file, and windows of the validation units."""
    folder = tmp_path_factory.mktemp("trained")
    data = dataset(folder, training=TRAINING | {"epochs": 40, "patience": 40})
    told = Prediction.model_validate(data.manifest["prediction"])
    model = train(data, told, 0, folder / "checkpoint.pt", lambda _: None).model
    # as it stands after the last epoch: it says more firmly what it thinks than the best one
    model.load_state_dict(torch.load(folder / "checkpoint.pt", weights_only=True)["model"])
    export(model, data.standard, data.features.shape[1], folder / "model.onnx")
    _, rows = draw(data, told, "validation", np.random.default_rng(0))
    windows, valid = raw_windows(data, rows, told.window)
    return data, model, folder / "model.onnx", windows, valid


def test_it_is_as_close_as_float32_can_be_on_outputs_that_are_spread(trained):
    data, model, path, windows, valid = trained
    found = parity(model, data.standard, path, 0.5, windows, valid)
    assert found.windows == len(windows) == 60
    assert found.difference <= CLOSE
    assert found.flips == 0
    low, high = found.spread
    assert high - low > 0.4
    assert valid.min() < 16


def test_it_takes_features_as_measured_and_tells_what_learning_saw(trained):
    data, model, path, windows, valid = trained
    assert windows[valid == 16][:, -1, 0].mean() > -500  # the level less the fleet's, in rpm
    assert np.abs(windows[:, -1, 0]).max() > 10  # not standardised
    stored = data.standard.apply(windows)
    with torch.inference_mode():
        direct = model(torch.from_numpy(stored).float(), torch.from_numpy(valid)).numpy()
    theirs = OnnxModel.open(path).log_probabilities(windows, valid)
    np.testing.assert_allclose(theirs, direct, atol=CLOSE)


def test_raw_windows_become_again_what_the_dataset_holds(trained):
    data, _, _, windows, valid = trained
    told = Prediction.model_validate(data.manifest["prediction"])
    _, rows = draw(data, told, "validation", np.random.default_rng(0))
    for k in range(len(rows)):
        row, real = rows[k], valid[k]
        stored = data.features[row + 1 - real : row + 1].astype(np.float32)
        again = data.standard.apply(windows[k, 16 - real :]).astype(np.float32)
        np.testing.assert_allclose(again, stored, atol=2e-3, rtol=2e-3)


def test_any_number_of_windows_may_be_scored_at_once(trained):
    _, _, path, windows, valid = trained
    model = OnnxModel.open(path)
    whole = model.log_probabilities(windows, valid, batch=60)
    for batch in (1, 7, 16):
        np.testing.assert_allclose(
            model.log_probabilities(windows, valid, batch=batch), whole, atol=1e-6
        )


def test_what_stands_in_padded_rows_does_not_matter_there_either(trained):
    _, _, path, windows, valid = trained
    model, other = OnnxModel.open(path), windows.copy()
    for k, real in enumerate(valid):
        other[k, : 16 - real] = 12_345.0
    np.testing.assert_array_equal(
        model.log_probabilities(other, valid), model.log_probabilities(windows, valid)
    )


def test_the_threshold_may_be_the_very_probability_of_a_window(trained):
    """As it is when it was chosen on these windows: the last bit decides nothing."""
    data, model, path, windows, valid = trained
    told = OnnxModel.open(path).log_probabilities(windows, valid)[:, 1].astype(np.float64)
    with torch.inference_mode():
        stored = torch.from_numpy(data.standard.apply(windows)).float()
        mine = model(stored, torch.from_numpy(valid)).numpy()[:, 1].astype(np.float64)
    for threshold in np.exp(np.concatenate([told[::6], mine[::6]])):
        if 0 < threshold < 1:
            parity(model, data.standard, path, float(threshold), windows, valid)


def changed(path, out, by):
    """The same graph, its last bias moved a little."""
    graph = onnx.load(str(path))
    (bias,) = [w for w in graph.graph.initializer if w.name.endswith("classifier.6.bias")]
    moved = numpy_helper.to_array(bias) + np.array([0, by], np.float32)
    bias.CopyFrom(numpy_helper.from_array(moved, bias.name))
    onnx.save(graph, str(out))
    return out


def test_a_planted_difference_is_refused(trained, tmp_path):
    data, model, path, windows, valid = trained
    other = changed(path, tmp_path / "model.onnx", 1e-3)
    with pytest.raises(BadHistory) as problem:
        parity(model, data.standard, other, 0.5, windows, valid)
    assert problem.value.reason == "export-differs"


def test_a_model_of_other_scales_or_weights_is_refused(trained):
    data, model, path, windows, valid = trained
    standard = Standard(data.standard.centre, data.standard.scale * np.float32(1.01))
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.cycle.weight.mul_(1.01)
    for mine, scales in ((model, standard), (other, data.standard)):
        with pytest.raises(BadHistory):
            parity(mine, scales, path, 0.5, windows, valid)


def test_a_model_that_tells_nan_is_refused(trained, tmp_path):
    data, model, path, windows, valid = trained
    other = changed(path, tmp_path / "model.onnx", np.nan)
    with pytest.raises(BadHistory):
        parity(model, data.standard, other, 0.5, windows, valid)


def small(trained, folder, threshold):
    _, _, path, windows, valid = trained
    whole = folder / "model.onnx"
    whole.write_bytes(path.read_bytes())
    return quantize(whole, threshold, windows, valid)


def test_weights_of_eight_bits_are_accepted_where_no_decision_changes(trained, tmp_path):
    path, share, accepted = small(trained, tmp_path, 1 - 1e-9)
    assert (path, share, accepted) == (int8_of(tmp_path / "model.onnx"), 0.0, True)
    OnnxModel.open(path)


def test_and_removed_where_too_many_do(trained, tmp_path):
    _, _, path, windows, valid = trained
    whole = np.exp(OnnxModel.open(path).log_probabilities(windows, valid)[:, 1].astype(float))
    shares = []
    for threshold in np.unique(whole)[1:-1]:  # one between the two answers of some window
        small_path, share, accepted = small(trained, tmp_path, float(threshold))
        assert accepted is (share <= FLIPS)
        assert small_path.is_file() is accepted
        shares.append(share)
        if share > FLIPS:
            break
    assert max(shares) > FLIPS


def test_the_file_can_be_read_by_an_older_runtime(trained):
    graph = onnx.load(str(trained[2]))
    assert [each.version for each in graph.opset_import if each.domain == ""] == [exporting.OPSET]
    shape = [d.dim_param or d.dim_value for d in graph.graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 16, 6]
