"""What some sensors read, where it takes more than a few words to say."""

from __future__ import annotations

import numpy as np

from simulator.frame import Frame
from simulator.seeds import Array


def refrigerant_flow(f: Frame) -> Array:
    """kg/h: swept volume times suction density, less what flows back at a high pressure ratio."""
    swept = 0.0245 * f.unit.capacity * f.c.load * f.suction_pressure
    return f.on * swept * (1.02 - 0.03 * f.discharge_pressure / f.suction_pressure)


def shell_temperature(f: Frame) -> Array:
    """°C, between oil and discharge gas."""
    return 0.5 * (f.x["sump"] + f.x["discharge"])


def start_current(f: Frame) -> Array:
    """A, the highest of the last start, held."""
    return 46 + 15 * f.c.capacitor + 1.3 * f.c.j_power + 0 * f.t


def start_time(f: Frame) -> Array:
    """ms that the last start took, held."""
    return 290 + 260 * f.c.capacitor**1.4 + 24 * f.c.j_power + 0 * f.t


def capacitor_voltage(f: Frame) -> Array:
    """V across the run capacitor."""
    return f.on * (371 - 15 * f.c.capacitor - 0.5 * f.lift)


def vibration(f: Frame) -> Array:
    """mm/s of the compressor."""
    turning = f.speed / 3500
    steady = 1.5 + 0.011 * f.lift + 0.5 * f.c.capacitor + 5 * f.c.wear
    return turning * steady + 2.2 * f.inrush


def fan_vibration(f: Frame) -> Array:
    """mm/s of the outdoor fan: its bearing shows before its speed does."""
    return f.fan_speed / 850 * (0.95 + 2.6 * f.c.fan**1.2 + 6 * f.c.wear)


def fan_bus_voltage(f: Frame) -> Array:
    """V, the rectified supply of the outdoor fan."""
    return 325 + 1.2 * (f.grid_voltage - 240) - 2 * f.on


def outdoor_coil_inlet(f: Frame) -> Array:
    """°C; in cooling the hot gas enters here."""
    hot = 0.45 * f.x["discharge"] + 0.55 * f.x["coil_out"]
    return (1 - f.c.heating) * hot + f.c.heating * (f.x["coil_out"] - 0.8)


def outdoor_coil_outlet(f: Frame) -> Array:
    """°C."""
    return 0.8 * f.x["coil_out"] + 0.2 * f.x["liquid"]


def indoor_coil_inlet(f: Frame) -> Array:
    """°C; in heating the hot gas enters here."""
    entering = f.x["te"] * (1 - f.c.heating) + f.x["discharge"] * f.c.heating
    return 0.75 * f.x["coil_in"] + 0.25 * entering


def indoor_coil_outlet(f: Frame) -> Array:
    """°C."""
    leaving = f.x["suction"] * (1 - f.c.heating) + f.x["liquid"] * f.c.heating
    return 0.7 * f.x["coil_in"] + 0.3 * leaving


def outdoor_pressure(f: Frame) -> Array:
    """hPa."""
    return 1009 + 5 * np.sin(f.t / 93_000) - 0.2 * f.sun


def blower_command(f: Frame) -> Array:
    """% asked of the blower."""
    return np.rint(np.where(f.blower > 0.99, 100, 0) * f.c.load**0.7)


def blower_current(f: Frame) -> Array:
    """A: a loaded filter makes the blower, which holds its airflow, work harder."""
    return f.blower**2 * f.c.load**1.5 * 0.26 * f.unit.capacity * (1 + 0.2 * f.c.filter) + 0.06


def blower_torque(f: Frame) -> Array:
    """% of rated."""
    return np.asarray(58 * f.blower**1.5 * f.c.load**0.8 * (1 + 0.16 * f.c.filter))


def duct_pressure(f: Frame) -> Array:
    """Pa, with the square of the airflow."""
    return 118 * f.airflow_share**2


def filter_drop(f: Frame) -> Array:
    """Pa across the filter."""
    return np.asarray((42 + 52 * f.c.filter) * f.airflow_share**1.8)


def supply_humidity(f: Frame) -> Array:
    """%: air that is cooled comes near saturation."""
    split = f.x["return_"] - f.x["supply"]
    reached = f.x["room_humidity"] + (3.0 - 2.0 * f.c.heating) * split
    return np.asarray(np.clip(reached, 8, 98))


def condensate(f: Frame) -> Array:
    """mm of water in the pan."""
    collected = 5 * f.on * (1 - f.c.heating) * (1 - np.exp(-f.since / 500))
    return np.asarray(6 + collected + 0.3 * np.sin(f.t / 61))


def line_frequency(f: Frame) -> Array:
    """Hz."""
    return 60 + 0.012 * np.sin(f.t / 431) + 0.008 * np.sin(f.t / 97)


def total_power(f: Frame) -> Array:
    """kW of the whole unit."""
    return f.power + 0.205 * f.fan_current + 0.178 * blower_current(f) + f.strips


def total_current(f: Frame) -> Array:
    """A of the whole unit; strips are 240 V and purely resistive."""
    return f.current + f.fan_current + blower_current(f) + 4.17 * f.strips


def energy(f: Frame) -> Array:
    """kWh on the meter, which counts the rated power while the compressor runs."""
    return 0.78 * f.unit.power * (f.c.run_before + f.since) / 3600


def indoor_24v(f: Frame) -> Array:
    """V of the indoor transformer."""
    return 24.9 + 0.1 * (f.grid_voltage - 240) - 0.2 * f.blower


def outdoor_24v(f: Frame) -> Array:
    """V of the outdoor transformer."""
    return 24.4 + 0.1 * (f.grid_voltage - 240) - 0.3 * f.on
