"""The ninety sensors: what each reads, how finely, how noisily.

``reads`` is the true value; the sensor adds a constant offset of its own (drawn once a unit), its
share of the expansion valve's hunting, and white noise, then rounds to its step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator import formulas
from simulator.frame import Frame
from simulator.seeds import Array


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor.

    Attributes:
        name: snake_case; measure: its unit of measure.
        reads: the true value in a frame, broadcastable to its times.
        step: what it rounds to; noise: standard deviation while running, resting times ``quiet``.
        hunt: its change for 1 K of hunting superheat; offset: spread of the units' constant errors.
        shaky: how the noise grows with the outdoor fan's fault (factor added at its end).
        drops: whether readings of it are ever missing.
    """

    name: str
    measure: str
    reads: Callable[[Frame], Array]
    step: float
    noise: float = 0.0
    hunt: float = 0.0
    offset: float = 0.0
    quiet: float = 1.0
    shaky: float = 0.0
    drops: bool = True


def _state(name: str) -> Callable[[Frame], Array]:
    return lambda f: f.x[name]


def _constant(value: float) -> Callable[[Frame], Array]:
    return lambda _: np.full((1, 1), value)[0]


def _refrigerant() -> tuple[Sensor, ...]:
    return (
        Sensor("suction_pressure", "kPa", lambda f: f.suction_pressure, 2, 3.5, -8, 6),
        Sensor("discharge_pressure", "kPa", lambda f: f.discharge_pressure, 5, 7, -4, 12),
        Sensor("liquid_pressure", "kPa", lambda f: f.discharge_pressure - 38 * f.on * f.c.load,
               5, 7, -4, 12),
        Sensor("suction_temperature", "°C", _state("suction"), 0.1, 0.1, 0.65, 0.25),
        Sensor("discharge_temperature", "°C", _state("discharge"), 0.1, 0.15, 0.3, 0.4),
        Sensor("liquid_temperature", "°C", _state("liquid"), 0.1, 0.1, 0, 0.25),
        Sensor("evaporating_temperature", "°C", _state("te"), 0.1, 0.12, -0.3, 0.2),
        Sensor("condensing_temperature", "°C", _state("tc"), 0.1, 0.1, -0.06, 0.2),
        Sensor("suction_superheat", "K", lambda f: f.x["suction"] - f.x["te"], 0.1, 0.16, 1, 0.35),
        Sensor("subcooling", "K", lambda f: f.x["tc"] - f.x["liquid"], 0.1, 0.14, -0.06, 0.35),
        Sensor("discharge_superheat", "K", lambda f: f.x["discharge"] - f.x["tc"],
               0.1, 0.18, 0.36, 0.45),
        Sensor("pressure_ratio", "1", lambda f: f.discharge_pressure / f.suction_pressure,
               0.01, 0.01, 0.02),
        Sensor("compressor_inlet_temperature", "°C", lambda f: f.x["suction"] + 1.4 * f.on,
               0.1, 0.1, 0.6, 0.3),
        Sensor("accumulator_temperature", "°C", lambda f: 0.6 * f.x["suction"] + 0.4 * f.x["te"],
               0.1, 0.1, 0.3, 0.3),
        Sensor("filter_drier_drop", "K", lambda f: f.on * 0.45 * f.c.load, 0.1, 0.09, 0, 0.1),
        Sensor("refrigerant_flow", "kg/h", formulas.refrigerant_flow, 1, 1.6, -3, 3, 0.2),
        Sensor("valve_position", "%", lambda f: f.x["valve"] + 1.2 * f.c.valve * f.on,
               0.2, 0.25, -1.1, 0.5, 0.3),
        Sensor("valve_command", "%", _state("valve"), 0.2, 0.12, -1.5, 0, 0.1),
        Sensor("valve_coil_current", "mA", lambda f: 12 + 150 * f.on, 1, 2.5, 9, 4, 0.4),
        Sensor("reversing_valve", "0/1", lambda f: f.c.heating + 0 * f.t, 1, drops=False),
        Sensor("reversing_valve_temperature", "°C", lambda f: f.x["discharge"] - 4.5 * f.on,
               0.1, 0.2, 0.25, 0.5),
    )  # fmt: skip


def _compressor() -> tuple[Sensor, ...]:
    return (
        # The running signal comes from the drive board's own meter and never drops out.
        Sensor("compressor_power", "kW", lambda f: f.power,
               0.005, 0.012, -0.006, 0, 0.15, drops=False),
        Sensor("compressor_current", "A", lambda f: f.current, 0.02, 0.055, -0.02, 0.03, 0.2),
        Sensor("compressor_voltage", "V", lambda f: f.voltage, 0.1, 0.22, 0, 0.5),
        Sensor("compressor_power_factor", "1", lambda f: f.power_factor,
               0.002, 0.003, 0, 0.01, 0.1),
        Sensor("compressor_speed", "rpm", lambda f: f.speed, 2, 4.5, 1, 8, 0.1),
        Sensor("compressor_stage", "0/1/2", lambda f: f.on * (1 + f.c.high), 1, drops=False),
        Sensor("compressor_shell_temperature", "°C", formulas.shell_temperature,
               0.1, 0.15, 0.1, 0.4),
        Sensor("compressor_winding_temperature", "°C", _state("winding"), 0.2, 0.25, 0.15, 0.6),
        Sensor("compressor_sump_temperature", "°C", _state("sump"), 0.1, 0.12, 0, 0.4),
        Sensor("compressor_vibration", "mm/s", formulas.vibration, 0.02, 0.09, 0.02, 0.1, 0.15),
        Sensor("compressor_start_current", "A", formulas.start_current, 0.5, offset=2),
        Sensor("compressor_start_time", "ms", formulas.start_time, 5, offset=32),
        Sensor("compressor_starts", "1", lambda f: f.c.starts + 0 * f.t, 1, drops=False),
        Sensor("compressor_run_hours", "h", lambda f: (f.c.run_before + f.since) / 3600,
               0.1, drops=False),
        Sensor("crankcase_heater_current", "A", lambda f: 0.29 * (1 - f.on), 0.01, 0.004),
        Sensor("run_capacitor_voltage", "V", formulas.capacitor_voltage, 0.5, 1.2, 0, 4, 0.1),
        Sensor("contactor_coil_voltage", "V", lambda f: f.on * (24.6 - 0.5 * f.inrush),
               0.1, 0.08, 0, 0.2, 0.3),
    )  # fmt: skip


def _outdoors() -> tuple[Sensor, ...]:
    return (
        Sensor("condenser_fan_speed", "rpm", lambda f: f.fan_speed, 2, 4.0, 0, 2, 0.2, 7.0),
        Sensor("condenser_fan_command", "rpm", lambda f: f.on * f.fan_asked, 5, 0.0),
        Sensor("condenser_fan_current", "A", lambda f: f.fan_current,
               0.01, 0.016, 0, 0.015, 0.2, 4.0),
        Sensor("condenser_fan_power", "W", lambda f: 205 * f.fan_current, 1, 3.2, 0, 3, 0.2, 4.0),
        Sensor("condenser_fan_vibration", "mm/s", formulas.fan_vibration,
               0.02, 0.11, 0, 0.1, 0.1, 5.0),
        Sensor("condenser_fan_motor_temperature", "°C", _state("fan_motor"), 0.1, 0.15, 0, 0.4),
        Sensor("condenser_fan_bus_voltage", "V", formulas.fan_bus_voltage, 0.5, 0.7, 0, 1),
        Sensor("outdoor_coil_temperature", "°C", _state("coil_out"), 0.1, 0.12, -0.05, 0.25),
        Sensor("outdoor_coil_inlet_temperature", "°C", formulas.outdoor_coil_inlet,
               0.1, 0.15, 0.05, 0.3),
        Sensor("outdoor_coil_outlet_temperature", "°C", formulas.outdoor_coil_outlet,
               0.1, 0.12, 0, 0.3),
        Sensor("outdoor_air_temperature", "°C", lambda f: f.outdoor + 0.9 * f.sun,
               0.1, 0.09, 0, 0.3),
        Sensor("leaving_air_temperature", "°C", _state("leaving"), 0.1, 0.25, 0, 0.3),
        Sensor("outdoor_humidity", "%", lambda f: f.humidity, 0.5, 0.5, 0, 1.5),
        Sensor("outdoor_pressure", "hPa", formulas.outdoor_pressure, 0.1, 0.06, 0, 1.5),
        Sensor("sunlight", "W/m2", lambda f: 980 * f.sun, 5, 3.0, 0, 4),
    )  # fmt: skip


def _indoors() -> tuple[Sensor, ...]:
    return (
        Sensor("blower_speed", "rpm", lambda f: f.blower * f.blower_command, 2, 3.5, 0, 2, 0.5),
        Sensor("blower_command", "%", formulas.blower_command, 1, 0.0),
        Sensor("blower_current", "A", formulas.blower_current, 0.01, 0.02, 0, 0.02, 0.4),
        Sensor("blower_power", "W", lambda f: 178 * formulas.blower_current(f), 1, 3.5, 0, 3, 0.4),
        Sensor("blower_torque", "%", formulas.blower_torque, 0.5, 0.7, 0, 1, 0.3),
        Sensor("blower_motor_temperature", "°C", _state("blower_motor"), 0.1, 0.15, 0, 0.4),
        Sensor("airflow", "m3/h", lambda f: f.airflow, 5, 9.0, 0, 12, 0.3),
        Sensor("supply_air_temperature", "°C", _state("supply"), 0.1, 0.1, -0.05, 0.25),
        Sensor("return_air_temperature", "°C", _state("return_"), 0.1, 0.08, 0, 0.25),
        Sensor("air_temperature_split", "K", lambda f: f.x["return_"] - f.x["supply"],
               0.1, 0.12, 0.05, 0.3),
        Sensor("supply_air_humidity", "%", formulas.supply_humidity, 0.5, 0.6, 0, 1.5),
        Sensor("return_air_humidity", "%", lambda f: f.x["room_humidity"] + 0.6, 0.5, 0.4, 0, 1.5),
        Sensor("indoor_coil_temperature", "°C", _state("coil_in"), 0.1, 0.12, -0.2, 0.25),
        Sensor("indoor_coil_inlet_temperature", "°C", formulas.indoor_coil_inlet,
               0.1, 0.14, -0.25, 0.3),
        Sensor("indoor_coil_outlet_temperature", "°C", formulas.indoor_coil_outlet,
               0.1, 0.14, 0.2, 0.3),
        Sensor("duct_static_pressure", "Pa", formulas.duct_pressure, 1, 1.3, 0, 2, 0.4),
        Sensor("filter_pressure_drop", "Pa", formulas.filter_drop, 1, 1.1, 0, 2, 0.4),
        Sensor("condensate_level", "mm", formulas.condensate, 0.5, 0.3, 0, 1),
        Sensor("strip_heat_power", "kW", lambda f: f.strips, 0.01, 0.006, 0, 0, 0.2),
    )  # fmt: skip


def _house() -> tuple[Sensor, ...]:
    return (
        Sensor("room_temperature", "°C", lambda f: f.room, 0.1, 0.04, 0, 0.2),
        Sensor("room_humidity", "%", _state("room_humidity"), 0.5, 0.3, 0, 1.5),
        Sensor("cooling_set_point", "°C", lambda f: f.set_points[0], 0.5, drops=False),
        Sensor("heating_set_point", "°C", lambda f: f.set_points[1], 0.5, drops=False),
        Sensor("thermostat_demand", "%", lambda f: f.on * 100 * f.c.load, 5, 0.0),
    )  # fmt: skip


def _boards() -> tuple[Sensor, ...]:
    return (
        Sensor("line_voltage", "V", lambda f: f.voltage + 0.4, 0.1, 0.2, 0, 0.4),
        Sensor("line_frequency", "Hz", formulas.line_frequency, 0.005, 0.004),
        Sensor("total_power", "kW", formulas.total_power, 0.005, 0.014, -0.006, 0, 0.3),
        Sensor("total_current", "A", formulas.total_current, 0.02, 0.06, -0.02, 0.05, 0.3),
        Sensor("energy_meter", "kWh", formulas.energy, 0.1, drops=False),
        Sensor("outdoor_board_temperature", "°C", _state("board_out"), 0.1, 0.12, 0, 0.4),
        Sensor("outdoor_board_supply", "V", lambda f: 5.03 - 0.012 * f.on, 0.005, 0.004, 0, 0.02),
        Sensor("outdoor_board_24v", "V", formulas.outdoor_24v, 0.05, 0.05, 0, 0.2),
        Sensor("indoor_board_temperature", "°C", _state("board_in"), 0.1, 0.12, 0, 0.4),
        Sensor("indoor_board_supply", "V", _constant(5.01), 0.005, 0.004, 0, 0.02),
        Sensor("indoor_board_24v", "V", formulas.indoor_24v, 0.05, 0.05, 0, 0.2),
        Sensor("radio_signal", "dBm", lambda f: -62 + 1.8 * np.sin(f.t / 3_300), 1, 0.8, 0, 4),
        Sensor("bus_errors", "1", lambda f: np.floor(f.t / 41_000), 1, drops=False),
    )  # fmt: skip


SENSORS: tuple[Sensor, ...] = (
    *_refrigerant(), *_compressor(), *_outdoors(), *_indoors(), *_house(), *_boards(),
)  # fmt: skip
BY_NAME = {sensor.name: sensor for sensor in SENSORS}
