"""Window statistics are what a plain loop finds in the real cycles of each window."""

from __future__ import annotations

import numpy as np
import pytest

from cycles.history import Sequences
from jobs.evaluation import baselines
from jobs.evaluation.baselines import fitted, window_statistics

WINDOW = 8
LENGTHS = (3, 20, 9, 1)


@pytest.fixture(scope="module")
def data() -> Sequences:
    rng = np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)]).astype(np.int64)
    count = int(offsets[-1])
    return Sequences(
        features=rng.normal([0, 5, -5], 1, (count, 3)).astype(np.float16),
        offsets=offsets, times=np.arange(count, dtype=float), labels=np.zeros(count, np.int8),
        eligible=np.ones(count, np.bool_), faults=tuple(np.empty(0) for _ in LENGTHS), manifest={},
    )  # fmt: skip


def looped(data: Sequences, unit: int, row: int) -> np.ndarray:
    real = data.features[max(int(data.offsets[unit]), row + 1 - WINDOW) : row + 1].astype(float)
    slopes = [
        np.polyfit(np.arange(len(real)), real[:, f], 1)[0] if len(real) > 1 else 0 for f in range(3)
    ]
    return np.concatenate([real.mean(0), real.std(0), real.min(0), real.max(0), real[-1], slopes])


def test_statistics_equal_a_plain_loop_on_padded_and_on_full_windows(data, monkeypatch):
    monkeypatch.setattr(baselines, "AT_A_TIME", 7)  # several parts, the last one short
    rows = np.arange(int(data.offsets[-1]))
    units = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
    made = window_statistics(data, rows, WINDOW)
    wanted = np.stack([looped(data, u, r) for u, r in zip(units, rows, strict=True)])
    assert made.shape == (len(rows), 18)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-4)


def test_a_window_longer_than_everything_is_padded_too(data):
    made = window_statistics(data, np.array([22]), 1000)
    real = data.features[3:23].astype(float)
    np.testing.assert_allclose(made[0, :3], real.mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(made[0, 6:9], real.min(0))


def test_both_baselines_learn_and_say_the_same_again():
    rng = np.random.default_rng(2)
    labels = (rng.random(300) < 0.5).astype(np.int8)
    statistics = rng.normal(size=(300, 6)).astype(np.float32)
    statistics[:, 0] += 3 * labels
    for one, other in zip(*(fitted(statistics, labels, 0) for _ in range(2)), strict=True):
        said = one.probabilities(statistics)
        assert one.name == other.name
        assert said.shape == (300,)
        assert said[labels == 1].mean() > 0.8
        assert said[labels == 0].mean() < 0.2
        np.testing.assert_array_equal(said, other.probabilities(statistics))
