"""Alerts at their boundaries, and what must hold of any predictions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.history.alerts import (
    Episode,
    Table,
    choose_threshold,
    ending,
    episodes,
    table_at,
    tabulate,
    thresholds_of,
)

HORIZON, GRACE = 30.0, 15.0
FAULT = 200.0


def warned(*at: float, fault: float | None = FAULT, unit: int = 0) -> Episode:
    """A prediction every half cycle, high at the given times only."""
    times = np.arange(2, 401) / 2
    return Episode(unit, times, np.where(np.isin(times, at), 0.9, 0.1), fault)


def judged(episode: Episode) -> Table:
    return tabulate([ending(episode, 0.5, HORIZON, GRACE)])


@pytest.mark.parametrize(
    ("alert", "fault", "case", "lead"),
    [
        (FAULT, FAULT, "true", 0.0),
        (FAULT - HORIZON, FAULT, "true", HORIZON),
        (FAULT - HORIZON - 0.5, FAULT, "late", None),
        (FAULT - HORIZON - GRACE, FAULT, "late", None),
        (FAULT - HORIZON - GRACE - 0.5, FAULT, "false", None),
        (FAULT, None, "false", None),
    ],
)
def test_each_case_at_its_boundary(alert, fault, case, lead):
    found = ending(warned(alert, fault=fault), 0.5, HORIZON, GRACE)
    assert (found.case, found.alert, found.lead) == (case, alert, lead)
    assert found.failed is (fault is not None)


def test_no_alert_is_missed_with_a_fault_and_quiet_without():
    assert ending(warned(), 0.5, HORIZON, GRACE).case == "missed"
    assert ending(warned(fault=None), 0.5, HORIZON, GRACE).case == "quiet"


def test_the_threshold_itself_is_an_alert():
    assert ending(warned(FAULT), 0.9, HORIZON, GRACE).case == "true"
    assert ending(warned(FAULT), np.nextafter(0.9, 1), HORIZON, GRACE).case == "missed"


def test_an_alert_long_before_the_horizon_is_false_and_the_fault_missed():
    table = judged(warned(20))
    assert (table.alerts, table.true, table.false, table.missed) == (1, 0, 1, 1)
    assert (table.precision, table.recall) == (0.0, 0.0)


def test_a_late_alert_counts_for_effective_precision_only():
    table = judged(warned(FAULT - HORIZON - 1))
    assert (table.late, table.missed) == (1, 1)
    assert (table.precision, table.effective_precision, table.recall) == (0.0, 1.0, 0.0)


def test_an_episode_has_one_alert_its_first():
    table = judged(warned(20, 180, 190, 195))
    assert table.alerts == 1
    assert ending(warned(20, 180), 0.5, HORIZON, GRACE).alert == 20
    assert judged(warned(180, 190, 195)).true == 1


def test_two_faults_of_a_unit_are_two_lives_and_what_follows_a_third():
    times = np.array([5.0, 1.0, 3.0, 10.0, 12.0, 8.0])
    said = times / 100
    lives = episodes(np.zeros(6, np.int64), times, said, [np.array([3.0, 10.0])])
    assert [each.fault for each in lives] == [3.0, 10.0, None]
    assert [each.times.tolist() for each in lives] == [[1, 3], [5, 8, 10], [12]]
    assert all((each.probabilities == each.times / 100).all() for each in lives)


def test_units_are_kept_apart_and_lives_without_a_prediction_left_out():
    units = np.array([1, 0, 1])
    faults = [np.empty(0), np.array([2.0, 4.0, 9.0])]
    lives = episodes(units, np.array([1.0, 1.0, 7.0]), np.zeros(3), faults)
    assert [(each.unit, each.fault) for each in lives] == [(0, None), (1, 2.0), (1, 9.0)]


def test_constants_are_as_stupid_as_they_look():
    lives = [warned(180, unit=0), warned(unit=1), warned(fault=None, unit=2)]
    for value, alerts in ((1.0, 3), (0.0, 0)):
        same = [replace(each, probabilities=np.full(len(each.times), value)) for each in lives]
        table = table_at(same, 0.5, HORIZON, GRACE)
        assert (table.alerts, table.true, table.recall) == (alerts, 0, 0.0)
    assert table.precision is None
    assert table.quiet == 1


def test_where_no_threshold_is_right_often_enough_the_default_stands():
    lives = [warned(20, fault=None), warned(20)]
    assert choose_threshold(lives, HORIZON, GRACE, 0.9, 0.99) == (0.99, False)
    assert choose_threshold([], HORIZON, GRACE, 0.9, 0.99) == (0.99, False)


def test_of_thresholds_that_catch_as_much_the_middle_one_is_taken():
    times = np.arange(171.0, 201.0)
    rising = Episode(0, times, np.linspace(0.2, 0.9, 30), 200.0)  # true at every threshold
    calm = Episode(1, times, np.full(30, 0.1), None)
    threshold, chosen = choose_threshold([rising, calm], HORIZON, GRACE, 0.9, 0.99)
    assert chosen
    assert threshold == rising.probabilities[15]


def test_recall_decides_before_the_middle():
    sure, unsure = warned(180), warned(190, unit=1)
    unsure = replace(unsure, probabilities=unsure.probabilities * 0.5)  # 0.45 at its height
    threshold, chosen = choose_threshold([sure, unsure], HORIZON, GRACE, 0.9, 0.99)
    assert chosen
    assert threshold == 0.45


def test_precision_is_asked_for_before_recall():
    lives = [warned(180), warned(50, fault=None, unit=1), warned(190, unit=2)]
    lives[1:] = [
        replace(each, probabilities=each.probabilities * 0.5) for each in lives[1:]
    ]  # both alerts at 0.45: one is false
    assert choose_threshold(lives, HORIZON, GRACE, 0.9, 0.99) == (0.9, True)
    assert choose_threshold(lives, HORIZON, GRACE, 0.6, 0.99) == (0.45, True)


@st.composite
def fleets(draw: st.DrawFn) -> list[Episode]:
    """Lives as predictions of a few units make them, with faults anywhere."""
    units, times, said, faults = [], [], [], []
    for unit in range(draw(st.integers(1, 4))):
        count = draw(st.integers(1, 12))
        whole = st.lists(st.integers(0, 120), min_size=count, max_size=count)
        times += draw(whole)
        said += draw(
            st.lists(
                st.sampled_from(np.linspace(0, 1, 11).tolist()), min_size=count, max_size=count
            )
        )
        units += [unit] * count
        faults.append(np.array(sorted(draw(st.sets(st.integers(0, 160), max_size=3))), float))
    return episodes(np.array(units), np.array(times, float), np.array(said), faults)


@given(fleets(), st.floats(0, 1))
def test_every_episode_ends_once_and_the_counts_add_up(lives, threshold):
    endings = [ending(each, threshold, HORIZON, GRACE) for each in lives]
    table = tabulate(endings)
    assert table.episodes == len(lives)
    assert table.alerts == table.true + table.late + table.false
    silent = sum(each.case == "missed" for each in endings)  # missed without any alert
    assert table.true + table.late + table.false + silent + table.quiet == table.episodes
    assert table.failed == sum(each.fault is not None for each in lives)
    assert table.failed == table.true + table.missed
    assert table.missed == silent + sum(
        each.failed and each.case in ("late", "false") for each in endings
    )
    assert all((each.lead is not None) == (each.case == "true") for each in endings)


@given(fleets(), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_threshold_never_adds_an_alert(lives, one, other):
    low, high = sorted((one, other))
    few, many = (table_at(lives, at, HORIZON, GRACE) for at in (high, low))
    assert few.alerts <= many.alerts
    assert few.quiet >= many.quiet


@given(fleets(), st.floats(0.05, 0.95))
def test_a_chosen_threshold_keeps_its_promise_on_what_was_given(lives, precision):
    threshold, chosen = choose_threshold(lives, HORIZON, GRACE, precision, 0.99)
    assert 0 < threshold < 1
    tables = {t: table_at(lives, t, HORIZON, GRACE) for t in thresholds_of(lives)}
    good = {
        t: table for t, table in tables.items() if 0 < t < 1 and (table.precision or 0) >= precision
    }
    assert chosen is bool(good)
    if chosen:
        assert threshold in good  # a probability that one of these lives was given, no other
        assert good[threshold].true == max(table.true for table in good.values())


@given(fleets())
def test_thresholds_between_two_that_are_listed_change_nothing(lives):
    listed = thresholds_of(lives)
    for low, high in pairwise(listed):
        assert table_at(lives, (low + high) / 2, HORIZON, GRACE) == table_at(
            lives, high, HORIZON, GRACE
        )
