"""Windows gathered from the array of all cycles, against a loop that copies row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycles.history import UNKNOWN, gather, last_window, sample

WIDTH = 3
lengths = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def fleet(counts, dtype=np.float16):
    """Features that tell unit, cycle and column apart, never zero; and offsets."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = np.arange(1, offsets[-1] * WIDTH + 1).reshape(-1, WIDTH).astype(dtype)
    return values, offsets


def every(offsets):
    """The unit and row of every cycle."""
    rows = np.arange(offsets[-1])
    return np.searchsorted(offsets, rows, side="right") - 1, rows


def looped(features, offsets, units, rows, window):
    out = np.zeros((len(rows), window, features.shape[1]), features.dtype)
    valid = []
    for k, (unit, row) in enumerate(zip(units, rows, strict=True)):
        place, at = window - 1, row
        while place >= 0 and at >= offsets[unit]:
            out[k, place] = features[at]
            place, at = place - 1, at - 1
        valid.append(window - 1 - place)
    return out, valid


@settings(max_examples=150, deadline=None)
@given(lengths, st.integers(1, 20), st.sampled_from([np.float16, np.float32, np.float64]))
def test_windows_of_every_cycle_are_those_of_a_plain_loop(counts, window, dtype):
    features, offsets = fleet(counts, dtype)
    units, rows = every(offsets)
    expected, real = looped(features, offsets, units, rows, window)
    found, valid = gather(features, offsets[units], rows, window)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    assert valid.tolist() == real


def test_first_cycles_of_the_first_and_the_last_unit_are_padded_on_the_left():
    features, offsets = fleet([6, 5, 4])
    found, valid = gather(features, offsets[np.array([0, 2])], np.array([1, 12]), 4)
    assert valid.tolist() == [2, 2]
    assert (found[:, :2] == 0).all()
    np.testing.assert_array_equal(found[0, 2:], features[:2])
    np.testing.assert_array_equal(found[1, 2:], features[11:13])


def test_a_window_may_be_longer_than_all_cycles_together():
    features, offsets = fleet([2, 3])
    found, valid = gather(features, offsets[np.array([1, 0])], np.array([4, 0]), 128)
    assert valid.tolist() == [3, 1]
    assert not found[0, :125].any()
    np.testing.assert_array_equal(found[0, 125:], features[2:])


def test_no_row_of_another_unit_is_ever_seen():
    features, offsets = fleet([5, 9, 2, 7], np.float32)
    for window in (1, 2, 7, 16, 30):
        units, rows = every(offsets)
        found, _ = gather(features, offsets[units], rows, window)
        for k, unit in enumerate(units):
            own = features[offsets[unit] : offsets[unit + 1]]
            assert set(found[k].ravel()) <= {0.0, *own.ravel().tolist()}


def test_a_memory_map_gives_the_same_windows_and_stays_as_it_is(tmp_path):
    features, offsets = fleet([30, 20, 10])
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    units, rows = every(offsets)
    found, _ = gather(mapped, offsets[units], rows, 16)
    np.testing.assert_array_equal(found, looped(features, offsets, units, rows, 16)[0])
    found[:] = 0
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), features)


@pytest.mark.parametrize("view", ["fortran", "every other column", "every other row"])
def test_an_array_that_does_not_lie_in_one_piece_gives_the_same_windows(view):
    whole, _ = fleet([40, 20])
    features = {
        "fortran": np.asfortranarray(whole),
        "every other column": whole[:, ::2],
        "every other row": whole[::2],
    }[view]
    offsets = np.array([0, 14, len(features)])
    units, rows = every(offsets)
    found, _ = gather(features, offsets[units], rows, 8)
    np.testing.assert_array_equal(found, looped(features, offsets, units, rows, 8)[0])


def test_no_window_is_no_mistake():
    features, offsets = fleet([8])
    found, valid = gather(features, offsets[np.empty(0, np.int64)], np.empty(0, np.int64), 4)
    assert found.shape == (0, 4, WIDTH)
    assert len(valid) == 0


@given(st.integers(1, 12), st.integers(1, 20))
def test_the_last_window_is_the_one_gathered_at_the_last_cycle(count, window):
    features, offsets = fleet([count], np.float32)
    expected, real = gather(features, offsets[np.array([0])], np.array([count - 1]), window)
    found, valid = last_window(features, window)
    np.testing.assert_array_equal(found, expected[0])
    assert valid == real[0]


def drawn(seed=0, count=6, units=(0, 1, 2, 3, 4)):
    """Of five units: plenty, few, none in season, none known, plenty."""
    offsets = np.array([0, 40, 43, 60, 80, 130])
    rng = np.random.default_rng(1)
    labels = rng.integers(-1, 2, 130).astype(np.int8)
    eligible = rng.random(130) < 0.7
    labels[40:43], eligible[40:43] = [0, UNKNOWN, 1], True
    eligible[43:60], labels[60:80] = False, UNKNOWN
    found = sample(labels, eligible, offsets, np.array(units), count, np.random.default_rng(seed))
    return *found, labels, eligible, offsets


def test_every_unit_gives_as_many_cycles_as_any_other():
    units, rows, _, _, offsets = drawn()
    assert np.unique(units, return_counts=True)[0].tolist() == [0, 1, 4]
    assert set(np.unique(units, return_counts=True)[1]) == {6}
    assert ((offsets[units] <= rows) & (rows < offsets[units + 1])).all()


def test_none_is_drawn_of_unknown_label_or_out_of_season():
    for seed in range(20):
        _, rows, labels, eligible, _ = drawn(seed)
        assert (labels[rows] != UNKNOWN).all()
        assert eligible[rows].all()


def test_a_cycle_is_drawn_twice_only_where_there_are_too_few():
    units, rows, *_ = drawn(count=15)
    assert len(set(rows[units == 0])) == 15
    assert set(rows[units == 1]) == {40, 42}


def test_equal_seeds_draw_equally_and_others_otherwise():
    assert drawn(3)[1].tolist() == drawn(3)[1].tolist() != drawn(4)[1].tolist()


def test_where_nothing_can_be_drawn_nothing_is():
    units, rows, *_ = drawn(units=(2, 3))
    assert len(units) == len(rows) == 0
