"""Each fault shows in several features, more and more, and units differ enough to hide it at first."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from simulator.climate import weather
from simulator.conditions import live
from simulator.faults import KINDS, Fault, draw_faults, severities
from simulator.history import history
from simulator.plant import transients
from simulator.selection import hvac_selection
from simulator.units import draw_unit

START = date(2024, 6, 1)
DAYS = 90
# The direction in which each feature moves as the fault grows, weather and stage being equal.
SIGNATURES = {
    "refrigerant_leak": {
        "subcooling__mean": -1,
        "suction_superheat__mean": 1,
        "valve_position__mean": 1,
        "suction_pressure__mean": -1,
        "air_temperature_split__mean": -1,
    },
    "fouled_condenser": {
        "discharge_pressure__mean": 1,
        "compressor_power__mean": 1,
        "compressor_current__mean": 1,
        "pressure_ratio__mean": 1,
        "condenser_fan_command__mean": 1,
    },
    "weak_capacitor": {
        "compressor_speed__mean": -1,
        "compressor_power_factor__mean": -1,
        "compressor_start_time__mean": 1,
        "compressor_current__mean": 1,
        "compressor_winding_temperature__max": 1,
        "run_capacitor_voltage__mean": -1,
    },
    "failing_fan": {
        "condenser_fan_speed__mean": -1,
        "condenser_fan_vibration__mean": 1,
        "condenser_fan_current__mean": 1,
        "condenser_fan_motor_temperature__max": 1,
        "discharge_pressure__mean": 1,
    },
    "sticking_valve": {
        "suction_superheat__std": 1,
        "suction_superheat__max": 1,
        "valve_position__std": 1,
        "valve_command__std": 1,
    },
}


def lived(faults: tuple[Fault, ...]):
    unit = draw_unit(11, 4, START)
    life = live(
        11, unit, faults, weather(11, unit.climate, START.toordinal(), DAYS), START.toordinal()
    )
    return history(11, life, transients(life), START.toordinal(), DAYS, hvac_selection())


def residuals(table, name, line):
    """Days since the first midnight and how far a feature lies from what this weather explains."""
    day = (table["cycle_start"].to_numpy() - np.datetime64(START)) / np.timedelta64(1, "D")
    stage = np.rint(table["compressor_stage__mean"].to_numpy())
    outdoor, value = (table[n].to_numpy() for n in ("outdoor_air_temperature__mean", name))
    low = (stage == 1) & (table["reversing_valve__mean"].to_numpy() < 0.5) & ~np.isnan(value)
    line = np.polyfit(outdoor[low], value[low], 2) if line is None else line
    return day[low], value[low] - np.polyval(line, outdoor[low]), line


@pytest.fixture(scope="module")
def healthy():
    return lived(())


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_grows_in_its_features(kind, healthy):
    failing = lived((Fault(kind, 20 * 86_400.0, 85 * 86_400.0, 89 * 86_400.0, 1.5, 1.0),))
    for name, sign in SIGNATURES[kind].items():
        day, well, line = residuals(healthy, name, None)
        their_day, ill, _ = residuals(failing, name, line)
        shifts = []
        for a, b in ((0, 18), (42, 57), (70, 85)):
            here, there = (day >= a) & (day < b), (their_day >= a) & (their_day < b)
            assert min(here.sum(), there.sum()) > 40
            shifts.append(sign * (ill[there].mean() - well[here].mean()) / well.std())
        before, middle, end = shifts
        text = f"{name}: {before:.2f} {middle:.2f} {end:.2f} standard deviations"
        assert abs(before) < 0.05, text
        assert end > middle > before, text
        assert end > 0.8, text


def test_no_single_threshold_tells_failing_units_from_healthy_ones():
    """Three weeks before the lockout the best feature of a fault still lies among healthy units."""
    names = {kind: next(iter(SIGNATURES[kind])) for kind in KINDS}
    units = [draw_unit(3, k, START) for k in range(12)]
    skies = {u.climate: weather(3, u.climate, START.toordinal(), 14) for u in units}

    def means(faults):
        out = {}
        for unit in units:
            life = live(3, unit, faults, skies[unit.climate], START.toordinal())
            table = history(3, life, transients(life), START.toordinal(), 14, hvac_selection())
            out[unit.name] = {n: float(np.mean(table[n].to_numpy())) for n in set(names.values())}
        return out

    well = means(())
    for kind, name in names.items():
        sign = SIGNATURES[kind][name]
        ill = means((Fault(kind, -60 * 86_400.0, 28 * 86_400.0, 30 * 86_400.0, 1.6, 0.8),))
        worst_well = max(sign * well[u][name] for u in well)
        mildest_ill = min(sign * ill[u][name] for u in ill)
        assert mildest_ill < worst_well, f"{kind}: {name} separates by itself"


def test_severity_grows_to_its_reach_and_is_mended():
    fault = Fault("failing_fan", 0.0, 100.0, 120.0, 2.0, 0.8)
    t = np.array([-5.0, 0.0, 50.0, 100.0, 119.0, 120.0])
    assert fault.severity(t) == pytest.approx([0, 0, 0.2, 0.8, 0.8, 0])
    assert severities((fault,), t)["refrigerant_leak"].max() == 0


def test_faults_of_a_unit_follow_each_other_and_do_not_depend_on_the_span():
    long = draw_faults(5, 2, 2000, 1.0)
    short = draw_faults(5, 2, 700, 1.0)
    assert long[: len(short)] == short
    assert len(long) >= 3
    for earlier, later in pairwise(long):
        assert earlier.started < earlier.failed < earlier.repaired <= later.started
    assert draw_faults(5, 2, 2000, 0.0) == ()


def test_faults_come_about_as_often_as_asked():
    failures = [
        f for k in range(120) for f in draw_faults(1, k, 730, 1.0) if 0 <= f.failed < 730 * 86_400
    ]
    assert len(failures) / 240 == pytest.approx(1.0, abs=0.25)
    assert {f.kind for f in failures} == set(KINDS)
