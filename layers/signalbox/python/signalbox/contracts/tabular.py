"""What a workload says about learning from a table: what is asked of which columns, and what is good enough.

The section ``tabular`` of a workload. Such a workload has no cycles: a row is a case.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from signalbox.contracts.prediction import Split

STRICT = ConfigDict(extra="forbid", frozen=True)

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FromZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]

Problem = Literal["regression", "binary"]
Metric = Literal["rmse", "mae", "r2", "f1", "auc"]
Kind = Literal["number", "category"]

ID = "id"
"""The column by which predictions and truth find each other."""
PREDICTION, PROBABILITY = "prediction", "probability"
"""Columns that predicting adds; the second, of class 1, only for a binary question."""
OF: dict[Problem, tuple[Metric, ...]] = {
    "regression": ("rmse", "mae", "r2"),
    "binary": ("f1", "auc"),
}
ERRORS = frozenset({"rmse", "mae"})


class Gate(BaseModel):
    """A model is good enough when ``metric`` is at least, or at most, so much."""

    model_config = STRICT

    metric: Metric
    at_least: Finite | None = None
    at_most: Finite | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least, at_most")
        if (self.at_most is None) == (self.metric in ERRORS):
            side = "at_most" if self.metric in ERRORS else "at_least"
            raise ValueError(f"{self.metric} needs {side}")
        return self

    @property
    def bound(self) -> float:
        """The number on whichever side it is."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    def met(self, value: float) -> bool:
        """Whether a value is good enough; NaN is not."""
        return value >= self.bound if self.at_least is not None else value <= self.bound

    def wish(self) -> str:
        """For people.

        >>> Gate(metric="rmse", at_most=2.5).wish()
        'at most 2.5'
        """
        return f"at {'least' if self.at_least is not None else 'most'} {self.bound:g}"


class Drift(BaseModel):
    """How far a distribution may be from that of the training rows.

    Names as in Model Monitor; ``Simple`` is the largest difference of the two distribution functions,
    ``Robust`` is less what chance alone explains. Of ``ChiSquared`` the threshold is a p-value.
    """

    model_config = STRICT

    threshold: Share = 0.1
    method: Literal["Simple", "Robust"] = "Robust"
    categorical_threshold: Share = 0.1
    categorical_method: Literal["LInfinity", "ChiSquared"] = "LInfinity"


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
        tuning: ranges of hyperparameters for tuning.
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
    tuning: dict[Name, tuple[int | Finite, int | Finite]] = {}

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if self.target in self.columns:
            raise ValueError(f"columns: {self.target} is the target; a model may not see it")
        taken = {ID, PREDICTION, PROBABILITY} & {*self.columns, self.target}
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
        if self.gate.metric not in OF[self.problem]:
            fitting = ", ".join(OF[self.problem])
            raise ValueError(f"gate.metric: {self.problem} is judged by {fitting}")
        if (self.loader == "plain") != (self.pm25_limit is None):
            raise ValueError("pm25_limit belongs to loader beijing or gsod, and is needed there")
        if self.loader != "plain" and (self.problem != "binary" or self.names or self.id):
            raise ValueError(f"loader {self.loader}: problem is binary; names and id are its own")
        return self

    @model_validator(mode="after")
    def _ranges_fit(self) -> Self:
        strange = sorted(set(self.tuning) - set(Boosting.model_fields))
        if strange:
            raise ValueError(f"tuning: {', '.join(strange)} is no hyperparameter")
        for name, (low, high) in self.tuning.items():
            if low >= high:
                raise ValueError(f"tuning.{name}: give [low, high] with low below high")
            for end in (low, high):
                Boosting.model_validate({name: end})
        return self

    def search(self) -> dict[str, str]:
        """What the tuning pipeline asks for: the objective, and the ends of each range given.

        >>> told = {"problem": "regression", "target": "y", "columns": {"x": "number"},
        ...         "gate": {"metric": "rmse", "at_most": 2}, "tuning": {"max_leaf_nodes": [4, 32]}}
        >>> Tabular.model_validate(told).search()["MaxLeafNodesMax"]
        '32'
        """
        least = self.gate.at_least is None
        told = {
            "Objective": f"validation:{self.gate.metric}",
            "ObjectiveType": "Minimize" if least else "Maximize",
        }
        for name, ends in self.tuning.items():
            words = "".join(word.title() for word in name.split("_"))
            told |= {f"{words}{end}": f"{ends[k]:g}" for k, end in enumerate(("Min", "Max"))}
        return told
