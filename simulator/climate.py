"""The weather of a location: temperature, humidity and sun on a ten-minute grid.

Temperature = yearly mean + season + day + synoptic change (fronts, days long) + small wind noise.
The daily draws are hashed from (seed, location, day): units of one location share their weather,
and a day's weather is the same whichever span is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.seeds import Array, generator

KNOT_S = 600
DAY_S = 86_400
KNOTS_A_DAY = DAY_S // KNOT_S
MEMORY_DAYS = 9  # a front is felt this long
PERSISTENCE = 2.2  # days; mid-latitude synoptic systems pass in three to five


@dataclass(frozen=True, slots=True)
class Climate:
    """A location: yearly mean, half the seasonal and daily swings (K), relative humidity (%)."""

    place: str
    longitude: float
    mean: float
    season: float
    daily: float
    humidity: float
    design: float
    dealers: tuple[str, ...]

    @property
    def hours_from_utc(self) -> float:
        """Local solar time minus UTC."""
        return self.longitude / 15


CLIMATES = (
    Climate("Houston TX", -95.4, 21.0, 8.5, 5.0, 72, 36.5, ("Bayou Air", "Gulf Comfort")),
    Climate("Atlanta GA", -84.4, 17.0, 9.5, 5.5, 66, 34.5, ("Peachtree Heating & Air",)),
    Climate(
        "Dallas TX", -96.8, 19.5, 10.5, 5.8, 62, 38.5, ("Trinity Climate", "Lone Star Cooling")
    ),
    Climate("Memphis TN", -90.0, 17.5, 10.5, 5.2, 66, 36.0, ("Bluff City Air",)),
    Climate("Tampa FL", -82.5, 23.0, 5.8, 4.8, 74, 34.5, ("Bayshore Mechanical",)),
    Climate("Charlotte NC", -80.8, 16.0, 10.0, 5.8, 64, 34.5, ("Piedmont Comfort",)),
    Climate("Tulsa OK", -96.0, 16.5, 11.8, 6.0, 62, 37.5, ("Green Country HVAC",)),
    Climate(
        "Phoenix AZ", -112.1, 24.0, 10.2, 7.0, 32, 43.5, ("Sonoran Air", "Desert Peak Service")
    ),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """Knots every ten minutes: seconds since the span's first midnight (UTC) and what it was like.

    Attributes:
        t: (knots,) s.
        outdoor: (knots,) °C.
        humidity: (knots,) % outdoors.
        sun: (knots,) 0..1, of a clear summer noon.
        hour: (knots,) local solar hour, 0..24.
    """

    t: Array
    outdoor: Array
    humidity: Array
    sun: Array
    hour: Array

    def at(self, name: str, t: Array) -> Array:
        """One of the series at other times, by linear interpolation."""
        return np.asarray(np.interp(t, self.t, getattr(self, name)))


def weather(seed: int, index: int, first_day: int, days: int) -> Weather:
    """The weather of ``CLIMATES[index]`` over ``days`` days from ordinal day ``first_day``."""
    climate = CLIMATES[index]
    fronts, clouds, wind = _draws(seed, index, first_day, days)
    knots = days * KNOTS_A_DAY + 1
    t = np.arange(knots, dtype=float) * KNOT_S
    hour = (t / 3600 + climate.hours_from_utc) % 24
    # 21 July is day 202; the warmest day lags the solstice by a month
    year = np.cos(2 * np.pi * (t / DAY_S + first_day - 202) / 365.25)
    cloud = _smooth(clouds, knots)
    synoptic = _smooth(fronts, knots) * (3.6 - 1.5 * year)
    swing = climate.daily * (1.1 - 0.55 * cloud)
    phase = 2 * np.pi * (hour - 15.2) / 24
    shape = np.cos(phase) + 0.16 * np.cos(2 * phase - 0.5)
    outdoor = climate.mean + climate.season * year + synoptic + swing * shape + 0.12 * wind
    sun = np.clip(np.sin(np.pi * (hour - 6) / 12), 0, None) ** 1.2
    sun = sun * (0.8 + 0.2 * year) * (1 - 0.7 * cloud)
    humidity = climate.humidity + 14 * cloud - 2.1 * swing * shape - 5 + 0.4 * wind
    return Weather(t, outdoor, np.clip(humidity, 8, 99), sun, hour)


def _draws(seed: int, index: int, first_day: int, days: int) -> tuple[Array, Array, Array]:
    """Fronts (days + 1,) of unit variance, clouds (days + 1,) 0..1, wind (knots,) unit noise."""
    daily = [
        generator(seed, "weather", index, day).standard_normal(2 + KNOTS_A_DAY)
        for day in range(first_day - MEMORY_DAYS, first_day + days + 1)
    ]
    drawn = np.asarray(daily)
    decay = np.exp(-np.arange(MEMORY_DAYS + 1) / PERSISTENCE)
    decay /= np.sqrt(np.sum(decay**2))
    fronts = np.convolve(drawn[:, 0], decay, mode="valid")  # (days + 1,)
    mixed = 0.8 * drawn[MEMORY_DAYS:, 1] - 0.6 * fronts  # warm highs bring clear skies
    clouds = 1 / (1 + np.exp(0.6 - 1.3 * mixed))
    gusts = np.convolve(drawn[MEMORY_DAYS - 1 :, 2:].ravel(), [0.25, 0.5, 0.25], mode="same")
    return np.asarray(fronts), clouds, np.asarray(gusts)[KNOTS_A_DAY : (days + 1) * KNOTS_A_DAY + 1]


def _smooth(daily: Array, knots: int) -> Array:
    """From one value a day to knots, easing from one to the next."""
    position = np.arange(knots) / KNOTS_A_DAY
    day = np.minimum(position.astype(int), len(daily) - 2)
    ease = position - day
    ease = ease * ease * (3 - 2 * ease)
    return np.asarray(daily[day] * (1 - ease) + daily[day + 1] * ease)
