"""What the model must beat: logistic regression and gradient boosting on statistics of the same windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cycles.history import Sequences

STATISTICS = ("mean", "std", "min", "max", "last", "slope")
AT_A_TIME = 512

Floats = npt.NDArray[np.float32]


def window_statistics(data: Sequences, rows: npt.NDArray[np.int64], window: int) -> Floats:
    """Six statistics of each feature over the real cycles of each window: (n, 6 F)."""
    parts = []
    for k in range(0, len(rows), AT_A_TIME):
        part = slice(k, k + AT_A_TIME)
        stored, valid = data.windows(rows[part], window)
        parts.append(_statistics(stored.astype(np.float32), valid))
    return np.concatenate(parts)


def _statistics(windows: Floats, valid: npt.NDArray[np.int64]) -> Floats:
    age = np.arange(windows.shape[1] - 1, -1, -1)
    real = (age[None, :] < valid[:, None])[:, :, None]  # (n, T, 1)
    count = valid[:, None].astype(np.float32)
    mean = (windows * real).sum(1) / count
    strayed = (windows - mean[:, None]) * real
    std = np.sqrt((strayed**2).sum(1) / count)
    low = np.where(real, windows, np.inf).min(1)
    high = np.where(real, windows, -np.inf).max(1)
    t = (-age[None, :, None].astype(np.float32)) * real
    t_off = (t - t.sum(1, keepdims=True) / count[:, :, None]) * real
    slope = (t_off * windows).sum(1) / np.maximum((t_off**2).sum(1), 1e-9)
    out = np.concatenate([mean, std, low, high, windows[:, -1], slope], axis=1)
    return np.asarray(out, np.float32)


@dataclass(frozen=True)
class Baseline:
    """A classifier over window statistics."""

    name: str
    classifier: Any

    def probabilities(self, statistics: Floats) -> npt.NDArray[np.float64]:
        """(n,) of a fault within the horizon."""
        return np.asarray(self.classifier.predict_proba(statistics)[:, 1], np.float64)


def fitted(statistics: Floats, labels: npt.NDArray[np.int8], seed: int) -> list[Baseline]:
    """Both baselines, with the settings their library comes with, learned from the training units."""
    made = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
    }
    return [Baseline(name, model.fit(statistics, labels)) for name, model in made.items()]
