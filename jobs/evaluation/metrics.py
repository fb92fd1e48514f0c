"""Figures over single predictions and over alerts, with intervals from drawing units again.

Units are drawn, not predictions: those of one unit are too alike to count as many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    brier_score_loss,
    confusion_matrix,
    fbeta_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from cycles.history.alerts import Ending, Table, tabulate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DRAWS = 1000
CURVE_POINTS = 200
BINS = 10


def auc(labels: npt.NDArray[np.int8], probabilities: Floats) -> float | None:
    """ROC-AUC; None where one class is missing."""
    return float(roc_auc_score(labels, probabilities)) if len(np.unique(labels)) == 2 else None


def drawn_units(units: Ints, seed: int, draws: int = DRAWS) -> list[Ints]:
    """Rows of each bootstrap sample: as many units as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    names = np.unique(units)
    rows = {unit: np.flatnonzero(units == unit) for unit in names}
    return [
        np.concatenate([rows[unit] for unit in rng.choice(names, len(names))]) for _ in range(draws)
    ]


def interval(values: Sequence[float | None]) -> list[float] | None:
    """The middle 95 %, of those draws that have a value."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return [float(low), float(high)]


def auc_interval(
    labels: npt.NDArray[np.int8], probabilities: Floats, draws: Sequence[Ints]
) -> list[float] | None:
    """Interval of ROC-AUC over bootstrap draws of units."""
    return interval([auc(labels[rows], probabilities[rows]) for rows in draws])


def auc_difference(
    labels: npt.NDArray[np.int8], ours: Floats, theirs: Floats, draws: Sequence[Ints]
) -> dict[str, Any]:
    """Paired: ours minus theirs on the same draws; ``low`` is the 2.5th percentile."""
    found = [
        a - b
        for rows in draws
        if (a := auc(labels[rows], ours[rows])) is not None
        and (b := auc(labels[rows], theirs[rows])) is not None
    ]
    if not found:
        return {"mean": None, "low": None, "high": None}
    low, high = np.percentile(found, [2.5, 97.5])
    return {"mean": float(np.mean(found)), "low": float(low), "high": float(high)}


def table_json(table: Table) -> dict[str, Any]:
    """A table with its rates, as JSON has it."""
    counts = {name: getattr(table, name) for name in Table.__dataclass_fields__}
    rates = ("precision", "effective_precision", "recall")
    return counts | {name: getattr(table, name) for name in rates}


def rate_intervals(endings: Sequence[Ending], seed: int, draws: int = DRAWS) -> dict[str, Any]:
    """Intervals of precision, effective precision and recall over draws of units."""
    units = np.asarray([each.unit for each in endings])
    tables = (
        [tabulate([endings[k] for k in rows]) for rows in drawn_units(units, seed, draws)]
        if len(units)
        else []
    )
    rates: dict[str, Callable[[Table], float | None]] = {
        "precision": lambda t: t.precision,
        "effective_precision": lambda t: t.effective_precision,
        "recall": lambda t: t.recall,
    }
    return {name: interval([rate(table) for table in tables]) for name, rate in rates.items()}


def calibration(labels: npt.NDArray[np.int8], probabilities: Floats) -> list[dict[str, float]]:
    """For tenths of the range: how many predictions, what they said on average, what came true."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [
        {
            "count": int((bins == k).sum()),
            "said": float(probabilities[bins == k].mean()),
            "came": float(labels[bins == k].mean()),
        }
        for k in range(BINS)
        if (bins == k).any()
    ]


def model_quality(
    labels: npt.NDArray[np.int8], probabilities: Floats, threshold: float
) -> dict[str, Any]:
    """``binary_classification_metrics`` as SageMaker Model Monitor writes them.

    Source: SageMaker Developer Guide, "Model quality metrics and Amazon CloudWatch monitoring", in whose
    example the best constant classifier is the one that always says 1. These are of single predictions,
    not of alerts.
    """
    said = probabilities >= threshold
    counts = confusion_matrix(labels, said, labels=[0, 1])
    (tn, fp), (fn, tp) = counts.tolist()
    always = np.ones(len(labels), np.int8)
    rates = {
        "recall": _share(tp, tp + fn), "precision": _share(tp, tp + fp),
        "accuracy": _share(tp + tn, len(labels)), "true_positive_rate": _share(tp, tp + fn),
        "true_negative_rate": _share(tn, tn + fp), "false_positive_rate": _share(fp, tn + fp),
        "false_negative_rate": _share(fn, tp + fn), "auc": auc(labels, probabilities) or 0.0,
        "recall_best_constant_classifier": _share(fn + tp, fn + tp),
        "precision_best_constant_classifier": _share(fn + tp, len(labels)),
        "accuracy_best_constant_classifier": _share(fn + tp, len(labels)),
        **{
            f"{name}{who}": float(fbeta_score(labels, answers, beta=beta, zero_division=0.0))
            for name, beta in (("f0_5", 0.5), ("f1", 1), ("f2", 2))
            for who, answers in (("", said), ("_best_constant_classifier", always))
        },
    }  # fmt: skip
    told: dict[str, Any] = {
        "confusion_matrix": {"0": {"0": tn, "1": fp}, "1": {"0": fn, "1": tp}},
        **{name: {"value": value, "standard_deviation": "NaN"} for name, value in rates.items()},
        **_curves(labels, probabilities),
    }
    return {"binary_classification_metrics": told}


def _curves(
    labels: npt.NDArray[np.int8], probabilities: Floats
) -> dict[str, dict[str, list[float]]]:
    """Both curves; empty where one class is missing, as neither is defined then."""
    roc: list[Floats] = [np.empty(0), np.empty(0)]
    recall: list[Floats] = [np.empty(0), np.empty(0)]
    if len(np.unique(labels)) == 2:
        roc = list(roc_curve(labels, probabilities)[:2])
        recall = list(precision_recall_curve(labels, probabilities)[:2])
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": _thinned(roc[0]), "true_positive_rates": _thinned(roc[1]),
        },
        "precision_recall_curve": {
            "precisions": _thinned(recall[0]), "recalls": _thinned(recall[1]),
        },
    }  # fmt: skip


def brier(labels: npt.NDArray[np.int8], probabilities: Floats) -> float:
    """Mean squared distance of the probabilities from what came."""
    return float(brier_score_loss(labels, probabilities))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _thinned(values: npt.NDArray[np.floating[Any]]) -> list[float]:
    places = np.linspace(0, len(values) - 1, min(len(values), CURVE_POINTS)).astype(int)
    return [float(value) for value in values[places]]
