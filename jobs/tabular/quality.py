"""Figures of a model in Model Monitor's format, with standard deviations from drawing rows again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from signalbox.contracts.gate import OF, Problem
from signalbox.contracts.model_quality import ModelQuality

Floats = npt.NDArray[np.float64]
LEAST_SAMPLES = 200
"""Below these the standard deviation is "NaN". Source: SageMaker Developer Guide, "Model quality metrics"."""
DRAWS = 200
CURVE_POINTS = 200


def quality(problem: Problem, truth: Floats, answers: Floats, threshold: float) -> ModelQuality:
    """All metrics of a problem.

    Args:
        problem: which.
        truth: (n,) numbers, or 0 and 1.
        answers: (n,) numbers, or probabilities of 1.
        threshold: probability from which the answer is yes.
    """
    if problem == "regression":
        return ModelQuality.model_validate(
            {"regression_metrics": _measured(truth, answers, regression)}
        )

    def rates(some: Floats, told: Floats) -> dict[str, float]:
        return binary(some, told, threshold)

    found: dict[str, Any] = _measured(truth, answers, rates)
    tn, fp, fn, tp = _counts(truth, answers >= threshold)
    found["confusion_matrix"] = {"0": {"0": tn, "1": fp}, "1": {"0": fn, "1": tp}}
    return ModelQuality.model_validate(
        {"binary_classification_metrics": found | _curves(truth, answers)}
    )


def figures(
    problem: Problem, truth: Floats, answers: Floats, threshold: float = 0.5
) -> dict[str, float]:
    """The figures that a gate can ask for."""
    all_ = (
        regression(truth, answers) if problem == "regression" else binary(truth, answers, threshold)
    )
    return {name: all_[name] for name in OF[problem]}


def regression(truth: Floats, answers: Floats) -> dict[str, float]:
    """Errors in the target's unit, and the share of its variance that is explained.

    Where the truth does not vary there is nothing to explain: r2 is 0.
    """
    off = answers - truth
    mse = float(np.mean(off**2))
    spread = float(np.var(truth))
    return {
        "mae": float(np.abs(off).mean()), "mse": mse, "rmse": mse**0.5,
        "r2": 1 - mse / spread if spread > 0 else 0.0,
    }  # fmt: skip


def binary(truth: Floats, answers: Floats, threshold: float) -> dict[str, float]:
    """Rates at a threshold, and the area under the curve (0 where one class is missing)."""
    tn, fp, fn, tp = _counts(truth, answers >= threshold)
    positives = tp + fn
    always = (0, tn + fp, 0, positives)
    return {
        "recall": _share(tp, positives), "precision": _share(tp, tp + fp),
        "accuracy": _share(tp + tn, len(truth)), "true_positive_rate": _share(tp, positives),
        "true_negative_rate": _share(tn, tn + fp), "false_positive_rate": _share(fp, tn + fp),
        "false_negative_rate": _share(fn, positives), "auc": auc(truth, answers),
        "recall_best_constant_classifier": _share(positives, positives),
        "precision_best_constant_classifier": _share(positives, len(truth)),
        "accuracy_best_constant_classifier": _share(positives, len(truth)),
        **{
            f"{name}{who}": _f_score(counts, beta)
            for name, beta in (("f0_5", 0.5), ("f1", 1.0), ("f2", 2.0))
            for who, counts in (("", (tn, fp, fn, tp)), ("_best_constant_classifier", always))
        },
    }  # fmt: skip


def auc(truth: Floats, answers: Floats) -> float:
    """How often a positive is ranked above a negative, ties counting half; 0 where one class is missing."""
    positives = int((truth == 1).sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return 0.0
    _, places, counts = np.unique(answers, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[truth == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def _measured(
    truth: Floats, answers: Floats, metrics: Callable[[Floats, Floats], dict[str, float]]
) -> dict[str, Any]:
    values = metrics(truth, answers)
    spread: dict[str, float | str] = dict.fromkeys(values, "NaN")
    if len(truth) >= LEAST_SAMPLES:
        rng = np.random.default_rng(0)
        drawn = [
            metrics(truth[rows], answers[rows])
            for rows in (rng.integers(0, len(truth), len(truth)) for _ in range(DRAWS))
        ]
        spread = {name: float(np.std([draw[name] for draw in drawn])) for name in values}
    return {
        name: {"value": value, "standard_deviation": spread[name]} for name, value in values.items()
    }


def _counts(truth: Floats, said: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    yes = truth == 1
    return (
        int((~yes & ~said).sum()), int((~yes & said).sum()),
        int((yes & ~said).sum()), int((yes & said).sum()),
    )  # fmt: skip


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _f_score(counts: tuple[int, int, int, int], beta: float) -> float:
    _, fp, fn, tp = counts
    return _share((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp)


def _curves(truth: Floats, answers: Floats) -> dict[str, Any]:
    """Both curves from the strictest threshold on; empty where one class is missing."""
    yes = (truth == 1)[np.argsort(-answers, kind="stable")]
    positives, negatives = int(yes.sum()), int((~yes).sum())
    rates: list[list[float]] = [[], [], [], []]
    if positives and negatives:
        told = np.sort(answers)[::-1]
        ends = np.flatnonzero(np.append(told[1:] != told[:-1], True))
        tp = np.append(0, np.cumsum(yes)[ends])
        said = np.append(0, ends + 1)
        places = np.unique(np.linspace(0, len(tp) - 1, CURVE_POINTS).astype(int))
        tp, said = tp[places], said[places]
        precision = np.where(said > 0, tp / np.maximum(said, 1), 1.0)
        found = ((said - tp) / negatives, tp / positives, precision, tp / positives)
        rates = [[float(each) for each in rate] for rate in found]
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": rates[0], "true_positive_rates": rates[1],
        },
        "precision_recall_curve": {"precisions": rates[2], "recalls": rates[3]},
    }  # fmt: skip
