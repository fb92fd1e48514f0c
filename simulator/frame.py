"""The heat pump at given times: states, and the quantities that follow from them at once.

A frame serves both paths: all rows of a raw day, (rows,), or the nodes of many cycles,
(cycles, nodes), where conditions are (cycles, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.climate import KNOT_S
from simulator.conditions import Conditions, Life
from simulator.house import set_points, strip_share
from simulator.plant import (
    Targets,
    Transients,
    resting_targets,
    running_targets,
    saturation_kpa,
    states,
)
from simulator.seeds import Array
from simulator.units import Unit

BLOWER_OVERRUN_S = 50.0
SYNCHRONOUS_RPM = 3600.0
STANDBY_KW = 0.018
# Neighbours and tap changers, V and s; periods without a common measure never repeat.
GRID_WAVES = ((0.6, 7_919.0), (0.45, 2_503.0), (0.3, 1_153.0), (0.25, 421.0))


@dataclass
class Frame:
    """Everything known at some times of one unit.

    Attributes:
        t: s since the fleet's first midnight; hour: local solar hour.
        on: 1 while the compressor runs, else 0; since: s run in this cycle so far; after: s rested.
        outdoor, sun, humidity, room: °C, 0..1, %, °C.
        x: the states of :data:`simulator.plant.STATES`.
    """

    unit: Unit
    c: Conditions
    t: Array
    on: Array
    since: Array
    after: Array
    outdoor: Array
    sun: Array
    humidity: Array
    room: Array
    x: Targets

    @cached_property
    def hour(self) -> Array:
        """Local solar hour."""
        return np.asarray((self.t / 3600 + self.unit.location.hours_from_utc) % 24)

    @cached_property
    def lift(self) -> Array:
        """Condensing minus evaporating temperature, K."""
        return self.x["tc"] - self.x["te"]

    @cached_property
    def suction_pressure(self) -> Array:
        """kPa absolute."""
        return saturation_kpa(self.x["te"])

    @cached_property
    def discharge_pressure(self) -> Array:
        """kPa absolute."""
        return saturation_kpa(self.x["tc"])

    @cached_property
    def inrush(self) -> Array:
        """The start of a single-phase motor, 1 falling to 0; a weak capacitor draws it out."""
        return np.asarray(self.on * np.exp(-self.since / (0.32 + 0.9 * self.c.capacitor)))

    @cached_property
    def speed(self) -> Array:
        """Compressor speed, rpm."""
        slip = 0.018 + 0.0005 * self.lift * self.c.load + 0.011 * self.c.capacitor
        slip = slip + 0.004 * (1 - self.unit.motor)
        rising = 1 - np.exp(-self.since / (0.25 + 0.7 * self.c.capacitor))
        falling = np.exp(-self.after / 0.7)
        return np.asarray(SYNCHRONOUS_RPM * (1 - slip) * rising * falling)

    @cached_property
    def power(self) -> Array:
        """Electric input of the compressor, kW."""
        work = self.unit.power * self.c.load**0.96 * (0.5 + 0.0139 * self.lift)
        work = work * (1 + 0.035 * self.c.capacitor + self.c.wear * 0.3 + 0.006 * self.c.j_power)
        return np.asarray(self.on * (work / self.unit.motor + 3.2 * self.inrush) + STANDBY_KW)

    @cached_property
    def power_factor(self) -> Array:
        """Of the compressor; 0 while it rests."""
        loaded = (
            0.972 - 0.04 * self.c.capacitor - 0.02 * (1 - self.c.load) + 0.0004 * (self.lift - 36)
        )
        return np.asarray(self.on * (loaded - 0.35 * self.inrush))

    @cached_property
    def grid_voltage(self) -> Array:
        """Line voltage before the unit draws anything, V."""
        wave = 1.9 * np.cos(2 * np.pi * (self.hour - 4.5) / 24)
        for k, (size, period) in enumerate(GRID_WAVES):
            wave = wave + size * np.sin(2 * np.pi * self.t / period + (k + 1) * self.unit.voltage)
        return np.asarray(self.unit.voltage + wave)

    @cached_property
    def voltage(self) -> Array:
        """Line voltage at the unit, V: it sags with the current, and more when the motor starts."""
        return self.grid_voltage - 0.11 * self.current_without_start - 9.0 * self.inrush

    @cached_property
    def current_without_start(self) -> Array:
        """Compressor current, A, without the starting peak."""
        factor = 0.972 - 0.04 * self.c.capacitor - 0.02 * (1 - self.c.load)
        steady = self.power - self.on * 3.2 * self.inrush
        return np.asarray(1000 * steady / (self.grid_voltage * factor))

    @cached_property
    def current(self) -> Array:
        """Compressor current, A."""
        return self.current_without_start + 52 * self.inrush * (1 + 0.15 * self.c.capacitor)

    @cached_property
    def fan_asked(self) -> Array:
        """Speed the outdoor fan would be asked for, rpm: more where the coil needs it."""
        asked = 760 + 9.0 * (self.x["tc"] - 42) * (1 - self.c.heating) + 70 * self.c.heating
        return np.asarray(np.clip(asked * (0.86 + 0.14 * self.c.load), 600, 1080))

    @cached_property
    def fan_speed(self) -> Array:
        """Speed of the outdoor fan, rpm; a failing one falls behind its command."""
        rising = 1 - np.exp(-self.since / (2.6 + 5 * self.c.fan))
        held = 1 - 0.13 * self.c.fan + 0.004 * self.c.j_fan
        return np.asarray(self.fan_asked * held * rising * np.exp(-self.after / 5.0))

    @cached_property
    def fan_current(self) -> Array:
        """Current of the outdoor fan, A."""
        turning = (self.fan_speed / 850) ** 2
        drag = 1 + 0.75 * self.c.fan + 0.10 * self.c.foul
        return np.asarray(self.on * (0.18 + 0.95 * turning * drag))

    @cached_property
    def blower(self) -> Array:
        """Share of its speed at which the indoor blower turns; it runs on after the compressor."""
        resting = np.where(
            self.after < BLOWER_OVERRUN_S,
            1.0,
            np.exp((BLOWER_OVERRUN_S - np.maximum(self.after, BLOWER_OVERRUN_S)) / 4),
        )
        return np.asarray((1 - np.exp(-self.since / 7)) * resting)

    @cached_property
    def blower_command(self) -> Array:
        """Speed asked of the blower at full share, rpm."""
        return np.asarray(820 * self.c.load**0.7 * (1 + 0.09 * self.c.filter) / self.unit.blower)

    @cached_property
    def airflow(self) -> Array:
        """Air over the indoor coil, m3/h: about 680 for each ton of cooling (400 cfm)."""
        return 193 * self.unit.capacity * self.airflow_share

    @cached_property
    def airflow_share(self) -> Array:
        """Airflow as a share of the rated one."""
        clean = self.c.load**0.7 * self.unit.blower * self.blower
        return np.asarray(clean * (1 - 0.10 * self.c.filter))

    @cached_property
    def strips(self) -> Array:
        """Electric strip heat, kW."""
        wanted = self.c.heating * self.c.high * strip_share(self.outdoor) * self.unit.capacity
        return np.asarray(self.on * wanted)

    @cached_property
    def set_points(self) -> tuple[Array, Array]:
        """Cooling and heating set point, °C; they change on the thermostat's ten-minute grid."""
        t = np.floor(self.t / KNOT_S) * KNOT_S
        return set_points(self.unit, (t / 3600 + self.unit.location.hours_from_utc) % 24, t)

    @cached_property
    def hunting(self) -> Array:
        """The valve's hunting, K of superheat; each sensor feels its own share of it."""
        swing = np.sin(2 * np.pi * self.since / self.c.period + self.c.phase)
        return np.asarray(self.on * self.c.hunt * swing)


def day_frame(life: Life, shifts: Transients, t: Array) -> Frame:
    """All rows of a recording at times ``t`` in order.  # (rows,)"""
    cycle = np.searchsorted(life.cycles.start, t + 1e-6, side="right") - 1
    cycle = np.maximum(cycle, 0)
    c = life.cycles.take(cycle)
    on = (t >= c.start - 1e-6) & (t < c.end - 1e-6)
    since = np.clip(t - c.start, 0, c.end - c.start)
    after = np.where(on, 0.0, np.maximum(t - c.end, 0))
    after[t < c.start - 1e-6] = 1e5  # before the first cycle all has come to rest
    outdoor, room = life.weather.at("outdoor", t), life.room(t)
    x: Targets = {}
    for running, rows in ((True, np.flatnonzero(on)), (False, np.flatnonzero(~on))):
        here, out, inn = c.take(rows), outdoor[rows], room[rows]
        targets = (
            running_targets(life.unit, here, out, inn)
            if running
            else resting_targets(here, out, inn)
        )
        offset = shifts.at_start if running else shifts.at_end
        elapsed = since[rows] if running else after[rows]
        part = states(targets, offset, elapsed, running=running, index=cycle[rows])
        for name, value in part.items():
            x.setdefault(name, np.empty_like(t))[rows] = value
    return Frame(
        life.unit, c, t, on.astype(float), since, after, outdoor,
        life.weather.at("sun", t), life.weather.at("humidity", t), room, x,
    )  # fmt: skip


def cycle_frame(life: Life, shifts: Transients, part: slice, t: Array) -> Frame:
    """Nodes inside some running cycles.  # (cycles, nodes)"""
    c = life.cycles.take(part, column=True)
    since = t - c.start
    outdoor, room = life.weather.at("outdoor", t), life.room(t)
    targets = running_targets(life.unit, c, outdoor, room)
    x = states(targets, shifts.at_start, since, running=True, index=part, column=True)
    return Frame(
        life.unit, c, t, np.ones((1, 1)), since, np.zeros((1, 1)), outdoor,
        life.weather.at("sun", t), life.weather.at("humidity", t), room, x,
    )  # fmt: skip
