"""The thermostat keeps the house where it is set, within its deadband and its minimum times."""

from datetime import date

import numpy as np
import pytest

from simulator.climate import CLIMATES, weather
from simulator.house import COOL_HIGH, MIN_OFF_S, MIN_ON_S, run_thermostat, set_points
from simulator.plant import saturation_kpa
from simulator.units import draw_unit

JUNE = date(2024, 6, 1).toordinal()


@pytest.fixture(scope="module")
def run():
    unit = draw_unit(7, 3, date(2024, 6, 1))
    sky = weather(7, unit.climate, JUNE, 60)
    return unit, sky, run_thermostat(unit, (), sky, 3.0)


def test_cycles_follow_each_other_with_minimum_times(run):
    _, _, s = run
    assert len(s.start) == len(s.end) > 300
    assert (s.end[:-1] - s.start[:-1] >= MIN_ON_S - 1e-6).all()
    assert (s.start[1:] - s.end[:-1] >= MIN_OFF_S - 1e-6).all()


def test_the_room_stays_near_the_set_point(run):
    unit, sky, s = run
    cooling = s.kind <= COOL_HIGH
    assert cooling.mean() > 0.9  # in June and July
    start = s.start[cooling]
    at_start = np.interp(start, s.room_t, s.room)
    cool, _ = set_points(unit, (start / 3600 + unit.location.hours_from_utc) % 24, start)
    assert np.median(at_start - cool) == pytest.approx(unit.deadband / 2, abs=0.05)
    warm = sky.at("outdoor", s.room_t) > 27
    assert s.room[warm].max() < cool.max() + 3


def test_hot_days_run_longer(run):
    _, sky, s = run
    day = (s.start // 86_400).astype(int)
    hours = np.bincount(day, s.end - s.start, minlength=60)[:60] / 3600
    outdoor = sky.outdoor[:-1].reshape(60, -1).mean(axis=1)
    assert np.corrcoef(hours, outdoor)[0, 1] > 0.8


@pytest.mark.parametrize("index", range(len(CLIMATES)))
def test_weather_is_of_its_place_and_season(index):
    year = weather(7, index, JUNE, 365)
    place = CLIMATES[index]
    assert year.outdoor.mean() == pytest.approx(place.mean, abs=2.5)
    summer, winter = year.outdoor[20 * 144 : 80 * 144], year.outdoor[200 * 144 : 260 * 144]
    assert summer.mean() - winter.mean() > place.season
    assert place.design - 6 < summer.max() < place.design + 7
    warmest = np.bincount((year.hour).astype(int), year.outdoor) / np.bincount(
        year.hour.astype(int)
    )
    assert 13 <= warmest.argmax() <= 17


def test_weather_does_not_depend_on_the_span():
    a, b = weather(7, 2, JUNE, 40), weather(7, 2, JUNE + 10, 5)
    assert np.allclose(a.outdoor[10 * 144 : 15 * 144], b.outdoor[:-1])


@pytest.mark.parametrize(
    ("celsius", "kpa"), [(-20, 400), (0, 798), (25, 1653), (45, 2728), (60, 3837)]
)
def test_saturation_pressure_of_r410a(celsius, kpa):
    assert saturation_kpa(np.array([float(celsius)]))[0] == pytest.approx(kpa, rel=0.02)
