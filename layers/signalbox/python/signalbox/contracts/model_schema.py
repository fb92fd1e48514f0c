"""What a model was made from, beside ``model.onnx`` in every model archive: ``model.json``.

Whoever scores compares it with what is about to be scored; a mismatch is refused with what is missing.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)
FILE = "model.json"
ONNX = "model.onnx"

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Adjustment(BaseModel):
    """What the training units taught about features, one entry a column.

    Attributes:
        conditions, mode: columns that explain others, and the one that tells two ways of running apart.
        usual: medians, standing in for a reading that a unit has never given.
        low, high: what lies beyond is taken for that.
        centre, spread: of the conditions, before they are squared.
        coefficients: (terms, columns), terms as :mod:`cycles.history.past` has them.
        deviation: how much a healthy unit strays from its own usual, one standard deviation.
    """

    model_config = STRICT

    conditions: list[str] = []
    mode: str | None = None
    usual: list[Finite] = []
    low: list[Finite] = []
    high: list[Finite] = []
    centre: list[Finite] = []
    spread: list[Finite] = []
    coefficients: list[list[Finite]] = []
    deviation: list[Finite] = []


class ModelSchema(BaseModel):
    """Identity, inputs and threshold of one trained model.

    Attributes:
        workload: the only workload it may score.
        version: unique name of the trained model; 1 to 40 letters, digits and hyphens.
        columns: cycle features it needs, in order, as the cycle tables name them.
        features: columns of the model's input, in order: cycle features and comparisons with the own past.
        window: cycles of history.
        time, horizon, grace: what a positive means.
        threshold: from this probability on it warns.
        compare, reference, smooth, lag, age, adjustment: how columns become features; see
            :class:`signalbox.contracts.prediction.Baseline`.
        dataset: digest of the dataset it was trained on.
    """

    model_config = STRICT

    workload: str
    version: str = Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,39}$")
    columns: list[str] = Field(min_length=1)
    features: list[str] = Field(min_length=1)
    window: Annotated[int, Field(ge=1)]
    time: Literal["days", "cycles"]
    horizon: Finite
    grace: Finite
    threshold: Annotated[float, Field(gt=0, lt=1)]
    compare: list[Literal["level", "own", "before"]] = ["level", "own"]
    reference: Annotated[int, Field(ge=1)]
    smooth: Annotated[int, Field(ge=1)]
    lag: Annotated[int, Field(ge=1)] = 100
    age: bool = False
    adjustment: Adjustment = Adjustment()
    dataset: str

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for names in (self.columns, self.features):
            if len(set(names)) != len(names):
                raise ValueError("a feature is named twice")
        return self

    @property
    def digest(self) -> str:
        """Fingerprint of all that shapes an input: equal digests mean that scores are comparable."""
        shaping = self.model_dump(
            include={
                "workload",
                "columns",
                "features",
                "window",
                "reference",
                "smooth",
                "lag",
                "adjustment",
            }
        )
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]
