"""What is particular to one use: how its recordings look, when a unit runs, what to measure.

``workloads/<name>.yaml``, strict: an unknown or contradictory field is an error that names it. The
same mapping, shipped as JSON, is what the kernel's ``CycleSpec.from_mapping`` reads.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from signalbox.contracts.operations import Operations
from signalbox.contracts.prediction import Prediction, Table
from signalbox.contracts.tabular import Tabular

STRICT = ConfigDict(extra="forbid", frozen=True)

Statistic = Literal["n", "mean", "std", "min", "max", "first", "last", "slope", "above_s"]
Column = Annotated[str, Field(min_length=1)]
Statistics = Annotated[list[Statistic], Field(min_length=1)]


def _no_booleans(value: object) -> object:
    """Refuse yaml's ``yes`` and ``true`` where a number is meant; pydantic would read them as 1."""
    if isinstance(value, bool):
        raise ValueError("is a truth value; give a number")  # noqa: TRY004 - pydantic wants it
    return value


# int stays int: the kernel fingerprints what it is given, and 8 and 8.0 would differ.
Number = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)], BeforeValidator(_no_booleans)
]
Seconds = Annotated[Number, Field(ge=0)]
PositiveSeconds = Annotated[Number, Field(gt=0)]


def _exactly_one(**given: object) -> None:
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise ValueError(
            f"give exactly one of {', '.join(given)}; found {', '.join(chosen) or 'none'}"
        )


class Timestamp(BaseModel):
    """The time column: numbers in ``unit``, text in ``format``, else ISO 8601 or Arrow time."""

    model_config = STRICT

    column: Column
    unit: Literal["s", "ms", "us", "ns"] | None = None
    format: str | None = Field(default=None, pattern="%")

    @model_validator(mode="after")
    def _one_notation(self) -> Self:
        if self.unit is not None and self.format is not None:
            raise ValueError("unit is for numbers, format for text: give one of them at most")
        return self


class UnitSource(BaseModel):
    """Which unit a row belongs to: a column, or the group ``unit`` of a pattern on the key."""

    model_config = STRICT

    column: Column | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        _exactly_one(column=self.column, pattern=self.pattern)
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groupindex
            except re.error as problem:
                raise ValueError(f"pattern is not a regular expression: {problem}") from problem
            if "unit" not in groups:
                raise ValueError("pattern needs a group named unit, such as unit=(?P<unit>[^/]+)")
        return self


class LongColumns(BaseModel):
    """Where a long recording (time, sensor, value) keeps the sensor's name and its reading."""

    model_config = STRICT

    sensor: Column
    value: Column


class Recording(BaseModel):
    """How the files look."""

    model_config = STRICT

    layout: Literal["wide", "long"] = "wide"
    long: LongColumns | None = None
    timestamp: Timestamp
    unit: UnitSource
    null_values: list[str] = []
    max_bytes: int = Field(default=536_870_912, gt=0)

    @model_validator(mode="after")
    def _long_is_declared(self) -> Self:
        if (self.layout == "long") != (self.long is not None):
            raise ValueError("long: {sensor, value} belongs to layout: long, and only there")
        return self


class Status(BaseModel):
    """A unit runs while this column holds one of these values."""

    model_config = STRICT

    column: Column
    on: list[Number | str] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _on_is_text(cls, value: Any) -> Any:
        if isinstance(value, dict) and ({True, "true"} & value.keys()):
            raise ValueError('yaml reads a bare on as true; write it in quotes: "on": [1]')
        return value


class Running(BaseModel):
    """When a unit runs: a signal beyond a level, with hysteresis, or a status column."""

    model_config = STRICT

    signal: Column | None = None
    above: Number | None = None
    below: Number | None = None
    release: Number | None = None
    status: Status | None = None

    @model_validator(mode="after")
    def _one_definition(self) -> Self:
        _exactly_one(above=self.above, below=self.below, status=self.status)
        if self.status is not None:
            if self.signal is not None or self.release is not None:
                raise ValueError("signal and release belong to above or below, not to status")
            return self
        if self.signal is None:
            raise ValueError("above and below need signal: the column they are levels of")
        if self.release is not None:
            if self.above is not None and self.release > self.above:
                raise ValueError("release must not lie above above")
            if self.below is not None and self.release < self.below:
                raise ValueError("release must not lie below below")
        return self


class Cycles(BaseModel):
    """What counts as one cycle. Times in seconds."""

    model_config = STRICT

    running: Running
    min_on_s: Seconds = 0
    min_off_s: Seconds = 0
    max_gap_s: PositiveSeconds
    max_jump_s: PositiveSeconds = 31_622_400

    @model_validator(mode="after")
    def _jump_beyond_gap(self) -> Self:
        if self.max_jump_s < self.max_gap_s:
            raise ValueError("max_jump_s must not be smaller than max_gap_s")
        return self


class Sensor(BaseModel):
    """One sensor, the statistics wanted of it, and the level that ``above_s`` measures against."""

    model_config = STRICT

    name: Column
    statistics: Statistics | None = None
    above: Number | None = None
    required: bool = True

    @model_validator(mode="after")
    def _name_can_be_a_prefix(self) -> Self:
        if "__" in self.name or self.name != self.name.strip():
            raise ValueError(
                f"{self.name!r}: results are named <sensor>__<stat>; "
                "no double underscore, no outer space"
            )
        return self


class Workload(BaseModel):
    """One use of the house: a recording and its cycles, a table of ready cycles, or a tabular question."""

    model_config = STRICT

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    recording: Recording | None = None
    cycles: Cycles | None = None
    statistics: Statistics = ["mean", "std", "min", "max"]
    sensors: list[Sensor] | None = Field(default=None, min_length=1)
    table: Table | None = None
    prediction: Prediction | None = None
    operations: Operations | None = None
    tabular: Tabular | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        measured = {
            "recording": self.recording,
            "cycles": self.cycles,
            "sensors": self.sensors,
        }
        if self.tabular is not None:
            cycles = {**measured, "table": self.table, "prediction": self.prediction}
            both = [name for name, value in cycles.items() if value is not None]
            if both:
                raise ValueError(f"tabular: rows are no cycles and need no {', '.join(both)}")
            return self
        if self.table is not None:
            both = [name for name, value in measured.items() if value is not None]
            if both:
                raise ValueError(f"table: cycles that come ready need no {', '.join(both)}")
            return self
        absent = [name for name, value in measured.items() if value is None]
        if absent:
            raise ValueError(
                f"give {', '.join(absent)}, or table for cycles that come ready, or tabular"
            )
        return self

    @model_validator(mode="after")
    def _sensors_fit(self) -> Self:
        if self.sensors is None or self.recording is None or self.cycles is None:
            return self
        twice = [name for name, count in Counter(s.name for s in self.sensors).items() if count > 1]
        if twice:
            raise ValueError(
                f"sensors: {', '.join(twice)} named twice; merge the statistics into one entry"
            )
        for sensor in self.sensors:
            wanted = sensor.statistics or self.statistics
            if "above_s" in wanted and sensor.above is None:
                raise ValueError(f"sensors.{sensor.name}: above_s needs the level, above: <number>")
            if len(set(wanted)) != len(wanted):
                raise ValueError(f"sensors.{sensor.name}: a statistic is named twice")
        status = self.cycles.running.status
        if (
            self.recording.layout == "long"
            and status
            and any(isinstance(v, str) for v in status.on)
        ):
            raise ValueError(
                "cycles.running.status.on: a long recording holds numbers; give the values as such"
            )
        return self

    @model_validator(mode="after")
    def _pipelines_have_a_gate(self) -> Self:
        asked = self.prediction
        if self.operations is not None and asked is not None and asked.gate is None:
            raise ValueError("operations: pipelines need prediction.gate, to tell good from bad")
        return self

    @property
    def kind(self) -> Literal["faults", "tabular"]:
        """Which program its pipelines run: ``jobs.<kind>``."""
        return "tabular" if self.tabular is not None else "faults"

    @property
    def scored(self) -> bool:
        """Whether its fleet is scored as features come; of ready cycles a batch run predicts."""
        return self.prediction is not None and self.recording is not None

    def search(self) -> dict[str, str]:
        """What the tuning pipeline asks for: the objective, and where to look."""
        asked = self.tabular or self.prediction
        return asked.search() if asked is not None else {}

    @property
    def max_bytes(self) -> int:
        """The largest sensor file; 0 where cycles come ready and no file is a sensor file."""
        return self.recording.max_bytes if self.recording is not None else 0

    def mapping(self) -> dict[str, Any]:
        """What was written in the file, no more: the kernel knows the same defaults."""
        return self.model_dump(mode="json", exclude_unset=True)
