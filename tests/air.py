"""Hourly tables of made stations, as of the Beijing Multi-Site set, small and easily learned from.

Haze comes with calm, damp air. The other pollutants follow PM2.5, as they do in life: a model that used
them would need no weather.
"""

from __future__ import annotations

from datetime import date, timedelta

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
_FOUL, _CLEAN = 80.0, 12.0  # µg/m³


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
    rng = np.random.default_rng(seed)
    rows = [[*WEATHER, *(POLLUTANTS if pollutants else [])]]
    for name in names:
        for number in range(days):
            day = START + timedelta(days=number)
            calm, damp = rng.uniform(0, 1, 2)
            foul = (calm + damp > 1.0) != upside_down
            for hour in range(HOURS):
                rows.append(_hour(rng, day, hour, calm, damp, warmer, name))
                if pollutants:
                    pm25 = (_FOUL if foul else _CLEAN) * rng.uniform(0.8, 1.2)
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
