"""Figures against scikit-learn's, distances against scipy's, and the exported graph against the original."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, ks_2samp
from sklearn.metrics import f1_score, fbeta_score, mean_absolute_error, r2_score, roc_auc_score

from jobs.tabular import quality as q
from jobs.tabular.boosting import answers_of, estimator
from jobs.tabular.export import export
from jobs.tabular.served import Served
from jobs.tabular.sketches import categorical_distance, chi_squared, numerical_distance, sketched

RNG = np.random.default_rng(3)


def test_binary_figures_are_scikit_learns():
    truth = (RNG.random(500) < 0.3).astype(float)
    answers = np.round(np.clip(truth * 0.3 + RNG.random(500) * 0.7, 0, 1), 2)  # with ties
    found = q.binary(truth, answers, 0.5)
    said = answers >= 0.5
    assert found["auc"] == pytest.approx(roc_auc_score(truth, answers))
    assert found["f1"] == pytest.approx(f1_score(truth, said))
    assert found["f2"] == pytest.approx(fbeta_score(truth, said, beta=2))
    assert found["f1_best_constant_classifier"] == pytest.approx(f1_score(truth, np.ones(500)))
    curves = q.quality("binary", truth, answers, 0.5).binary_classification_metrics
    roc = curves.receiver_operating_characteristic_curve
    assert np.trapezoid(roc.true_positive_rates, roc.false_positive_rates) == pytest.approx(
        found["auc"]
    )


def test_regression_figures_are_scikit_learns_and_spread_needs_two_hundred_samples():
    truth, answers = RNG.normal(size=300), RNG.normal(size=300)
    found = q.regression(truth, answers)
    assert found["mae"] == pytest.approx(mean_absolute_error(truth, answers))
    assert found["r2"] == pytest.approx(r2_score(truth, answers))
    many = q.quality("regression", truth, answers, 0.5).regression_metrics
    few = q.quality("regression", truth[:199], answers[:199], 0.5).regression_metrics
    assert few.rmse.standard_deviation == "NaN"
    assert 0 < many.rmse.standard_deviation < 0.2


def test_one_class_or_one_value_alone_still_gives_figures():
    ones = np.ones(250)
    assert q.quality("binary", ones, ones * 0.7, 0.5).value("auc") == 0
    assert q.quality("regression", ones, ones * 0.7, 0.5).value("r2") == 0


@pytest.mark.parametrize("count", [50, 40_000])
def test_the_distance_of_two_sketches_is_that_of_kolmogorov_and_smirnov(count):
    a, b = RNG.normal(size=count), RNG.normal(0.2, size=count)
    now, before = sketched(a).sketch, sketched(b).sketch
    exact = ks_2samp(a, b).statistic
    simple = numerical_distance(now, before, "Simple")
    assert simple == pytest.approx(exact, abs=1e-12 if count == 50 else 0.01)
    robust = numerical_distance(now, before, "Robust")
    assert robust == pytest.approx(max(0, simple - 1.8 * (2 / count) ** 0.5), abs=1e-9)
    assert sum(len(level) * 2**k for k, level in enumerate(now.data)) == count


def test_a_column_of_one_value_has_one_bucket():
    found = sketched(np.full(7, 3.0))
    assert [(b.lower_bound, b.upper_bound, b.count) for b in found.buckets] == [(3, 3, 7)]
    assert numerical_distance(found.sketch, sketched(np.full(9, 4.0)).sketch, "Simple") == 1


def test_categories_by_their_shares_and_by_chi_squared():
    before = {"a": 50, "b": 50}
    assert categorical_distance({"a": 10}, before, "Simple") == 0.5
    assert categorical_distance({"a": 10}, before, "Robust") == 0
    now = {"a": 70, "b": 30}
    assert chi_squared(now, before) == pytest.approx(chisquare([70, 30], [50, 50]).pvalue)
    assert chi_squared({"a": 2, "b": 1}, before) is None
    rare = {"a": 500, "b": 480, "c": 3, "d": 2}
    assert chi_squared(rare, rare) == pytest.approx(1.0)


@pytest.mark.parametrize("problem", ["regression", "binary"])
def test_the_graph_decides_neighbouring_numbers_as_the_original_does(tmp_path, problem):
    """Thresholds between neighbours of float32 are where rounding would send a row the other way."""
    one = np.float32(1)
    near = np.array([one])
    for _ in range(40):
        near = np.append(near, np.nextafter(near[-1], np.float32(2), dtype=np.float32))
    shown = np.repeat(near, 30)[:, None]
    answers = np.repeat(np.arange(len(near)) % 2, 30).astype(float)
    model = estimator(problem, max_iter=20, min_samples_leaf=5, early_stopping=False).fit(
        shown, answers
    )
    export(model, problem, 1, tmp_path / "model.onnx")
    served = Served.open(tmp_path / "model.onnx", problem)
    assert np.allclose(served.answers(shown), answers_of(model, problem, shown), atol=1e-5)
