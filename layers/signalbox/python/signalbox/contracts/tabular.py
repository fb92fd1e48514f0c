"""What a workload says about learning from a table: what is asked of which columns, and what is good enough.

The section ``tabular`` of a workload. Such a workload has no cycles: a row is a case.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from signalbox.contracts.gate import (
    STRICT,
    Drift,
    Gate,
    Name,
    Problem,
    Ranges,
    Share,
    check_ranges,
    search,
)
from signalbox.contracts.prediction import Split

AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FromZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]

Kind = Literal["number", "category"]

ID = "id"
"""The column by which predictions and truth find each other."""
PREDICTION, PROBABILITY = "prediction", "probability"
"""Columns that predicting adds; the second, of class 1, only for a binary question."""
MODEL_PACKAGE, PREDICTED_AT = "model_package", "predicted_at"
"""Columns that say which version of the model predicted, and in the run of which moment."""
ADDED = frozenset({ID, PREDICTION, PROBABILITY, MODEL_PACKAGE, PREDICTED_AT})
"""All columns of the house's own."""


class Boosting(BaseModel):
    """Gradient boosting over histograms; names as in scikit-learn. ``max_iter`` is a ceiling.

    ``patience``: rounds without progress on the validation rows after which it stops.
    """

    model_config = STRICT

    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    max_iter: Annotated[int, Field(ge=1, le=5000)] = 500
    max_leaf_nodes: Annotated[int, Field(ge=2, le=1024)] = 31
    min_samples_leaf: Count = 20
    l2_regularization: FromZero = 0.0
    max_features: Annotated[float, Field(gt=0, le=1)] = 1.0
    patience: Count = 20


TUNABLE: dict[str, type[BaseModel]] = dict.fromkeys(Boosting.model_fields, Boosting)
USUAL: Ranges = {
    "learning_rate": (0.01, 0.2), "l2_regularization": (0, 10), "max_leaf_nodes": (4, 32),
    "min_samples_leaf": (5, 80),
}  # fmt: skip
"""Where tuning looks unless the workload says otherwise."""


class Tabular(BaseModel):
    """One question asked of a table.

    Attributes:
        problem: a number, or yes (1) or no (0).
        target: the column with the answer.
        columns: what the model may see, and whether it is a number or a category.
        names: of files without a header, all columns in order; files for prediction may lack the target.
        id: column that names a row; without it a row is called after its file and its place there.
        group: column whose values are kept apart: those of the test rows are never trained on.
        loader: how files become rows; ``beijing`` and ``gsod`` make a row of every station and day.
        pm25_limit: for these two, a day whose mean PM2.5 (µg/m³) is above it is unhealthy: the target.
        split: shares of the rows, or groups, for validation and test.
        gate: what a model must reach on the test rows, and later on the truth.
        threshold: probability from which the answer is yes.
        drift: how far distributions may stray.
        training: fixed hyperparameters.
        tuning: ranges of hyperparameters for tuning, two continuous and two integer ones at most.
    """

    model_config = STRICT

    problem: Problem
    target: Name
    columns: dict[Name, Kind] = Field(min_length=1)
    names: list[Name] | None = None
    id: Name | None = None
    group: Name | None = None
    loader: Literal["plain", "beijing", "gsod"] = "plain"
    pm25_limit: AboveZero | None = None
    split: Split = Split()
    gate: Gate
    threshold: Share = 0.5
    drift: Drift = Drift()
    training: Boosting = Boosting()
    tuning: Ranges = {}

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if self.target in self.columns:
            raise ValueError(f"columns: {self.target} is the target; a model may not see it")
        taken = ADDED & {*self.columns, self.target}
        if taken:
            raise ValueError(f"columns: {', '.join(sorted(taken))} is a name of the house's own")
        if self.names is not None:
            wanted = {*self.columns, self.target, *filter(None, (self.id, self.group))}
            absent = wanted - set(self.names)
            if absent:
                raise ValueError(f"names does not name {', '.join(sorted(absent))}")
            if len(set(self.names)) != len(self.names):
                raise ValueError("names names a column twice")
        return self

    @model_validator(mode="after")
    def _question_fits(self) -> Self:
        self.gate.fits(self.problem)
        if (self.loader == "plain") != (self.pm25_limit is None):
            raise ValueError("pm25_limit belongs to loader beijing or gsod, and is needed there")
        if self.loader != "plain" and (self.problem != "binary" or self.names or self.id):
            raise ValueError(f"loader {self.loader}: problem is binary; names and id are its own")
        return self

    @model_validator(mode="after")
    def _ranges_fit(self) -> Self:
        check_ranges(self.tuning, TUNABLE)
        return self

    def search(self) -> dict[str, str]:
        """What the tuning pipeline asks for: the objective, and the ends of two ranges of each kind.

        >>> told = {"problem": "regression", "target": "y", "columns": {"x": "number"},
        ...         "gate": {"metric": "rmse", "at_most": 2}, "tuning": {"max_leaf_nodes": [4, 32]}}
        >>> found = Tabular.model_validate(told).search()
        >>> found["Integer1"], found["Integer1Max"], found["Integer2"]
        ('max_leaf_nodes', '32', 'min_samples_leaf')
        """
        return search(self.gate, self.tuning, USUAL, TUNABLE)
