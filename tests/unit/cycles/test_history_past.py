"""Features across cycles: never from later cycles, against plain loops, with and without gaps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cycles.errors import BadHistory
from cycles.history import fit_past
from cycles.history.past import lagged, running_mean

COLUMNS = ["flow", "heat", "weather", "cooling"]
BASELINE = {
    "compare": ["level", "own", "before"], "reference": 5, "smooth": 3, "lag": 4,
    "conditions": ["weather"], "mode": "cooling", "age": True,
}  # fmt: skip
PLAIN = BASELINE | {"conditions": [], "mode": None, "compare": ["level", "own"], "age": False}

readings = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.just(len(COLUMNS))),
    elements=st.one_of(st.just(math.nan), st.just(math.inf), st.floats(-50, 50, width=32)),
)


def quadratic(weather, cooling):
    """What the weather does to the flow, otherwise in each way of running."""
    return np.where(cooling > 0.5, 3 + 2 * weather - 0.1 * weather**2, -7 + 0.4 * weather**2)


def unit(cycles, seed, noise=0.1):
    """(cycles, 4): a flow that only the weather moves, and a heat that follows it."""
    rng = np.random.default_rng(seed)
    weather, cooling = rng.normal(10, 8, cycles), rng.integers(0, 2, cycles).astype(float)
    flow = quadratic(weather, cooling) + rng.normal(0, noise, cycles)
    heat = 50 + 3 * weather + rng.normal(0, noise, cycles)
    return np.column_stack([flow, heat, weather, cooling])


def fitted(baseline=None, noise=0.1):
    units = [unit(400, seed, noise) for seed in range(3)]
    return fit_past(units, [np.ones(400, bool)] * 3, COLUMNS, BASELINE | (baseline or {}))


def loop_mean(values, over):
    return [
        [math.fsum(values[max(0, i + 1 - over) : i + 1, k]) / min(i + 1, over)
         for k in range(values.shape[1])]
        for i in range(len(values))
    ]  # fmt: skip


PAST = fitted()


@settings(max_examples=80, deadline=None)
@given(readings, st.data())
def test_features_up_to_any_cycle_do_not_know_what_comes_later(values, data):
    end = data.draw(st.integers(1, len(values)))
    whole, cut = PAST.features(values), PAST.features(values[:end])
    assert whole.shape == (len(values), len(PAST.names))
    assert np.isfinite(whole).all()
    # matrix products of other sizes may round in another order, by less than float32 can tell
    np.testing.assert_allclose(cut, whole[:end], rtol=1e-6, atol=1e-6)


@given(readings, st.integers(1, 40), st.integers(1, 40))
def test_running_means_and_lags_are_those_of_a_plain_loop(values, over, by):
    values = np.nan_to_num(values.astype(np.float64), posinf=7)
    np.testing.assert_allclose(running_mean(values, over), loop_mean(values, over), atol=1e-10)
    expected = [values[i - by if i >= by else 0] for i in range(len(values))]
    np.testing.assert_array_equal(lagged(values, by), expected)


@given(readings)
def test_a_gap_keeps_the_last_reading_and_before_the_first_it_is_the_fleets_median(values):
    filled = PAST.filled(values)
    for k in range(len(COLUMNS)):
        last = PAST.usual[k]
        for i in range(len(values)):
            if np.isfinite(values[i, k]):
                last = float(values[i, k])
            assert filled[i, k] == min(max(last, PAST.low[k]), PAST.high[k])


def test_the_features_are_those_of_a_plain_loop():
    past = fitted(PLAIN)
    values = unit(40, 9)
    level = np.clip(values, past.low, past.high) - past.usual
    smooth = loop_mean(level, 3)
    own = [[smooth[i][k] - np.mean(level[: min(i + 1, 5), k]) for k in range(4)] for i in range(40)]
    np.testing.assert_allclose(past.features(values), np.hstack([level, own]), atol=1e-5)
    assert past.names == [*COLUMNS, *(f"{name}~own" for name in COLUMNS)]


def test_before_compares_with_some_cycles_ago_and_age_counts_all_so_far():
    past = fitted(PLAIN | {"compare": ["before"], "age": True})
    values = unit(40, 9)
    smooth = np.array(loop_mean(np.clip(values, past.low, past.high) - past.usual, 3))
    told = past.features(values)
    for i in range(40):
        np.testing.assert_allclose(told[i, :4], smooth[i] - smooth[max(i - 4, 0)], atol=1e-5)
        assert told[i, 4] == pytest.approx(math.log(i + 1))


def test_conditions_and_mode_take_away_a_planted_quadratic():
    values = unit(300, 11, noise=0)
    level = replace(fitted(noise=0), low=np.full(4, -1e9), high=np.full(4, 1e9)).adjusted(values)
    assert np.ptp(values[:, 0]) > 100
    # what lies beyond the fleet's limits was clipped when it was fitted, so not to the last bit
    assert np.abs(level[:, 0]).mean() < 0.02 * np.std(values[:, 0])
    without = fitted({"conditions": [], "mode": None}).adjusted(values)
    assert np.std(without[:, 0]) == pytest.approx(np.std(values[:, 0]))


def test_one_quadratic_is_not_enough_for_two_ways_of_running():
    values = unit(300, 11, noise=0)
    assert np.abs(fitted({"mode": None}).adjusted(values)[:, 0]).mean() > 2


def test_a_mode_alone_still_gives_each_way_of_running_its_own_mean():
    values = unit(2_000, 12)
    past = fit_past([values], [np.ones(2_000, bool)], COLUMNS, BASELINE | {"conditions": []})
    level, on = past.adjusted(past.filled(values))[:, 0], values[:, 3] > 0.5
    assert abs(values[on, 0].mean() - values[~on, 0].mean()) > 10
    assert level[on].mean() == pytest.approx(0, abs=1e-6)
    assert level[~on].mean() == pytest.approx(0, abs=1e-6)


def test_moved_names_a_planted_drift_in_the_columns_own_unit():
    values = unit(60, 21)
    values[40:, 1] += 5
    now, usual, deviations = PAST.moved(values)
    assert int(np.argmax(np.abs(deviations))) == 1
    assert now[1] - usual[1] == pytest.approx(5, abs=0.5)
    assert deviations[1] > 20
    assert usual[1] == pytest.approx(PAST.usual[1], abs=0.5)


def test_a_unit_that_does_not_change_has_not_moved():
    assert np.abs(PAST.moved(unit(60, 22))[2][:2]).max() < 5


def test_it_is_learned_from_healthy_cycles_only():
    sick = unit(400, 5)
    sick[200:, 0] += 1_000
    healthy = np.arange(400) < 200
    past = fit_past([sick], [healthy], COLUMNS, BASELINE)
    assert past.high[0] < 500


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"conditions": ["wether"]}, "no-such-feature"),
        ({"mode": "heating"}, "no-such-feature"),
        ({"healthy": False}, "no-healthy-cycle"),
        ({"silent": True}, "silent-feature"),
        ({"columns": ["flow", "heat", "weather", "age"], "mode": None}, "feature-twice"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(change, reason):
    values = unit(50, 1)
    if change.get("silent"):
        values[:, 0] = np.nan
    healthy = np.full(50, change.get("healthy", True))
    baseline = BASELINE | {k: v for k, v in change.items() if k in BASELINE}
    with pytest.raises(BadHistory) as refused:
        fit_past([values], [healthy], change.get("columns", COLUMNS), baseline)
    assert refused.value.reason == reason
