"""Daily tables of NOAA's Global Surface Summary of the Day, and a table of PM2.5, become rows.

Source: NOAA NCEI, "Global Surface Summary of the Day" (readme): °F, knots, inches, miles, millibars;
9999.9, 999.9 and 99.99 mean missing. The table of PM2.5 has STATION, DATE and PM2.5 (mean of the day, µg/m³).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.tabular.loaders.daily import Days, Floats, in_order, rows_of
from jobs.tabular.tables import files_of, joined, numbers, read_table, require, texts
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Rejected

PM25 = "PM2.5"
KEY = ["STATION", "DATE"]
LEAST_HPA = 300.0
"""No station stands where the air is thinner; some files cut the leading digit of a pressure."""


class Element(NamedTuple):
    """One column of the daily table: what it is called here, what means missing, and its unit."""

    name: str
    missing: float
    convert: Callable[[Floats], Floats]


def _celsius(values: Floats) -> Floats:
    return (values - 32) * 5 / 9


def _metres_a_second(values: Floats) -> Floats:
    return values * 0.514444


def _as_is(values: Floats) -> Floats:
    return values


def _plausible(values: Floats) -> Floats:
    return np.where(values < LEAST_HPA, np.nan, values)


ELEMENTS = {
    "TEMP": Element("temp_mean", 9999.9, _celsius),
    "MIN": Element("temp_min", 9999.9, _celsius),
    "MAX": Element("temp_max", 9999.9, _celsius),
    "DEWP": Element("dewp_mean", 9999.9, _celsius),
    "SLP": Element("sea_level_pres_mean", 9999.9, _plausible),
    "STP": Element("pres_mean", 9999.9, _plausible),
    "VISIB": Element("visibility_km", 999.9, lambda miles: miles * 1.609344),
    "WDSP": Element("wind_mean", 999.9, _metres_a_second),
    "MXSPD": Element("wind_max", 999.9, _metres_a_second),
    "GUST": Element("gust_max", 999.9, _metres_a_second),
    "PRCP": Element("rain_sum", 99.99, lambda inches: inches * 25.4),
    "SNDP": Element("snow_depth", 999.9, lambda inches: inches * 25.4),
}
FLAGS = ["fog", "rain", "snow", "hail", "thunder", "tornado"]
"""The six digits of FRSHTT."""


def rows(folder: Path, told: Tabular, *, with_target: bool) -> pa.Table:
    """Read the daily tables; join the PM2.5 table where the target is wanted.

    Raises:
        Rejected: a table is of neither kind, lacks columns, or holds something that is no number.
    """
    weather, air = [], []
    for path in files_of(folder):
        table = read_table(path)
        if PM25 in table.column_names:
            require(table, KEY, path.name)
            air.append(table.select([*KEY, PM25]))
        else:
            require(table, [*KEY, *ELEMENTS, "FRSHTT"], path.name)
            weather.append(table.select([*KEY, *ELEMENTS, "FRSHTT"]))
    if not weather:
        raise Rejected("no-file", f"no daily table with {', '.join(ELEMENTS)}")
    days = _days(joined(weather))
    if with_target and air:
        days = Days(days.station, days.day, days.weather, _joined(days, joined(air)))
    return rows_of(in_order(days), told, with_target=with_target)


def _days(table: pa.Table) -> Days:
    station, day = _key(table)
    made: dict[str, Floats] = {}
    for column, element in ELEMENTS.items():
        values = _numbers(table, column)
        told = np.where(np.isclose(values, element.missing), np.nan, values)
        made[element.name] = element.convert(told)
    flags = [(each or "").split(".")[0].zfill(len(FLAGS)) for each in texts(table["FRSHTT"])]
    for place, name in enumerate(FLAGS):
        made[name] = np.asarray([float(each[place] == "1") for each in flags])
    return Days(station, day, made, np.full(len(day), np.nan))


def _key(table: pa.Table) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.datetime64]]:
    station = np.asarray([each or "" for each in texts(table["STATION"])])
    told = [(each or "")[:10] for each in texts(table["DATE"])]
    try:
        day = np.asarray(told, dtype="datetime64[D]")
    except ValueError as problem:
        raise Rejected("no-time", f"DATE is none: {problem}; write 2024-12-31") from problem
    if np.isnat(day).any():
        raise Rejected("no-time", "a row has no DATE; write 2024-12-31")
    return station, day


def _numbers(table: pa.Table, column: str) -> Floats:
    values, bad = numbers(table[column])
    if len(bad):
        raise Rejected(
            "not-a-number", f"{column} of row {bad[0]} is no number", column=column, row=int(bad[0])
        )
    return values


def _joined(days: Days, air: pa.Table) -> Floats:
    station, day = _key(air)
    values = _numbers(air, PM25)
    of: dict[tuple[str, np.datetime64], float] = {}
    for where, when, value in zip(station, day, values, strict=True):
        if (where, when) in of:
            raise Rejected("day-twice", f"station {where}: PM2.5 of {when} comes twice")
        of[where, when] = float(value)
    return np.asarray(
        [of.get(key, np.nan) for key in zip(days.station, days.day, strict=True)], np.float64
    )
