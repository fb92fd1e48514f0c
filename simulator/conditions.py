"""What one unit lives through: its weather, its thermostat's cycles, and its health in each cycle.

A :class:`Life` is what the raw days and the cycle history share. Times are seconds since the
fleet's first midnight (UTC); switches fall on whole milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from simulator.climate import DAY_S, Weather
from simulator.faults import Fault, severities
from simulator.house import COOL_HIGH, HEAT_HIGH, LOW_STAGE, Schedule, capacity_left, run_thermostat
from simulator.seeds import Array, generator
from simulator.units import Unit

Index = npt.NDArray[np.int64] | slice
DRAWS = 8
DRAWN_CYCLES = 64  # a day's cycles beyond these use the same draws again


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds throughout one cycle and the rest after it, each field of shape (cycles,).

    Attributes:
        start, end: s.
        heating: 1 heating, 0 cooling; load: share of full capacity; high: 1 in the high stage.
        leak, foul, capacitor, fan, valve: how far each fault has grown, 0..1; foul with plain dirt.
        capacity: share of the rated capacity left; wear: of the coils; filter: its load 0..1.
        j_approach, j_superheat, j_indoor, j_power, j_fan: unit draws, what differs from run to run.
        hunt, period, phase: of the valve's hunting; amplitude in K of superheat, period in s.
        starts, run_before: compressor starts up to this one, seconds run before it.
    """

    start: Array
    end: Array
    heating: Array
    load: Array
    high: Array
    leak: Array
    foul: Array
    capacitor: Array
    fan: Array
    valve: Array
    capacity: Array
    wear: Array
    filter: Array
    j_approach: Array
    j_superheat: Array
    j_indoor: Array
    j_power: Array
    j_fan: Array
    hunt: Array
    period: Array
    phase: Array
    starts: Array
    run_before: Array

    def take(self, index: Index, *, column: bool = False) -> Conditions:
        """The same for some cycles; as (cycles, 1) where ``column``, against rows of times."""
        picked = (getattr(self, f.name)[index] for f in fields(self))
        return Conditions(*(x[:, None] if column else x for x in picked))


@dataclass(frozen=True, slots=True)
class Life:
    """One unit over the fleet's span.

    Attributes:
        unit: the unit; faults: those that touch the span; weather: knots.
        schedule: the thermostat's switches and the room temperature.
        cycles: conditions of each cycle.  # (cycles,)
    """

    unit: Unit
    faults: tuple[Fault, ...]
    weather: Weather
    schedule: Schedule
    cycles: Conditions

    def room(self, t: Array) -> Array:
        """Room temperature, °C."""
        return np.interp(t, self.schedule.room_t, self.schedule.room)


def live(
    seed: int, unit: Unit, faults: tuple[Fault, ...], weather: Weather, first_day: int
) -> Life:
    """Run the unit through the weather of its span, which begins on ordinal day ``first_day``."""
    age = (first_day - unit.installed.toordinal()) / 365.25
    schedule = run_thermostat(unit, faults, weather, age)
    start, end = _whole_ms(schedule.start), _whole_ms(schedule.end)
    grown = severities(faults, start)
    draws = _draws(seed, unit, first_day, start)
    years = age + start / (365.25 * DAY_S)
    valve = grown["sticking_valve"]
    run = end - start
    cycles = Conditions(
        start=start,
        end=end,
        heating=(schedule.kind > COOL_HIGH).astype(float),
        load=np.where(np.isin(schedule.kind, (COOL_HIGH, HEAT_HIGH)), 1.0, LOW_STAGE),
        high=np.isin(schedule.kind, (COOL_HIGH, HEAT_HIGH)).astype(float),
        leak=grown["refrigerant_leak"],
        foul=grown["fouled_condenser"] + unit.dirt * (start / (unit.dirt_days * DAY_S) % 1.0),
        capacitor=grown["weak_capacitor"],
        fan=grown["failing_fan"],
        valve=valve,
        capacity=capacity_left(grown, years, unit.wear),
        wear=unit.wear * years,
        filter=(unit.filter_phase + start / (unit.filter_life * DAY_S)) % 1.0,
        j_approach=draws[:, 0],
        j_superheat=draws[:, 1],
        j_indoor=draws[:, 2],
        j_power=draws[:, 3],
        j_fan=draws[:, 4],
        hunt=unit.hunting * np.exp(0.25 * draws[:, 5]) + 2.3 * valve**1.65,
        period=np.clip(95 + 14 * draws[:, 6] + 45 * valve, 50, 220),
        phase=2 * np.pi * (draws[:, 7] % 1.0),
        starts=np.arange(1, len(start) + 1) + np.floor(age * 5200),
        run_before=np.cumsum(run) - run + age * 2600 * 3600,
    )
    return Life(unit, faults, weather, schedule, cycles)


def _whole_ms(t: Array) -> Array:
    return np.rint(t * 1000) / 1000


def _draws(seed: int, unit: Unit, first_day: int, start: Array) -> Array:
    """Unit draws for each cycle, named by its day and its place in it.  # (cycles, 8)"""
    if not len(start):
        return np.empty((0, DRAWS))
    day = (start // DAY_S).astype(int)
    place = np.arange(len(day)) - np.searchsorted(day, day)
    made = {
        d: generator(seed, "cycles", unit.number, first_day + d).standard_normal(
            (DRAWN_CYCLES, DRAWS)
        )
        for d in np.unique(day).tolist()
    }
    return np.stack(
        [made[d][p % DRAWN_CYCLES] for d, p in zip(day.tolist(), place.tolist(), strict=True)]
    )
