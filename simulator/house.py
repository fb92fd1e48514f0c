"""The house and its thermostat: when the heat pump runs.

One thermal node: C dT/dt = L (T_outdoor - T) + gains + Q. Within ten minutes weather and gains are
taken as constant, so T eases towards an equilibrium and each switch of the thermostat has a closed
form. The result drives both the raw days and the cycle histories.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.climate import DAY_S, KNOT_S, Weather
from simulator.faults import Fault, locked_out, severities
from simulator.seeds import Array
from simulator.units import GAINS, SENSIBLE, SUN_GAINS, Unit

OFF, COOL_LOW, COOL_HIGH, HEAT_LOW, HEAT_HIGH = range(5)
LOW_STAGE = 0.7  # share of full capacity
MIN_ON_S = 240.0
MIN_OFF_S = 300.0
STAGE_MARGIN_K = 4.0  # low stage is enough while its equilibrium lies this far beyond the set point
FAR_OFF_K = 0.8  # beyond the limit by more than this the high stage helps
STRIP_SHARE = 0.6  # electric strips, of the rated capacity; they help the high stage of heating
STRIP_FROM_C, STRIP_FULL_C = 4.0, -12.0  # outdoors
EMERGENCY_HEAT_C = 15.0  # the strips alone hold a locked-out house here


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the thermostat did.

    Attributes:
        start, end: (cycles,) s; a cycle still running at the last knot ends there.
        kind: (cycles,) COOL_LOW .. HEAT_HIGH.
        room_t, room: the room temperature as a polyline, s and °C.
    """

    start: Array
    end: Array
    kind: Array
    room_t: Array
    room: Array


def capacity_left(severity: dict[str, Array], age_years: Array, wear: float) -> Array:
    """Share of the rated capacity that faults and age leave."""
    loss = (
        (1 - 0.32 * severity["refrigerant_leak"])
        * (1 - 0.13 * severity["fouled_condenser"])
        * (1 - 0.09 * severity["failing_fan"])
        * (1 - 0.05 * severity["weak_capacitor"])
        * (1 - 0.06 * severity["sticking_valve"])
    )
    return np.asarray(loss * (1 - wear * age_years))


def strip_share(outdoor: Array) -> Array:
    """Power of the strips in the high stage of heating, as a share of the rated capacity."""
    need = (STRIP_FROM_C - outdoor) / (STRIP_FROM_C - STRIP_FULL_C)
    return STRIP_SHARE * np.clip(need, 0, 1)


def run_thermostat(
    unit: Unit, faults: Sequence[Fault], weather: Weather, age_years: float
) -> Schedule:
    """Let the thermostat switch through the whole of ``weather``; the unit is off at its start."""
    house = _House(unit, faults, weather, age_years)
    for knot in range(len(weather.t) - 1):
        house.pass_knot(knot)
    house.finish(float(weather.t[-1]))
    return Schedule(*(np.asarray(x) for x in house.columns()))


def set_points(unit: Unit, hour: Array, t: Array) -> tuple[Array, Array]:
    """Cooling and heating set point, °C, at local ``hour`` and ``t`` s since the first midnight."""
    away = np.zeros(np.shape(hour))
    if unit.schedule == "night":
        away = np.where((hour >= 22.5) | (hour < 6), 1.0, 0.0)
    elif unit.schedule == "workday":
        weekday = np.floor(t / DAY_S) % 7 < 5
        away = np.where((hour >= 8) & (hour < 16.5) & weekday, 1.5, 0.0)
    return unit.cool_set + away, unit.heat_set - away


@dataclass
class _House:
    """The event loop; plain floats and lists, since it goes step by step."""

    unit: Unit
    faults: Sequence[Fault]
    weather: Weather
    age_years: float
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    room_t: list[float] = field(default_factory=list)
    room: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        unit, weather = self.unit, self.weather
        blocked = locked_out(self.faults, weather.t)
        free = weather.outdoor + unit.capacity * (GAINS + SUN_GAINS * weather.sun) / unit.loss
        free = np.where(blocked, np.maximum(free, EMERGENCY_HEAT_C), free)
        left = capacity_left(
            severities(self.faults, weather.t),
            self.age_years + weather.t / (365.25 * DAY_S),
            unit.wear,
        )
        cooling = (
            unit.capacity * SENSIBLE * (1 - 0.0095 * (weather.outdoor - 35)) * left / unit.loss
        )
        heating = unit.capacity * np.clip(0.92 + 0.022 * (weather.outdoor - 8), 0.45, 1.1)
        heating = heating * left / unit.loss
        self.equilibria = [
            free.tolist(),
            (free - LOW_STAGE * cooling).tolist(),
            (free - cooling).tolist(),
            (free + LOW_STAGE * heating).tolist(),
            (free + heating + strip_share(weather.outdoor) * unit.capacity / unit.loss).tolist(),
        ]
        cool, heat = set_points(unit, weather.hour, weather.t)
        half = unit.deadband / 2
        self.hot: list[float] = (cool + half).tolist()
        self.cooled: list[float] = (cool - half).tolist()
        self.cold: list[float] = (heat - 1.7 * half).tolist()
        self.heated: list[float] = (heat + 1.7 * half).tolist()
        self.blocked: list[bool] = blocked.tolist()
        self.tau = unit.inertia / unit.loss * 3600
        self.decay = math.exp(-KNOT_S / self.tau)
        self.running = OFF
        self.since = -math.inf
        self.t = 0.0
        self.now = float(np.clip(free[0], heat[0], cool[0]))
        self._note()

    def pass_knot(self, knot: int) -> None:
        """Go through one ten-minute step, with as many switches as fall into it."""
        until = (knot + 1) * float(KNOT_S)
        if self.running and (self.blocked[knot] or self._overwhelmed(knot)):
            self._stop()
        while self.t < until:
            rest = self.equilibria[self.running][knot]
            decay = (
                self.decay if until - self.t == KNOT_S else math.exp((self.t - until) / self.tau)
            )
            ahead = rest + (self.now - rest) * decay
            limit = self._limit(knot, ahead)
            if limit is None or not self._switches_at(limit, rest, until):
                self.t, self.now = until, ahead
            elif self.running:
                self._stop()
            else:
                self._start(knot)
        self._note()

    def _limit(self, knot: int, ahead: float) -> float | None:
        """The temperature at which the thermostat switches on the way to ``ahead``, if it does."""
        if self.running == OFF:
            if self.blocked[knot]:
                return None
            hot, cold = self.hot[knot], self.cold[knot]
            return hot if ahead >= hot else cold if ahead <= cold else None
        if self.running <= COOL_HIGH:
            return self.cooled[knot] if ahead <= self.cooled[knot] else None
        return self.heated[knot] if ahead >= self.heated[knot] else None

    def _switches_at(self, limit: float, rest: float, until: float) -> bool:
        """Go to the moment of the switch if it falls into this step; minimum times hold it back."""
        share = (limit - rest) / (self.now - rest) if self.now != rest else 1.0
        wait = -self.tau * math.log(share) if 0 < share < 1 else 0.0
        at = max(self.t + wait, self.since + (MIN_ON_S if self.running else MIN_OFF_S))
        if at >= until:
            return False
        self.now = rest + (self.now - rest) * math.exp((self.t - at) / self.tau)
        self.t = at
        self._note()
        return True

    def _start(self, knot: int) -> None:
        cooling = self.now >= (self.hot[knot] + self.cold[knot]) / 2
        low = self.equilibria[COOL_LOW if cooling else HEAT_LOW][knot]
        goal = self.cooled[knot] if cooling else self.heated[knot]
        weak = (goal - low if cooling else low - goal) < STAGE_MARGIN_K
        far = self._far(knot)
        self.running = (COOL_LOW if cooling else HEAT_LOW) + int(weak or far)
        self.since = self.t
        self.starts.append(self.t)
        self.kinds.append(self.running)

    def _far(self, knot: int) -> bool:
        return self.now - self.hot[knot] > FAR_OFF_K or self.cold[knot] - self.now > FAR_OFF_K

    def _overwhelmed(self, knot: int) -> bool:
        """Whether the low stage has lost the room; the compressor changes stage only at rest."""
        low = self.running in (COOL_LOW, HEAT_LOW)
        return low and self.t - self.since >= MIN_ON_S and self._far(knot)

    def _stop(self) -> None:
        self.running, self.since = OFF, self.t
        self.ends.append(self.t)

    def _note(self) -> None:
        self.room_t.append(self.t)
        self.room.append(self.now)

    def finish(self, end: float) -> None:
        """Close a cycle that still runs when the span ends."""
        if self.running:
            self.ends.append(end)

    def columns(self) -> tuple[Sequence[float], ...]:
        """The fields of :class:`Schedule` in order."""
        return self.starts, self.ends, self.kinds, self.room_t, self.room
