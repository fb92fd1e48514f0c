"""What a model says of the cycles of a unit: for `signalbox score`, for predictions, and for comparing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cycles.history import Past, gather, lives
from jobs.dataset.tables import History
from signalbox.adapters.history import past_of
from signalbox.adapters.onnx_model import OnnxModel, read_schema
from signalbox.contracts.model_schema import ONNX, ModelSchema

AT_A_TIME = 512
"""Windows that are gathered at a time."""
NEVER = np.empty(0)


@dataclass(frozen=True)
class Scorer:
    """A model, its schema, and what turns columns into its features."""

    schema: ModelSchema
    past: Past
    model: OnnxModel

    @classmethod
    def open(cls, folder: Path) -> Scorer:
        """Open model.json and model.onnx of a folder.

        Raises:
            Rejected: there is none, or it is damaged.
        """
        schema = read_schema(folder)
        return cls(schema, past_of(schema), OnnxModel.open(folder / ONNX))

    def probabilities(
        self, history: History, faults: npt.NDArray[np.float64] = NEVER,
        rows: npt.NDArray[np.int64] | None = None, batch: int = AT_A_TIME,
    ) -> npt.NDArray[np.float64]:  # fmt: skip
        """Probabilities of a fault within the horizon, each from its cycle and earlier ones only.

        Args:
            history: the unit, with the columns of the schema.
            faults: when it failed; it begins anew after each.
            rows: the cycles asked for; all by default.
            batch: windows that are gathered at a time.

        Returns:
            (cycles asked for,).
        """
        begins = lives(history.times, faults)
        features = self.past.of_lives(history.values, begins)
        asked = np.arange(len(features)) if rows is None else rows
        said: list[npt.NDArray[np.float64]] = [np.empty(0)]
        for first in range(0, len(asked), batch):
            some = asked[first : first + batch]
            firsts = begins[np.searchsorted(begins, some, side="right") - 1]
            windows, valid = gather(features, firsts, some, self.schema.window)
            told = self.model.log_probabilities(windows.astype(np.float32, copy=False), valid)
            said.append(np.exp(told[:, 1].astype(np.float64)))
        return np.concatenate(said)
