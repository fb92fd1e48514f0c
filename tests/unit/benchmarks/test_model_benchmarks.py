"""What is compared gives the same answers, and what is counted is what there is."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from benchmarks.fleet import CYCLES, HISTORIES, Scorer, flop
from benchmarks.gather import FEATURES, WINDOW, contenders, drawn, written
from benchmarks.inference import (
    any_standard,
    best_batch,
    eager,
    exported,
    measured,
    perturbed,
    windows,
)
from jobs.training.export import export


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    weights = perturbed(width=16)
    export(weights, any_standard(), FEATURES, path)
    return weights, path


def test_a_dataset_stacks_what_gather_gathers(tmp_path):
    offsets = written(tmp_path / "features.npy", 2_000, 5)
    features = np.load(tmp_path / "features.npy", mmap_mode="r")
    units, rows = drawn(offsets, 10, np.random.default_rng(1))
    rows[:2], units[:2] = [3, offsets[1] + 5], [0, 1]
    work = contenders(features, offsets, units, rows)
    gathered, valid = work["gather"]()
    assert valid[:2].tolist() == [4, 6]
    np.testing.assert_array_equal(gathered.astype(np.float32), work["stack"]().numpy())
    copied = work["memcpy"]()
    assert copied.nbytes == gathered.nbytes
    assert not np.shares_memory(copied, features)


def test_the_exported_model_says_what_the_eager_one_says_and_answers_spread(model):
    weights, path = model
    standard = any_standard()
    given = windows(64, standard)
    mine = eager(weights, standard, given)(64).numpy()
    theirs = exported(path, given)(64)[0]
    np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert np.ptp(np.exp(mine[:, 1])) > 0.8


def test_the_export_holds_no_guard_against_nan(model):
    import onnx

    assert "IsNaN" not in {node.op_type for node in onnx.load(model[1]).graph.node}


def test_every_batch_size_is_measured_each_round_and_the_best_median_taken():
    speeds = measured({"a": lambda size: sum(range(20_000))}, (1, 16), 2)
    assert [sorted(each) for each in speeds["a"]] == [[1, 16], [1, 16]]
    assert best_batch([{1: 1.0, 16: 9.0}, {1: 2.0, 16: 1.0}, {1: 2.0, 16: 1.0}]) == 1


def test_flop_are_those_that_pytorch_counts():
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    model = perturbed().eval()
    plain = sdpa_kernel(SDPBackend.MATH)  # what is fused is not counted on CPUs
    with plain, FlopCounterMode(display=False) as counted, torch.no_grad():
        model(torch.zeros(1, WINDOW, FEATURES), torch.tensor([WINDOW]))
    assert counted.get_total_flops() == flop()


def test_a_fleet_is_scored_to_the_last_unit(model, tmp_path):
    scorer = Scorer(model[1])
    scorer.score(HISTORIES + 5, tmp_path / "scores.parquet")
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores["unit"].to_pylist() == list(range(HISTORIES + 5))
    told = scores["probability"].to_numpy()
    np.testing.assert_allclose(told[:5], told[HISTORIES:], atol=1e-6)
    assert np.isfinite(told).all()
    assert len(scorer.histories[0]) == CYCLES
