"""The units of a fleet: what they are, where they stand, and how each differs from its model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from simulator.climate import CLIMATES, Climate
from simulator.seeds import generator

COOLING_KW_A_TON = 3.517
MODELS = {"HX-24": 2.0, "HX-36": 3.0, "HX-48": 4.0, "HX-60": 5.0}  # nominal tons
SENSIBLE = 0.78  # share of the cooling that lowers the temperature; the rest condenses water
GAINS, SUN_GAINS = (
    0.06,
    0.13,
)  # people and lights, and a clear noon, as shares of the rated capacity
SCHEDULES = ("constant", "night", "workday")


@dataclass(frozen=True, slots=True)
class Unit:
    """One heat pump, its house and its thermostat. Factors are relative to its model's nominal.

    Attributes:
        name: e.g. ``hp-0003``.
        number: its place in the fleet, from 0; names its draws.
        climate: index into :data:`simulator.climate.CLIMATES`.
        capacity: rated cooling, kW; power: electric input at rating, kW.
        loss: heat loss of the house, kW/K; inertia: its heat capacity, kWh/K.
        cool_set, heat_set, deadband: thermostat, °C and K.
        schedule: set points ``constant``, set back at ``night`` or over the ``workday``.
        approach, charge, motor, blower: spread of the condenser's approach, the refrigerant charge
            (a difference), the motor's efficiency and the air path.
        wear: ageing a year; filter_life, filter_phase: days between filter changes, where in it.
        voltage: line voltage at no load; hunting: how nervous its expansion valve is; valve:
            opening it needs more than others, %.
        dirt, dirt_days: what its outdoor coil gathers between heavy rains, of a full fault.
    """

    name: str
    number: int
    model: str
    dealer: str
    climate: int
    installed: date
    capacity: float
    power: float
    loss: float
    inertia: float
    cool_set: float
    heat_set: float
    deadband: float
    schedule: str
    approach: float
    charge: float
    motor: float
    blower: float
    wear: float
    filter_life: float
    filter_phase: float
    voltage: float
    hunting: float
    dirt: float
    dirt_days: float
    valve: float

    @property
    def location(self) -> Climate:
        """Where it stands."""
        return CLIMATES[self.climate]


def draw_unit(seed: int, number: int, start: date) -> Unit:
    """Draw unit ``number`` of the fleet, installed one to nine years before ``start``."""
    rng = generator(seed, "unit", number)
    climate = int(rng.integers(len(CLIMATES)))
    place = CLIMATES[climate]
    model = str(rng.choice(list(MODELS), p=[0.2, 0.4, 0.25, 0.15]))
    capacity = MODELS[model] * COOLING_KW_A_TON
    cool_set = round(float(rng.normal(23.9, 0.7)) * 2) / 2
    oversize = rng.uniform(1.12, 1.4)
    # What the plant must carry on a design day beside gains of people, lights and sun.
    through_walls = capacity * (SENSIBLE / oversize - GAINS - SUN_GAINS)
    return Unit(
        name=f"hp-{number + 1:04d}",
        number=number,
        model=model,
        dealer=str(rng.choice(list(place.dealers))),
        climate=climate,
        installed=start - timedelta(days=int(rng.integers(365, 9 * 365))),
        capacity=capacity,
        power=capacity / rng.normal(3.45, 0.1),
        loss=through_walls / (place.design - cool_set),
        inertia=capacity * rng.uniform(0.095, 0.135),
        cool_set=cool_set,
        heat_set=round(float(rng.normal(20.3, 0.6)) * 2) / 2,
        deadband=float(rng.choice([0.8, 1.0, 1.1])),
        schedule=str(rng.choice(SCHEDULES, p=[0.55, 0.25, 0.2])),
        approach=rng.normal(1, 0.09),
        charge=rng.normal(0, 0.09),
        motor=rng.normal(1, 0.025),
        blower=rng.normal(1, 0.05),
        wear=abs(rng.normal(0.012, 0.005)),
        filter_life=rng.uniform(60, 150),
        filter_phase=rng.uniform(0, 1),
        voltage=rng.normal(240.5, 2.0),
        hunting=0.38 * np.exp(rng.normal(0, 0.6)),
        dirt=rng.uniform(0, 0.28),
        dirt_days=rng.uniform(35, 130),
        valve=rng.normal(0, 2.5),
    )


def registry(units: tuple[Unit, ...]) -> pa.Table:
    """One row a unit: unit, model, dealer, location, installed (date)."""
    return pa.table(
        {
            "unit": pa.array([u.name for u in units], pa.string()),
            "model": pa.array([u.model for u in units], pa.string()),
            "dealer": pa.array([u.dealer for u in units], pa.string()),
            "location": pa.array([u.location.place for u in units], pa.string()),
            "installed": pa.array([u.installed for u in units], pa.date32()),
        }
    )
