"""What stands beside the parts of a table, ``schema.json``, and beside its model, ``model.json``.

The container reads ``inputs`` of model.json alone; the rest says how a row becomes its numbers.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from signalbox.contracts.gate import Problem
from signalbox.contracts.tabular import Tabular

STRICT = ConfigDict(extra="forbid", frozen=True)
SCHEMA = "schema.json"
INPUT = "features"

Finite = Annotated[float, Field(allow_inf_nan=False)]


class TableSchema(BaseModel):
    """What the parts beside it are: rows of which split, for which workload.

    ``digest`` is that of the whole dataset: equal in all splits that were made together.
    """

    model_config = STRICT

    workload: str
    split: Literal["train", "validation", "test"]
    rows: Annotated[int, Field(ge=1)]
    digest: str
    tabular: Tabular


class ModelColumn(BaseModel):
    """How a column becomes numbers.

    Attributes:
        fill: of a number, the median of the training rows, standing in for what is missing.
        categories: of a category, those of the training rows: one feature each, 1 or 0; another category,
            or none, is 0 in all.
    """

    model_config = STRICT

    name: str
    fill: Finite | None = None
    categories: list[str] | None = None

    @model_validator(mode="after")
    def _number_or_category(self) -> Self:
        if (self.fill is None) == (self.categories is None):
            raise ValueError("give exactly one of fill, categories")
        return self

    @property
    def features(self) -> list[str]:
        """Names of its features.

        >>> ModelColumn(name="sex", categories=["F", "M"]).features
        ['sex=F', 'sex=M']
        """
        if self.categories is None:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories]


class Shape(BaseModel):
    """Numbers of one record."""

    model_config = STRICT

    shape: list[int]


class TabularModel(BaseModel):
    """Identity and input of one trained model.

    Attributes:
        workload: the only workload it may predict for.
        version: unique name; 1 to 40 letters, digits and hyphens.
        columns: how rows become the one input, float32 (batch, F), in this order.
        features: names of its F numbers.
        threshold: probability from which the answer is yes.
        dataset: digest of the dataset it was trained on.
        training: hyperparameters, and how many trees came of them.
        inputs: shapes, for the container.
    """

    model_config = STRICT

    workload: str
    version: str = Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,39}$")
    problem: Problem
    target: str
    columns: list[ModelColumn] = Field(min_length=1)
    features: list[str] = Field(min_length=1)
    threshold: Annotated[float, Field(gt=0, lt=1)]
    dataset: str
    training: dict[str, Any] = {}
    inputs: dict[str, Shape]

    @model_validator(mode="after")
    def _features_follow(self) -> Self:
        if self.features != [name for column in self.columns for name in column.features]:
            raise ValueError("features are not those of the columns")
        if self.inputs != {INPUT: Shape(shape=[len(self.features)])}:
            raise ValueError(f"inputs is not {INPUT} of shape [{len(self.features)}]")
        return self

    @property
    def digest(self) -> str:
        """Fingerprint of all that shapes an input: equal digests mean that predictions are comparable."""
        shaping = self.model_dump(include={"workload", "target", "columns"})
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]
