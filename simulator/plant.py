"""The heat pump: where its temperatures settle, and how they get there.

R-410A, a fixed-speed two-stage compressor, an expansion valve that holds the superheat. Each state
eases towards a target that follows weather, room and health (first order, one time constant running
and one resting), which is how measured start and stop transients look at 1 Hz. In heating the two
coils change roles: the outdoor coil evaporates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.conditions import Conditions, Index, Life
from simulator.seeds import Array
from simulator.units import Unit

TAU_S: dict[str, tuple[float, float]] = {  # running, resting
    "te": (40, 110),
    "tc": (70, 95),
    "suction": (75, 420),
    "discharge": (150, 900),
    "liquid": (105, 500),
    "coil_in": (55, 260),
    "coil_out": (65, 300),
    "supply": (60, 240),
    "return_": (45, 600),
    "leaving": (40, 200),
    "sump": (1100, 2400),
    "winding": (650, 1900),
    "board_out": (900, 1500),
    "board_in": (900, 1500),
    "fan_motor": (700, 1100),
    "blower_motor": (600, 1100),
    "valve": (25, 12),
    "room_humidity": (2400, 3600),
}
STATES = tuple(TAU_S)
PASSES = 6  # what a state was this many cycles ago no longer shows
SUPERHEAT_K, SUBCOOLING_K = 5.6, 6.4
VALVE_WIDE = 88.0  # %; beyond it the valve can no longer hold the superheat

Targets = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Steady:
    """The refrigerant cycle once it has settled: evaporating, condensing (°C), valve (%), K."""

    te: Array
    tc: Array
    superheat: Array
    subcooling: Array
    valve: Array
    discharge: Array
    split: Array


def saturation_kpa(t: Array) -> Array:
    """Saturation pressure of R-410A, kPa absolute, t in °C.

    ln p = a - b / T through 798 kPa at 0 °C and 2728 kPa at 45 °C; within 1 % from -20 to 60 °C.
    """
    return np.asarray(np.exp(15.373 - 2373.8 / (t + 273.15)))


def steady(unit: Unit, c: Conditions, outdoor: Array, room: Array) -> Steady:
    """Where the circuit settles, and each fault's signature in it."""
    cooling = 1 - c.heating
    # Less air or dirt at the outdoor coil: it needs more temperature difference for the same heat.
    airflow = 1 - 0.38 * c.fan
    outdoor_k = unit.approach * c.load * (1 + 0.95 * c.foul + c.wear) / airflow**0.75
    outdoor_k = outdoor_k * (1 + 0.03 * c.j_approach)
    indoor_k = c.load**0.6 * (1 + 0.14 * c.filter + 0.5 * c.wear) / unit.blower
    indoor_k = indoor_k * (1 + 0.03 * c.j_indoor)
    charge = unit.charge - c.leak
    starved = 6.5 * np.maximum(-charge, 0) ** 1.3
    te_cool = room - 18.2 * indoor_k + 0.06 * (outdoor - 35) - starved
    tc_cool = outdoor + 12.4 * outdoor_k + 2.6 * charge
    te_heat = outdoor - 8.5 * outdoor_k - starved
    tc_heat = room + 20.5 * indoor_k + 0.12 * (outdoor - 8) + 2.6 * charge
    te = cooling * te_cool + c.heating * te_heat
    tc = cooling * tc_cool + c.heating * tc_heat
    lift = tc - te
    wanted = (
        47 + unit.valve + 22 * (c.load - 0.85) + 0.55 * (te - 6) - 0.25 * (lift - 36) - 30 * charge
    )
    wanted = wanted + 1.0 * c.j_superheat
    short = np.maximum(wanted - VALVE_WIDE, 0) + 8 * np.maximum(-charge - 0.25, 0)
    superheat = SUPERHEAT_K + 0.45 * short + 0.3 * c.j_superheat + 0.5 * c.valve
    subcooling = SUBCOOLING_K * (1 + unit.charge) - 3.7 * c.leak + 0.9 * c.foul
    subcooling = subcooling + 0.05 * (lift - 36) + 0.35 * c.j_indoor
    discharge = tc + 25 + 0.6 * (lift - 36) + 1.1 * (superheat - SUPERHEAT_K) + 3.0 * c.capacitor
    full = cooling * (11.4 - 0.05 * (outdoor - 32)) + c.heating * (15.5 + 0.35 * (outdoor - 8))
    split = (
        full * c.load**0.35 * c.capacity * (1 + 0.08 * c.filter + 0.02 * c.j_indoor) / unit.blower
    )
    return Steady(te, tc, superheat, subcooling, np.clip(wanted, 8, 100), discharge, split)


def running_targets(unit: Unit, c: Conditions, outdoor: Array, room: Array) -> Targets:
    """Where each state settles while the compressor runs."""
    s = steady(unit, c, outdoor, room)
    sign = 1 - 2 * c.heating  # +1 cooling
    back = room + sign * 0.25
    outdoor_coil = (1 - c.heating) * (s.tc - 1.2) + c.heating * (s.te + 1.0)
    indoor_coil = (1 - c.heating) * (s.te + 1.5) + c.heating * (s.tc - 1.5)
    rejected = (1 - c.heating) * 8.5 - c.heating * 5.0
    losses = 1 + 0.6 * c.capacitor + 0.02 * (s.tc - s.te - 36)
    return {
        "te": s.te,
        "tc": s.tc,
        "suction": s.te + s.superheat,
        "discharge": s.discharge,
        "liquid": s.tc - s.subcooling,
        "coil_in": indoor_coil,
        "coil_out": outdoor_coil,
        "supply": back - sign * s.split,
        "return_": back,
        "leaving": outdoor + rejected * c.load * c.capacity / (1 - 0.38 * c.fan),
        "sump": 0.5 * (s.discharge + s.te) + 14,
        "winding": s.te + s.superheat + 46 * losses * c.load**0.4,
        "board_out": outdoor + 15 + 4 * c.load + 5 * c.foul,
        "board_in": room + 11 + 0 * outdoor,
        "fan_motor": outdoor + 24 + 16 * c.fan + 4 * c.foul,
        "blower_motor": back + 19 * c.load + 3 * c.filter,
        "valve": s.valve,
        "room_humidity": 47 - 4 * c.load * (1 - c.heating) - 6 * c.heating + 0 * room,
    }


def resting_targets(c: Conditions, outdoor: Array, room: Array) -> Targets:
    """Where each state drifts while the unit rests."""
    equal = 0.65 * outdoor + 0.35 * room  # pressures equalise through the open valve
    return {
        "te": equal,
        "tc": equal + 0.4,
        "suction": outdoor + 0.5,
        "discharge": outdoor + 7,
        "liquid": outdoor + 0.8,
        "coil_in": room - 0.6,
        "coil_out": outdoor + 0.3,
        "supply": room + 0.10 * (outdoor - room),
        "return_": room + 0.03 * (outdoor - room),
        "leaving": outdoor + 0.2,
        "sump": outdoor + 12,
        "winding": outdoor + 9,
        "board_out": outdoor + 8,
        "board_in": room + 6,
        "fan_motor": outdoor + 2,
        "blower_motor": room + 3,
        "valve": np.full_like(room, 30.0),
        "room_humidity": 56 - 10 * c.heating + 0 * room,
    }


@dataclass(frozen=True, slots=True)
class Transients:
    """How far each state is from its target at a cycle's start and at its end, (states, cycles)."""

    at_start: Array
    at_end: Array


def transients(life: Life) -> Transients:
    """Follow the states over all cycles; what came many cycles before is forgotten."""
    c = life.cycles
    tau = np.array([TAU_S[name] for name in STATES])
    on_start, on_end, off_end = (
        _stacked(life, c, t, on) for t, on in ((c.start, 1), (c.end, 1), (c.end, 0))
    )
    following = np.append(c.start[1:], c.end[-1:] + 1e6)
    off_next = _stacked(life, c, following, 0)
    kept_on = np.exp(-(c.end - c.start) / tau[:, :1])
    kept_off = np.exp(-(following - c.end) / tau[:, 1:])
    value = _stacked(life, c, c.start, 0)  # as if rested for ever before
    for _ in range(PASSES):
        ended = on_end + (value - on_start) * kept_on
        after = off_next + (ended - off_end) * kept_off
        value = np.concatenate([value[:, :1], after[:, :-1]], axis=1)
    return Transients(value - on_start, on_end + (value - on_start) * kept_on - off_end)


def _stacked(life: Life, c: Conditions, t: Array, on: int) -> Array:
    outdoor, room = life.weather.at("outdoor", t), life.room(t)
    targets = (
        running_targets(life.unit, c, outdoor, room) if on else resting_targets(c, outdoor, room)
    )
    return np.stack([targets[name] for name in STATES])


def states(
    targets: Targets,
    offset: Array,
    elapsed: Array,
    *,
    running: bool,
    index: Index,
    column: bool = False,
) -> Targets:
    """Each state at ``elapsed`` seconds after its cycle's start, or after its end while resting."""
    out: Targets = {}
    for k, name in enumerate(STATES):
        gap = offset[k, index]
        tau = TAU_S[name][0 if running else 1]
        out[name] = targets[name] + (gap[:, None] if column else gap) * np.exp(elapsed / -tau)
    return out
