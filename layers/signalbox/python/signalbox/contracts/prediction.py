"""What a workload says about predicting faults: how far ahead, from what, and when to warn.

The section ``prediction`` of a workload. Times are days of the calendar, or cycles, by ``time``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from signalbox.contracts.gate import (
    STRICT,
    Drift,
    Gate,
    Name,
    Ranges,
    Share,
    check_ranges,
    search,
)

Positive = Annotated[int, Field(ge=1)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FromZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Table(BaseModel):
    """Cycles that come ready, one row each: which columns say what.

    ``columns`` names the columns of a text without a header, in order; ``separator`` is one
    character, or ``space`` for any run of blanks. Files are CSV or text, plain or gzipped, or Parquet.
    """

    model_config = STRICT

    unit: Name
    cycle: Name
    features: list[Name] = Field(min_length=1)
    columns: list[Name] | None = None
    separator: Annotated[str, Field(pattern=r"^(.|space)$")] = ","

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        wanted = [self.unit, self.cycle, *self.features]
        if len(set(wanted)) != len(wanted):
            raise ValueError("unit, cycle and features must be different columns, each once")
        absent = set(wanted) - set(self.columns if self.columns is not None else wanted)
        if absent:
            raise ValueError(f"columns does not name {', '.join(sorted(absent))}")
        return self


Comparing = Literal["level", "own", "before"]


class Baseline(BaseModel):
    """What a unit is compared with: the fleet under like conditions, and its own past.

    Attributes:
        compare: which comparisons become features: ``level`` (a feature as it is, less what the conditions
            explain), ``own`` (smoothed, against the unit's own first cycles), ``before`` (smoothed, against
            itself ``lag`` cycles ago).
        reference: first cycles of a unit that are its usual.
        smooth: cycles averaged before comparing.
        lag: cycles between now and before.
        conditions: features that a fault does not move, such as the weather; a quadratic in them, fitted on
            healthy cycles of the training units, is taken from every feature.
        mode: a feature above or below 0.5 that tells two ways of running apart, each with its own quadratic.
        age: whether the number of cycles so far is a feature too.
    """

    model_config = STRICT

    compare: list[Comparing] = Field(default=["level", "own"], min_length=1)
    reference: Positive = 20
    smooth: Positive = 10
    lag: Positive = 100
    conditions: list[Name] = []
    mode: Name | None = None
    age: bool = False

    @model_validator(mode="after")
    def _comparisons_differ(self) -> Self:
        if len(set(self.compare)) != len(self.compare):
            raise ValueError("compare names a comparison twice")
        return self


class Split(BaseModel):
    """Shares of the units, never of a unit's cycles; the rest is for training."""

    model_config = STRICT

    validation: Share = 0.2
    test: Share = 0.2

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test leave no unit for training")
        return self


class Network(BaseModel):
    """The transformer: width of a cycle's vector, heads and layers of the encoder, dropout.

    ``input_dropout`` blinds it, while it learns, to each feature of a window with this probability, so
    that it does not lean on any one of them.
    """

    model_config = STRICT

    width: Positive = 64
    heads: Positive = 4
    layers: Positive = 3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError("heads must divide width")
        return self


class Training(BaseModel):
    """How long and how the network learns. ``positive_weight`` weighs the loss of positives."""

    model_config = STRICT

    epochs: Positive = 180
    patience: Positive = 20
    batch: Positive = 64
    learning_rate: AboveZero = 1e-3
    weight_decay: FromZero = 1e-2
    positive_weight: AboveZero = 1.0


TUNABLE: dict[str, type[BaseModel]] = {
    **dict.fromkeys(Training.model_fields, Training),
    # width and heads depend on each other, so that not every width between two will do
    **dict.fromkeys(("layers", "dropout", "input_dropout"), Network),
}
USUAL: Ranges = {
    "learning_rate": (0.0005, 0.005), "dropout": (0.0, 0.3), "epochs": (4, 16), "layers": (1, 3),
}  # fmt: skip
"""Where tuning looks unless the workload says otherwise."""
ASKED = frozenset({"gate", "drift", "tuning"})
"""What is asked of a model, which shapes neither its dataset nor its training."""


class Prediction(BaseModel):
    """A fault within ``horizon`` after a cycle is what the model says the probability of.

    Attributes:
        time: whether horizon, grace and snooze count days or the unit's cycles.
        horizon: how far ahead a fault counts as predicted.
        grace: a fault so much later still counts for effective precision.
        snooze: how long a unit is left in peace after a false alarm was reported.
        window: cycles of history that the model sees.
        samples: cycles drawn of each unit, in each epoch, and for judging.
        months: season filter: predictions are made and judged in these months; all by default.
        run_to_failure: without a fault log, the end of each unit's record is its fault.
        leave_out: faults before the first cycle, and of units without cycles, are left out and listed,
            rather than refused: fault logs are often older than recordings.
        precision: of the thresholds whose alerts on validation units are right so often, the one with
            the best recall is taken.
        threshold: from this probability on a unit is warned of, where validation chooses none.
        inspect: sensor -> what to look at on site when it has moved.
        gate: what a model must reach on the drawn cycles of the test units, and later on the truth;
            pipelines need one.
        drift: how far distributions of cycle features may stray from those of the training units.
        tuning: ranges of hyperparameters for tuning, two continuous and two integer ones at most.
    """

    model_config = STRICT

    time: Literal["days", "cycles"] = "days"
    horizon: AboveZero = 60
    grace: FromZero = 30
    snooze: FromZero = 14
    window: Positive = 128
    samples: Positive = 100
    months: list[Annotated[int, Field(ge=1, le=12)]] | None = Field(default=None, min_length=1)
    run_to_failure: bool = False
    leave_out: bool = False
    precision: Share = 0.9
    threshold: Share = 0.99
    features: list[Name] | None = Field(default=None, min_length=1)
    baseline: Baseline = Baseline()
    split: Split = Split()
    network: Network = Network()
    training: Training = Training()
    inspect: dict[Name, Name] = {}
    gate: Gate | None = None
    drift: Drift = Drift()
    tuning: Ranges = {}

    @model_validator(mode="after")
    def _seasons_need_a_calendar(self) -> Self:
        if self.time == "cycles" and self.months is not None:
            raise ValueError("months need time: days; cycles have no calendar")
        return self

    @model_validator(mode="after")
    def _features_differ(self) -> Self:
        if self.features is not None and len(set(self.features)) != len(self.features):
            raise ValueError("features names a feature twice")
        return self

    @model_validator(mode="after")
    def _gate_and_ranges_fit(self) -> Self:
        if self.gate is not None:
            self.gate.fits("binary")
        check_ranges(self.tuning, TUNABLE)
        return self

    def search(self) -> dict[str, str]:
        """What the tuning pipeline asks for; nothing where there is no gate to say what is better.

        >>> found = Prediction(gate=Gate(metric="auc", at_least=0.9)).search()
        >>> found["Objective"], found["Continuous2"], found["Integer1Max"]
        ('validation:auc', 'dropout', '16')
        """
        return {} if self.gate is None else search(self.gate, self.tuning, USUAL, TUNABLE)
