"""A fleet of heat pumps over some days: its registry, its fault log, its recordings."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from simulator.climate import Weather, weather
from simulator.conditions import Life, live
from simulator.faults import Fault, draw_faults, fault_log
from simulator.history import history
from simulator.plant import Transients, transients
from simulator.recording import record_day, write_day
from simulator.rows import losses
from simulator.selection import Selection, hvac_selection
from simulator.units import Unit, draw_unit, registry

FIRST_DAY = date(2024, 6, 1)
KEPT_LIVES = 64  # a year of one unit takes some 5 MB


class Fleet:
    """Units that cool and heat houses for a span of days, some of them wearing towards a failure.

    What happens on a day depends on seed, unit, start and day only: neither on how many units or
    days the fleet has nor on what was asked before.

    Args:
        units: how many heat pumps.
        seed: of everything drawn.
        start: the first day, UTC.
        days: how many days.
        faults_per_year: how often a unit fails, on average; 0 keeps all of them healthy.
    """

    def __init__(
        self,
        units: int = 10,
        seed: int = 7,
        start: date = FIRST_DAY,
        days: int = 120,
        faults_per_year: float = 1.0,
    ) -> None:
        if units < 1 or days < 1:
            raise ValueError(f"a fleet needs at least one unit and one day, not {units} and {days}")
        self.seed, self.start, self.days = seed, start, days
        self.members = tuple(draw_unit(seed, k, start) for k in range(units))
        self._faults_per_year = faults_per_year
        self._weather: dict[int, Weather] = {}
        self._lives: dict[str, tuple[Life, Transients]] = {}

    @property
    def units(self) -> tuple[str, ...]:
        """Names of the units."""
        return tuple(member.name for member in self.members)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days of the span."""
        return tuple(self.start + timedelta(days=k) for k in range(self.days))

    @cached_property
    def _by_name(self) -> dict[str, Unit]:
        return {member.name: member for member in self.members}

    def _member(self, unit: str) -> Unit:
        if unit not in self._by_name:
            raise KeyError(f"no unit {unit!r}; there are {self.units[0]} to {self.units[-1]}")
        return self._by_name[unit]

    def faults(self, unit: str) -> tuple[Fault, ...]:
        """All faults of a unit that touch the span, those too that have not failed by its end."""
        number = self._member(unit).number
        return draw_faults(self.seed, number, self.days, self._faults_per_year)

    def registry(self) -> pa.Table:
        """One row a unit: unit, model, dealer, location, installed."""
        return registry(self.members)

    def fault_log(self) -> pa.Table:
        """Faults that failed within the span: unit, fault, started, failed_at, repaired_at."""
        return fault_log(self.start, self.days, {name: self.faults(name) for name in self.units})

    def life(self, unit: str) -> tuple[Life, Transients]:
        """What a unit lives through; the last ones asked for are kept."""
        if unit not in self._lives:
            member, first = self._member(unit), self.start.toordinal()
            if member.climate not in self._weather:
                self._weather[member.climate] = weather(self.seed, member.climate, first, self.days)
            lived = live(self.seed, member, self.faults(unit), self._weather[member.climate], first)
            if len(self._lives) >= KEPT_LIVES:
                del self._lives[next(iter(self._lives))]
            self._lives[unit] = lived, transients(lived)
        return self._lives[unit]

    def raw_day(self, unit: str, day: date) -> pa.Table:
        """One unit-day at about 1 Hz: ts, unit and 90 float32 sensors; up to 88,889 rows.

        Raises:
            KeyError: no such unit.
            ValueError: a day outside the span.
        """
        index = (day - self.start).days
        if not 0 <= index < self.days:
            raise ValueError(f"{day} is not among the fleet's {self.days} days from {self.start}")
        lived, shifts = self.life(unit)
        first = self.start.toordinal()
        missing = losses(self.seed, lived.unit.number, first, index)
        return record_day(self.seed, lived, shifts, first, index, missing)

    def cycle_history(self, unit: str, selection: Selection | None = None) -> pa.Table:
        """Every cycle of a unit with its features, as the kernel makes them of all its raw days.

        Args:
            unit: name of the unit.
            selection: statistics wanted of each sensor; the hvac workload's where None.

        Returns:
            pa.Table: unit, cycle_start, cycle_end (timestamp[ns, UTC]), duration_s, rows and
            ``<sensor>__<stat>``; see :mod:`simulator.history` for how close it is.
        """
        lived, shifts = self.life(unit)
        wanted = hvac_selection() if selection is None else selection
        return history(self.seed, lived, shifts, self.start.toordinal(), self.days, wanted)


def write_raw_day(fleet: Fleet, unit: str, day: date, path: Path) -> None:
    """Write one unit-day as a Parquet file; the same bytes whenever it is written."""
    write_day(fleet.raw_day(unit, day), path)
