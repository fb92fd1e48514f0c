"""What a workload asks of its models: the gate they must pass, how far data may drift, where tuning looks.

Sections ``gate``, ``drift`` and ``tuning`` of both ``tabular`` and ``prediction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Ranges = Mapping[Name, tuple[int | Finite, int | Finite]]
"""Hyperparameter -> its lowest and highest value, for tuning."""
BELOW = "not good enough"
"""How the sentence ends that says that a model does not pass its gate; no other reason holds these words."""
TUNED = 2
"""Ranges of each kind that ``pipelines/tune.json`` takes, continuous and integer."""

Problem = Literal["regression", "binary"]
Metric = Literal["rmse", "mae", "r2", "f1", "auc"]

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

    def fits(self, problem: Problem) -> None:
        """See that its metric is one of the problem's.

        Raises:
            ValueError: it is none.
        """
        if self.metric not in OF[problem]:
            raise ValueError(f"gate.metric: {problem} is judged by {', '.join(OF[problem])}")


class Drift(BaseModel):
    """How far a distribution may be from that of the training rows.

    Names as in Model Monitor; ``Simple`` is the largest difference of the two distribution functions,
    ``Robust`` is less what chance alone explains. Of ``ChiSquared`` the threshold is a p-value.

    Attributes:
        missing: share of the rows that may lack a value beyond the share of the training rows that did.
    """

    model_config = STRICT

    threshold: Share = 0.1
    method: Literal["Simple", "Robust"] = "Robust"
    categorical_threshold: Share = 0.1
    categorical_method: Literal["LInfinity", "ChiSquared"] = "LInfinity"
    missing: Annotated[float, Field(ge=0, lt=1)] = 0.0


def check_ranges(given: Ranges, tunable: Mapping[str, type[BaseModel]]) -> None:
    """See that ranges are of hyperparameters, and within what these may be.

    Args:
        given: the section ``tuning``.
        tunable: hyperparameter -> the model whose field it is.

    Raises:
        ValueError: one is not.
    """
    strange = sorted(set(given) - set(tunable))
    if strange:
        known = ", ".join(tunable)
        raise ValueError(f"tuning: {', '.join(strange)} is no hyperparameter; there are {known}")
    for name, (low, high) in given.items():
        if low >= high:
            raise ValueError(f"tuning.{name}: give [low, high] with low below high")
        for end in (low, high):
            tunable[name].model_validate({name: end})
    for kind, word in ((float, "continuous"), (int, "integer")):
        found = [name for name in given if _kind(name, tunable) is kind]
        if len(found) > TUNED:
            raise ValueError(f"tuning: {TUNED} {word} ranges at most, not {', '.join(found)}")


def search(
    gate: Gate, given: Ranges, usual: Ranges, tunable: Mapping[str, type[BaseModel]]
) -> dict[str, str]:
    """What the tuning pipeline asks for: the objective, and two ranges of each kind.

    Args:
        gate: its metric is the objective.
        given: the section ``tuning``.
        usual: ranges that stand in where it gives fewer than two of a kind.
        tunable: as for :func:`check_ranges`.
    """
    told = {
        "Objective": f"validation:{gate.metric}",
        "ObjectiveType": "Minimize" if gate.at_least is None else "Maximize",
    }
    ranges = {**given, **{name: ends for name, ends in usual.items() if name not in given}}
    for word, kind in (("Continuous", float), ("Integer", int)):
        mine = [name for name in ranges if _kind(name, tunable) is kind][:TUNED]
        for number, name in enumerate(mine, 1):
            low, high = (str(kind(end)) for end in ranges[name])
            own = f"{word}{number}"
            told |= {own: name, f"{own}Min": low, f"{own}Max": high}
    return told


def _kind(name: str, tunable: Mapping[str, type[BaseModel]]) -> Any:
    """The type of a hyperparameter: float or int."""
    return tunable[name].model_fields[name].annotation
