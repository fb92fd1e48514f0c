"""Figures and their intervals: over units, paired, and in the shape that monitoring has."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cycles.history.alerts import Ending
from jobs.evaluation.metrics import (
    auc,
    auc_difference,
    auc_interval,
    brier,
    calibration,
    drawn_units,
    interval,
    model_quality,
    rate_intervals,
)

RNG = np.random.default_rng(3)
UNITS = np.repeat(np.arange(12), 20)
LABELS = (RNG.random(240) < 0.3).astype(np.int8)
SAID = np.clip(0.25 * LABELS + RNG.random(240) * 0.75, 0, 1)


def test_units_are_drawn_whole_and_as_many_as_there_are():
    for rows in drawn_units(UNITS, 1, draws=20):
        assert len(rows) == 240
        counts = np.bincount(UNITS[rows], minlength=12)
        assert (counts % 20 == 0).all()
    again, other = drawn_units(UNITS, 1, 5), drawn_units(UNITS, 2, 5)
    assert all((a == b).all() for a, b in zip(again, drawn_units(UNITS, 1, 5), strict=True))
    assert any((a != b).any() for a, b in zip(again, other, strict=True))


def test_saying_the_same_ten_times_does_not_narrow_the_interval():
    once = auc_interval(LABELS, SAID, drawn_units(UNITS, 0, 200))
    units, labels, said = (np.repeat(each, 10) for each in (UNITS, LABELS, SAID))
    assert auc_interval(labels, said, drawn_units(units, 0, 200)) == pytest.approx(once)
    low, high = once
    assert low < auc(LABELS, SAID) < high


def test_intervals_skip_draws_that_have_no_value():
    assert interval([None, 1.0, None]) == [1.0, 1.0]
    assert interval([None]) is None
    assert auc(np.zeros(4, np.int8), np.linspace(0, 1, 4)) is None
    assert auc_interval(np.zeros(240, np.int8), SAID, drawn_units(UNITS, 0, 5)) is None


def test_a_paired_difference_of_equals_is_zero_and_of_opposites_mirrored():
    draws = drawn_units(UNITS, 0, 100)
    assert auc_difference(LABELS, SAID, SAID, draws) == {"mean": 0, "low": 0, "high": 0}
    worse = RNG.random(240)
    one, other = (auc_difference(LABELS, *pair, draws) for pair in ((SAID, worse), (worse, SAID)))
    assert one["mean"] == pytest.approx(-other["mean"])
    assert one["low"] == pytest.approx(-other["high"])
    assert one["low"] > 0
    nothing = auc_difference(np.zeros(240, np.int8), SAID, worse, draws)
    assert nothing == {"mean": None, "low": None, "high": None}


def test_pairing_is_narrower_than_two_intervals():
    draws = drawn_units(UNITS, 0, 200)
    near = SAID + RNG.normal(0, 0.01, 240)
    difference = auc_difference(LABELS, SAID, near, draws)
    low, high = auc_interval(LABELS, SAID, draws)
    assert difference["high"] - difference["low"] < (high - low) / 2


def test_rates_have_intervals_over_units_and_none_where_there_is_nothing():
    def one(unit, case):
        return Ending(unit, case, 1.0, 1.0 if case == "true" else None, failed=case != "false")

    half = [one(unit, "true" if unit % 2 else "false") for unit in range(20)]
    found = rate_intervals(half, 0, 300)
    low, high = found["precision"]
    assert 0 < low < 0.5 < high < 1
    assert found["recall"] == [1.0, 1.0]
    of_four = [one(unit // 5, "true" if unit // 5 % 2 else "false") for unit in range(20)]
    few_low, few_high = rate_intervals(of_four, 0, 300)["precision"]
    assert few_high - few_low > high - low  # four units say less than twenty
    assert rate_intervals([], 0) == dict.fromkeys(("precision", "effective_precision", "recall"))


def test_model_quality_has_the_keys_that_monitoring_has():
    found = model_quality(LABELS, SAID, 0.5)
    assert set(found) == {"binary_classification_metrics"}
    held = found["binary_classification_metrics"]
    constants = ("recall", "precision", "accuracy", "f0_5", "f1", "f2")
    rates = {
        "recall", "precision", "accuracy", "true_positive_rate", "true_negative_rate",
        "false_positive_rate", "false_negative_rate", "auc", "f0_5", "f1", "f2",
    } | {f"{name}_best_constant_classifier" for name in constants}  # fmt: skip
    assert set(held) == rates | {
        "confusion_matrix", "receiver_operating_characteristic_curve", "precision_recall_curve",
    }  # fmt: skip
    for name in rates:
        assert set(held[name]) == {"value", "standard_deviation"}
    assert set(held["receiver_operating_characteristic_curve"]) == {
        "false_positive_rates", "true_positive_rates",
    }  # fmt: skip
    assert set(held["precision_recall_curve"]) == {"precisions", "recalls"}
    assert len(held["precision_recall_curve"]["recalls"]) <= 200
    json.dumps(found, allow_nan=False)


def test_model_quality_is_the_guides_example():
    """Source: SageMaker Developer Guide, "Model quality metrics": four predictions, one positive."""
    labels, said = np.array([0, 0, 0, 1], np.int8), np.array([0.1, 0.6, 0.7, 0.9])
    held = model_quality(labels, said, 0.5)["binary_classification_metrics"]
    assert held["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    values = {
        "recall": 1, "precision": 1 / 3, "accuracy": 0.5, "true_positive_rate": 1,
        "true_negative_rate": 1 / 3, "false_positive_rate": 2 / 3, "false_negative_rate": 0,
        "recall_best_constant_classifier": 1, "precision_best_constant_classifier": 0.25,
        "accuracy_best_constant_classifier": 0.25, "f1_best_constant_classifier": 0.4,
    }  # fmt: skip
    for name, value in values.items():
        assert held[name]["value"] == pytest.approx(value), name


@pytest.mark.parametrize("label", [0, 1])
def test_model_quality_of_one_class_is_json_all_the_same(label):
    found = model_quality(np.full(4, label, np.int8), np.linspace(0, 1, 4), 0.5)
    json.dumps(found, allow_nan=False)
    held = found["binary_classification_metrics"]
    assert held["precision_recall_curve"] == {"precisions": [], "recalls": []}


def test_calibration_adds_up():
    said = np.concatenate([SAID, [0.0, 1.0]])
    labels = np.concatenate([LABELS, [0, 1]]).astype(np.int8)
    bins = calibration(labels, said)
    assert sum(each["count"] for each in bins) == 242
    assert sum(each["count"] * each["said"] for each in bins) == pytest.approx(said.sum())
    assert sum(each["count"] * each["came"] for each in bins) == pytest.approx(labels.sum())
    assert [each["said"] for each in bins] == sorted(each["said"] for each in bins)
    assert 0 < brier(labels, said) < 1
