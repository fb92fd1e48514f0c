"""Is there a fault within the horizon? The edges, and against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.history import UNKNOWN, label, lives
from cycles.history.labels import time_to_fault


def labels(times, faults, horizon=10.0, known_until=100.0):
    return label(
        np.array(times, float), np.array(faults, float), float(horizon), float(known_until)
    ).tolist()


def test_a_fault_at_the_very_cycle_counts():
    assert labels([49, 50, 51], [50]) == [1, 1, 0]


def test_a_fault_exactly_at_the_horizon_counts_and_one_after_it_does_not():
    assert labels([39.999, 40, 40.001], [50]) == [0, 1, 1]


def test_at_the_end_of_a_record_nothing_is_known():
    assert labels([89, 90, 90.5, 100], []) == [0, 0, UNKNOWN, UNKNOWN]


def test_a_fault_is_known_even_where_the_record_ends_before_the_horizon():
    assert labels([95, 97, 98], [97]) == [1, 1, UNKNOWN]


def test_of_several_faults_the_next_one_counts():
    assert labels([5, 15, 21, 25, 35, 45, 61], [60, 20, 35]) == [0, 1, 0, 1, 1, 0, 0]


def test_a_unit_without_cycles_has_no_labels():
    assert labels([], [5]) == []


@given(
    st.lists(st.integers(0, 100)), st.lists(st.integers(-5, 120), max_size=6),
    st.integers(1, 40), st.integers(0, 120),
)  # fmt: skip
def test_labels_and_waits_are_those_of_a_plain_loop(times, faults, horizon, known_until):
    expected, waits = [], []
    for t in times:
        to_come = [fault for fault in faults if fault >= t]
        waits.append(min(to_come) - t if to_come else math.inf)
        if any(fault <= t + horizon for fault in to_come):
            expected.append(1)
        else:
            expected.append(0 if t + horizon <= known_until else UNKNOWN)
    assert labels(times, faults, horizon, known_until) == expected
    assert time_to_fault(np.array(times, float), np.array(faults, float)).tolist() == waits


@pytest.mark.parametrize("faults", [[30, 10, 20], [10, 20, 30]])
def test_the_order_of_the_fault_log_does_not_matter(faults):
    assert labels([1, 11, 25, 31], faults, horizon=5) == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("faults", "begins"),
    [
        ([], [0]),
        ([2.5], [0, 3]),
        ([2], [0, 3]),  # the cycle at the fault is the last of its life
        ([0.5, 2.5], [0, 1, 3]),
        ([2.2, 2.5], [0, 3]),  # a life without a cycle is none
        ([-1, 4, 9], [0]),  # before the record, at its end, after it
    ],
)
def test_a_unit_begins_anew_after_each_of_its_faults(faults, begins):
    assert lives(np.arange(5.0), np.array(faults, float)).tolist() == begins
    assert lives(np.empty(0), np.array(faults, float)).tolist() == [0]
