"""What the plots rest on: outlines that keep every spike, medians, choices, ticks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import ticks
from cli.plots import outline
from cli.telling import medians, telling_sensors


def test_sensors_that_follow_the_running_in_their_own_way_are_chosen_before_noise_and_copies():
    rng = np.random.default_rng(3)
    on = np.tile(np.repeat([1, 0], 100), 10).astype(np.int8)
    slow = np.convolve(on, np.exp(-np.arange(60) / 20), "same")
    readings = [
        rng.normal(size=2000),
        slow + rng.normal(0, 0.1, 2000),
        slow * 3 + 1,
        on.astype(float),
        np.full(2000, np.nan),
    ]
    assert telling_sensors(readings, on, list("abcde"), set(), at_most=1) == [2]
    assert 3 not in telling_sensors(readings, on, list("abcde"), set())  # a switch
    assert 4 not in telling_sensors(readings, on, list("abcde"), set())  # silent


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-9, 9) | st.just(float("nan"))), max_size=40)
)
def test_medians_are_those_of_numpy(rows):
    groups = np.asarray([g for g, _ in rows], np.int64)
    values = np.asarray([v for _, v in rows], float)
    found = medians(values, groups, 5)
    for g in range(5):
        own = values[(groups == g) & ~np.isnan(values)]
        assert found[g] == pytest.approx(np.median(own)) if len(own) else np.isnan(found[g])


@given(
    st.lists(st.tuples(st.integers(1, 400), st.floats(-9, 9)), min_size=1, max_size=120),
    st.integers(1, 20),
)
def test_the_outline_keeps_every_extreme_and_breaks_at_gaps(rows, pixels):
    times = np.cumsum([step for step, _ in rows]) * ticks.SECOND
    values = np.asarray([v for _, v in rows])
    start, end = int(times[0]) - 1, int(times[-1]) + 1
    x, y = outline(times, values, start, end, pixels, 300 * ticks.SECOND)
    drawn = np.isfinite(y)
    assert np.isnan(y).sum() == (np.diff(times) > 300 * ticks.SECOND).sum()
    assert (np.diff(x[drawn]) > 0).all()
    column = ((times - start) * (pixels / (end - start))).astype(int)
    shown = np.minimum((x[drawn] * 1e9 * (pixels / (end - start))).astype(int), pixels)
    for k in np.unique(column):
        near = y[drawn][np.abs(shown - k) <= 1]  # rounding may move a point over an edge
        assert values[column == k].min() in near
        assert values[column == k].max() in near


@given(st.integers(0, 2_000_000_000), st.integers(1, 3_000_000_000), st.integers(3, 12))
def test_ticks_lie_inside_and_leave_room(first, span, at_most):
    start, end = first * ticks.SECOND, (first + span) * ticks.SECOND
    places, labels = ticks.date_ticks(start, end, at_most)
    assert all(start <= place <= end for place in places)
    assert len(places) == len(labels) <= at_most + 1


def test_times_and_numbers_read_as_people_write_them():
    assert [ticks.lasting(s * ticks.SECOND) for s in (45, 600, 3900, 7200, 200_000)] == [
        "45 s", "10 min", "1 h 5 min", "2 h", "2 d 7 h",
    ]  # fmt: skip
    assert [ticks.digits(v, 3) for v in (-2.345, 1234.4, -1e-6, 0)] == [
        "−2.35",
        "1,234",
        "−1·10⁻⁶",
        "0",
    ]
