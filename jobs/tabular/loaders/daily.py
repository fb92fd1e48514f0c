"""Days of weather stations: what both kinds of file have in common once they are daily.

Units: °C, hPa, mm, m/s, km. ``_1d`` and ``_2d`` are the same of yesterday and of the day before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signalbox.contracts.tabular import ID, Tabular
from signalbox.errors import Misconfigured, Rejected

Floats = npt.NDArray[np.float64]
DAYS_BACK = (1, 2)
CALENDAR = "day_of_year"


@dataclass(frozen=True)
class Days:
    """One entry a station and day, sorted by both.

    Attributes:
        station: (n,) names.
        day: (n,) datetime64[D].
        weather: of each column (n,), NaN where nothing was measured.
        pm25: (n,) mean of the day in µg/m³, NaN where unknown.
    """

    station: npt.NDArray[np.str_]
    day: npt.NDArray[np.datetime64]
    weather: Mapping[str, Floats]
    pm25: Floats


def rows_of(days: Days, told: Tabular, *, with_target: bool) -> pa.Table:
    """The workload's columns of every day, and whether it was unhealthy; days without truth are left out.

    Raises:
        Misconfigured: the workload wants a column that is not made here.
        Rejected: truth is wanted, and no day has it.
    """
    columns: dict[str, pa.Array] = {
        ID: pa.array([f"{s}/{d}" for s, d in zip(days.station, days.day, strict=True)]),
        "station": pa.array(days.station.tolist()),
        "date": pa.array(days.day.astype(str).tolist()),
    }
    made = _all(days)
    strange = sorted(set(told.columns) - set(made) - {"station", "date"})
    if strange or told.group not in (None, "station", "date"):
        wrong = ", ".join(strange) or told.group
        raise Misconfigured(f"loader {told.loader} makes no {wrong}; it makes {', '.join(made)}")
    for name in told.columns:
        if name not in columns:
            columns[name] = pa.array(made[name], from_pandas=True)
    table = pa.table(columns)
    if not with_target:
        return table
    known = np.isfinite(days.pm25)
    if not known.any():
        raise Rejected("no-truth", "no day has a mean of PM2.5; send it with the weather")
    unhealthy = pa.array((days.pm25 > (told.pm25_limit or 0.0)).astype(np.float64))
    return table.append_column(told.target, unhealthy).filter(pa.array(known))


def _all(days: Days) -> dict[str, Floats]:
    made = {CALENDAR: _day_of_year(days.day), **days.weather}
    _, codes = np.unique(days.station, return_inverse=True)
    numbers = days.day.astype(np.int64)
    span = int(numbers.max() - numbers.min()) + max(DAYS_BACK) + 1 if len(numbers) else 1
    keys = codes.astype(np.int64) * span + (numbers - numbers.min(initial=numbers[0]))
    for back in DAYS_BACK:
        # keys of one station are apart from those of the next by more than we look back
        places = np.searchsorted(keys, keys - back).clip(0, len(keys) - 1)
        there = keys[places] == keys - back
        for name, values in days.weather.items():
            made[f"{name}_{back}d"] = np.where(there, values[places], np.nan)
    return made


def _day_of_year(day: npt.NDArray[np.datetime64]) -> Floats:
    year: npt.NDArray[np.datetime64] = day.astype("datetime64[Y]").astype("datetime64[D]")
    return ((day - year).astype(np.int64) + 1).astype(np.float64)


def in_order(days: Days) -> Days:
    """The same, sorted.

    Raises:
        Rejected: a station has a day twice.
    """
    order = np.lexsort((days.day, days.station))
    station, day = days.station[order], days.day[order]
    again = np.flatnonzero((station[1:] == station[:-1]) & (day[1:] == day[:-1]))
    if len(again):
        raise Rejected("day-twice", f"station {station[again[0]]}: {day[again[0]]} comes twice")
    weather = {name: values[order] for name, values in days.weather.items()}
    return Days(station, day, weather, days.pm25[order])
