"""What a workload asks of its recordings: columns, the signal that defines running, statistics.

The kernels take a :class:`CycleSpec` and nothing else, so the same value drives Lambda, the laptop
and every Spark task. It is built from the mapping a workload file holds; field names there and here
are the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cycles.errors import BadSpec

STATISTICS = ("n", "mean", "std", "min", "max", "first", "last", "slope", "above_s")
"""Statistics by name: ``std`` with ddof=1, ``slope`` per second by least squares, ``above_s`` the
seconds spent above the sensor's ``above`` level. All ignore missing readings."""

DEFAULT_NULLS = ("", "NaN", "nan", "null", "NULL", "NA")
NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """The time column: numbers in ``unit``, text in ``format``, else Arrow time or ISO 8601; UTC."""

    column: str
    unit: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class UnitSource:
    """Where a row's unit comes from: a column, or a pattern with a group ``unit`` on the file's name."""

    column: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """When a unit runs.

    ``above``: running from a reading > ``above`` until one <= ``release`` (equal to ``above`` where
    there is no hysteresis); ``below`` mirrors it; ``on``: running while the status column holds one of
    these values. A missing reading, or one between the two levels, leaves the state as it was.
    """

    signal: str
    above: float | None = None
    below: float | None = None
    release: float | None = None
    on: tuple[float | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor and the statistics wanted of it; a sensor that is not ``required`` may be absent."""

    name: str
    statistics: tuple[str, ...]
    above: float | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class CycleSpec:
    """Everything the kernels need to turn a recording into cycle features. Times in nanoseconds."""

    timestamp: Timestamp
    unit: UnitSource
    running: Running
    sensors: tuple[Sensor, ...]
    min_on_ns: int
    min_off_ns: int
    max_gap_ns: int
    max_jump_ns: int
    max_bytes: int
    null_values: tuple[str, ...] = DEFAULT_NULLS
    long_sensor: str | None = None
    long_value: str | None = None
    names: tuple[str, ...] = field(init=False)
    result_names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Feature column names in order: ``<sensor>__<stat>``."""
    digest: str = field(init=False, repr=False, compare=False)
    """A short fingerprint: fragments cut under different specifications must not be joined."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(s.name for s in self.sensors))
        results = tuple(f"{s.name}__{stat}" for s in self.sensors for stat in s.statistics)
        object.__setattr__(self, "result_names", results)
        told = hashlib.sha256(repr(self).encode()).hexdigest()  # of all fields but the digest
        object.__setattr__(self, "digest", told[:16])
        self._refuse_contradictions()

    @property
    def long(self) -> bool:
        """Whether recordings come as (time, sensor, value) rows."""
        return self.long_sensor is not None

    def _refuse_contradictions(self) -> None:
        if not self.sensors:
            raise BadSpec("sensors: name at least one sensor and its statistics")
        if len(set(self.names)) != len(self.names):
            raise BadSpec("sensors: a sensor is named twice; merge its statistics into one entry")
        for sensor in self.sensors:
            for stat in sensor.statistics:
                if stat not in STATISTICS:
                    raise BadSpec(
                        f"sensors.{sensor.name}: no statistic {stat!r}; there are {STATISTICS}"
                    )
            if "above_s" in sensor.statistics and sensor.above is None:
                raise BadSpec(f"sensors.{sensor.name}: above_s needs the level, 'above: <number>'")
        levels = [
            self.running.above is not None,
            self.running.below is not None,
            bool(self.running.on),
        ]
        if sum(levels) != 1:
            raise BadSpec("cycles.running: give exactly one of above, below or on (status values)")
        if (self.unit.column is None) == (self.unit.pattern is None):
            raise BadSpec("recording.unit: give exactly one of column or pattern")
        if self.long and any(isinstance(value, str) for value in self.running.on):
            raise BadSpec(
                "cycles.running.status: a long recording holds numbers; give the on values as such"
            )
        _refuse_bad_levels(self.running)
        _refuse_bad_pattern(self.unit.pattern)
        if min(self.min_on_ns, self.min_off_ns) < 0 or min(self.max_gap_ns, self.max_jump_ns) <= 0:
            raise BadSpec("cycles: times are seconds, not negative, and gaps and jumps above zero")

    @classmethod
    def from_mapping(cls, workload: Mapping[str, Any]) -> CycleSpec:
        """Build the spec from a workload's mapping (the parsed yaml, or the JSON that was shipped).

        Raises:
            BadSpec: a field is missing, of the wrong type, or contradicts another.
        """
        try:
            return _from_mapping(workload)
        except (KeyError, TypeError, AttributeError) as problem:
            raise BadSpec(f"workload: missing or malformed field ({problem!r})") from problem


def _refuse_bad_levels(running: Running) -> None:
    level, release = (running.above, running.release) if running.above is not None else (None, None)
    if level is not None and release is not None and release > level:
        raise BadSpec("cycles.running.release: must not lie above 'above'")
    if (
        running.below is not None
        and running.release is not None
        and running.release < running.below
    ):
        raise BadSpec("cycles.running.release: must not lie below 'below'")


def _refuse_bad_pattern(pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        groups = re.compile(pattern).groupindex
    except re.error as problem:
        raise BadSpec(f"recording.unit.pattern: not a regular expression ({problem})") from problem
    if "unit" not in groups:
        raise BadSpec("recording.unit.pattern: needs a group named unit, e.g. unit=(?P<unit>[^/]+)")


def _from_mapping(workload: Mapping[str, Any]) -> CycleSpec:
    recording, cycles = workload["recording"], workload["cycles"]
    default = tuple(workload.get("statistics") or ("mean", "std", "min", "max"))
    long = recording.get("long") if recording.get("layout", "wide") == "long" else None
    running = cycles["running"]
    status = running.get("status")
    return CycleSpec(
        timestamp=Timestamp(**_given(recording["timestamp"])),
        unit=UnitSource(**_given(recording["unit"])),
        running=Running(
            signal=status["column"] if status else running["signal"],
            above=running.get("above"),
            below=running.get("below"),
            release=running.get("release"),
            on=tuple(status["on"]) if status else (),
        ),
        sensors=tuple(_sensor(entry, default) for entry in workload["sensors"]),
        min_on_ns=_nanoseconds(cycles.get("min_on_s", 0)),
        min_off_ns=_nanoseconds(cycles.get("min_off_s", 0)),
        max_gap_ns=_nanoseconds(cycles["max_gap_s"]),
        max_jump_ns=_nanoseconds(cycles.get("max_jump_s", 31_622_400)),
        max_bytes=int(recording.get("max_bytes", 536_870_912)),
        null_values=tuple(dict.fromkeys((*DEFAULT_NULLS, *recording.get("null_values", ())))),
        long_sensor=long["sensor"] if long else None,
        long_value=long["value"] if long else None,
    )


def _given(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value is not None}


def _sensor(entry: Mapping[str, Any], default: tuple[str, ...]) -> Sensor:
    wanted = tuple(entry.get("statistics") or default)
    return Sensor(entry["name"], wanted, entry.get("above"), entry.get("required", True))


def _nanoseconds(seconds: float) -> int:
    return round(float(seconds) * 1_000_000_000)
