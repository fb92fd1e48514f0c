"""What a workload says about predicting faults: how far ahead, from what, and when to warn.

The section ``prediction`` of a workload. Times are days of the calendar, or cycles, by ``time``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]


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


class Baseline(BaseModel):
    """What a unit is compared with: its own past, under like conditions.

    Of every feature a line is fitted over ``conditions`` (features that the unit does not make itself,
    such as the weather), from healthy cycles of the training units; what it leaves unexplained is compared
    with the unit's own mean over its first ``reference`` cycles, and smoothed over ``smooth`` cycles.
    """

    model_config = STRICT

    reference: Positive = 20
    smooth: Positive = 10
    conditions: list[Name] = []


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
    """The transformer: width of a cycle's vector, heads and layers of the encoder, dropout."""

    model_config = STRICT

    width: Positive = 64
    heads: Positive = 4
    layers: Positive = 3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

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
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    positive_weight: Annotated[float, Field(gt=0)] = 1.0


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
        threshold: from this probability on a unit is warned of, where validation chooses none.
        inspect: sensor -> what to look at on site when it has moved.
    """

    model_config = STRICT

    time: Literal["days", "cycles"] = "days"
    horizon: Annotated[float, Field(gt=0)] = 60
    grace: Annotated[float, Field(ge=0)] = 30
    snooze: Annotated[float, Field(ge=0)] = 14
    window: Positive = 128
    samples: Positive = 100
    months: list[Annotated[int, Field(ge=1, le=12)]] | None = Field(default=None, min_length=1)
    run_to_failure: bool = False
    threshold: Share = 0.99
    features: list[Name] | None = Field(default=None, min_length=1)
    baseline: Baseline = Baseline()
    split: Split = Split()
    network: Network = Network()
    training: Training = Training()
    inspect: dict[Name, Name] = {}

    @model_validator(mode="after")
    def _seasons_need_a_calendar(self) -> Self:
        if self.time == "cycles" and self.months is not None:
            raise ValueError("months need time: days; cycles have no calendar")
        return self
