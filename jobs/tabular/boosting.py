"""Gradient boosting, stopped by the validation rows and taught again with them.

The number of trees is what the validation rows ask for; then as many are grown on training and validation
rows together, so that the model that ships has seen all but the test rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.tabular.quality import figures
from signalbox.contracts.gate import Metric, Problem
from signalbox.contracts.tabular import Boosting, Tabular
from signalbox.errors import Rejected

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

STOPS_BY: dict[Metric, str] = {"auc": "roc_auc", "mae": "neg_mean_absolute_error"}
"""What the gate asks for also says when to stop; the other metrics follow the loss."""


@dataclass(frozen=True)
class Rows:
    """What a model is shown (n, F), and the answers (n,)."""

    shown: Matrix
    answers: Floats


@dataclass(frozen=True)
class Learned:
    """A trained estimator, how many trees, and figures before it was taught the validation rows."""

    estimator: Any
    trees: int
    figures: dict[str, dict[str, float]]

    def line(self) -> str:
        """For metric definitions: ``trees=120; train_rmse=1.9; validation_rmse=2.1; ...``."""
        told = [
            f"{split}_{name}={value:.6f};"
            for split, found in self.figures.items()
            for name, value in found.items()
        ]
        return " ".join([f"trees={self.trees};", *told])


def estimator(problem: Problem, **settings: Any) -> Any:
    """An untaught estimator of scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if problem == "regression":
        return HistGradientBoostingRegressor(**settings)
    return HistGradientBoostingClassifier(**settings)


def answers_of(model: Any, problem: Problem, shown: Matrix) -> Floats:
    """Numbers, or probabilities of class 1: (n,)."""
    found = model.predict(shown) if problem == "regression" else model.predict_proba(shown)[:, 1]
    return np.asarray(found, np.float64)


def learn(told: Tabular, chosen: Boosting, seed: int, train: Rows, validation: Rows) -> Learned:
    """Find the number of trees, measure, and teach the model that ships.

    Raises:
        Rejected: all answers of a split are the same.
    """
    for name, rows in (("train", train), ("validation", validation)):
        if len(np.unique(rows.answers)) < 2:
            raise Rejected("one-answer", f"{name} rows all have one answer; nothing can be learned")
    own = chosen.model_dump(exclude={"patience", "max_iter"}) | {"random_state": seed}
    first = estimator(
        told.problem, **own, max_iter=chosen.max_iter, early_stopping=True,
        n_iter_no_change=chosen.patience, scoring=STOPS_BY.get(told.gate.metric, "loss"),
    )  # fmt: skip
    first.fit(train.shown, train.answers, X_val=validation.shown, y_val=validation.answers)
    # entry 0 is from before the first tree
    trees = int(np.argmax(np.asarray(first.validation_score_)[1:])) + 1
    measured = {
        name: figures(
            told.problem,
            rows.answers,
            _after(first, told.problem, rows.shown, trees),
            told.threshold,
        )
        for name, rows in (("train", train), ("validation", validation))
    }
    last = estimator(told.problem, **own, max_iter=trees, early_stopping=False)
    last.fit(
        np.concatenate([train.shown, validation.shown]),
        np.concatenate([train.answers, validation.answers]),
    )
    return Learned(last, trees, measured)


def _after(model: Any, problem: Problem, shown: Matrix, trees: int) -> Floats:
    """Answers of the first trees alone: those grown while waiting for progress do not count."""
    stages: Iterator[Any] = (
        model.staged_predict(shown)
        if problem == "regression"
        else model.staged_predict_proba(shown)
    )
    found = np.asarray(next(islice(stages, trees - 1, None)), np.float64)
    return found if problem == "regression" else found[:, 1]
