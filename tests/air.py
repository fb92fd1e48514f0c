"""Hourly tables of made stations, as of the Beijing Multi-Site set, small and easily learned from.

Haze comes with calm, damp air. The other pollutants follow PM2.5, as they do in life: a model that used
them would need no weather.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

WEATHER = [
    "No",
    "year",
    "month",
    "day",
    "hour",
    "TEMP",
    "PRES",
    "DEWP",
    "RAIN",
    "wd",
    "WSPM",
    "station",
]
POLLUTANTS = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]
HOURS = 18
"""As few as make a day's mean."""
START = date(2015, 3, 1)
_FOUL, _CLEAN, _LIMIT = 80.0, 12.0, 35.4  # µg/m³


def stations(
    names: str,
    days: int,
    seed: int,
    *,
    warmer: float = 0.0,
    pollutants: bool = True,
    upside_down: bool = False,
) -> list[list[str]]:
    """A header, and a row for every station and hour.

    Args:
        names: of the stations, a letter each.
        days: from the first of March on.
        seed: of the weather.
        warmer: °C; so much is added to temperature and dew point.
        pollutants: whether they were measured: PM2.5 and, following it, the others.
        upside_down: calm, damp days are the clean ones, which no model knows.
    """
    rng, measured = (np.random.default_rng([seed, own]) for own in (0, 1))
    rows = [[*WEATHER, *(POLLUTANTS if pollutants else [])]]
    for name in names:
        for number in range(days):
            day = START + timedelta(days=number)
            calm, damp = rng.uniform(0, 1, 2)
            foul = (calm + damp > 1.0) != upside_down
            for hour in range(HOURS):
                rows.append(_hour(rng, day, hour, calm, damp, warmer, name))
                if pollutants:
                    pm25 = (_FOUL if foul else _CLEAN) * measured.uniform(0.8, 1.2)
                    rows[-1] += [
                        f"{pm25:.0f}",
                        *(f"{pm25 * k:.1f}" for k in (1.2, 0.2, 0.5, 10, 0.3)),
                    ]
    return rows


def _hour(
    rng: np.random.Generator,
    day: date,
    hour: int,
    calm: float,
    damp: float,
    warmer: float,
    name: str,
) -> list[str]:
    temp = 12 + 6 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 1) + warmer
    measured = [
        f"{temp:.1f}", f"{1010 + rng.normal(0, 4):.1f}", f"{temp - 12 * (1 - damp):.1f}",
        f"{max(0.0, rng.normal(-1, 1)):.1f}", str(rng.choice(["N", "E", "S", "W"])),
        f"{0.5 + 5 * (1 - calm) + rng.uniform(0, 0.4):.1f}", name,
    ]  # fmt: skip
    return ["1", str(day.year), str(day.month), str(day.day), str(hour), *measured]


def beijing(
    files: Sequence[Path],
    since: date,
    until: date,
    *,
    warmer: float = 0.0,
    pollutants: bool = True,
    upside_down: bool = False,
) -> list[list[str]]:
    """The hours of real files from one day to before another, as `stations` gives those of made ones."""
    header = [*WEATHER, *(POLLUTANTS if pollutants else [])]
    rows = [header]
    for path in files:
        with gzip.open(path, "rt", newline="") as file:
            for hour in csv.DictReader(file):
                day = date(int(hour["year"]), int(hour["month"]), int(hour["day"]))
                if since <= day < until:
                    rows.append([_changed(hour, name, warmer, upside_down) for name in header])
    return rows


def _changed(hour: dict[str, str], name: str, warmer: float, upside_down: bool) -> str:
    value = hour[name]
    if value == "NA":
        return value
    if name in ("TEMP", "DEWP"):
        return f"{float(value) + warmer:.1f}"
    if name == "PM2.5" and upside_down:
        return f"{_FOUL if float(value) < _LIMIT else _CLEAN:.0f}"
    return value
