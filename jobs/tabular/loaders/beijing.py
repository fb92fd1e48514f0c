"""Hourly files of the Beijing Multi-Site Air-Quality set (UCI 501) become a row of every station and day.

Only weather is read. The other pollutants are measured by the instruments beside PM2.5 and rise with it:
whoever has them has no question left.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.tabular.loaders.daily import Days, Floats, in_order, rows_of
from jobs.tabular.tables import files_of, joined, numbers, read_table, require, texts
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Rejected

CALENDAR = ["year", "month", "day", "hour"]
MEASURED = ["TEMP", "PRES", "DEWP", "RAIN", "WSPM"]
HOURS = 18
"""A day's mean needs three quarters of its hours. Source: 40 CFR Part 50, Appendix N, 3.0(c)."""
POINTS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
          "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]  # fmt: skip


def rows(folder: Path, told: Tabular, *, with_target: bool) -> pa.Table:
    """Read all hours and make days of them.

    Raises:
        Rejected: a file lacks columns, a cell is no number, or an hour comes twice.
    """
    wanted = [*CALENDAR, "station", *MEASURED, "wd", *(["PM2.5"] if with_target else [])]
    parts = []
    for path in files_of(folder):
        table = read_table(path)
        require(table, wanted, path.name)
        parts.append(table.select(wanted))
        for name in [*CALENDAR, *MEASURED]:
            _numbers(table, name, path.name)
    return rows_of(in_order(_days(joined(parts))), told, with_target=with_target)


def _numbers(table: pa.Table, name: str, file: str) -> Floats:
    values, bad = numbers(table[name])
    if len(bad):
        raise Rejected(
            "not-a-number", f"{file}: {name} of row {bad[0]} is no number", column=name, row=int(bad[0])
        )  # fmt: skip
    return values


def _days(hours: pa.Table) -> Days:
    year, month, day, hour = (_numbers(hours, name, "the files") for name in CALENDAR)
    if not np.isfinite(year + month + day + hour).all():
        row = int(np.flatnonzero(~np.isfinite(year + month + day + hour))[0])
        raise Rejected("no-time", f"row {row} has no year, month, day or hour", row=row)
    dates = _dates(year, month, day)
    station = np.asarray([each or "" for each in texts(hours["station"])])
    names, codes = np.unique(station, return_inverse=True)
    stamps = codes.astype(np.int64) * 10**8 + dates.astype(np.int64) * 24 + hour.astype(np.int64)
    if len(np.unique(stamps)) != len(stamps):
        raise Rejected("hour-twice", "an hour of a station comes twice; send each once")
    keys, of = np.unique(
        codes.astype(np.int64) * 10**6 + dates.astype(np.int64), return_inverse=True
    )
    weather = _weather(hours, of, len(keys))
    pm25 = np.full(len(keys), np.nan)
    if "PM2.5" in hours.column_names:
        values = _numbers(hours, "PM2.5", "the files")
        counted = np.bincount(of[np.isfinite(values)], minlength=len(keys))
        pm25[:] = np.where(counted >= HOURS, _mean(values, of, len(keys)), np.nan)
    return Days(names[keys // 10**6], (keys % 10**6).astype("datetime64[D]"), weather, pm25)


def _dates(year: Floats, month: Floats, day: Floats) -> npt.NDArray[np.datetime64]:
    since = (year - 1970) * 12 + month - 1
    months = since.astype("datetime64[M]")
    dates: npt.NDArray[np.datetime64] = months.astype("datetime64[D]") + (day - 1).astype(np.int64)
    if (dates.astype(np.int64) < 0).any() or (dates.astype("datetime64[M]") != months).any():
        raise Rejected("no-time", "a year, month or day is none; days from 1970 on are known")
    return dates


def _weather(hours: pa.Table, of: npt.NDArray[np.intp], days: int) -> dict[str, Floats]:
    temp, pres, dewp, rain, wind = (_numbers(hours, name, "the files") for name in MEASURED)
    blown = {point: np.deg2rad(22.5 * k) for k, point in enumerate(POINTS)}
    angle = np.asarray([blown.get(point or "", np.nan) for point in texts(hours["wd"])])
    made: dict[str, Floats] = {}
    for name, values in (("temp", temp), ("dewp", dewp), ("pres", pres), ("wind", wind)):
        made[f"{name}_mean"] = _mean(values, of, days)
        made[f"{name}_min"] = _extreme(np.fmin, values, of, days)
        made[f"{name}_max"] = _extreme(np.fmax, values, of, days)
    made["rain_sum"] = _mean(rain, of, days) * 24
    # where the wind comes from, as the mean of its vectors
    made["wind_east"] = _mean(wind * np.sin(angle), of, days)
    made["wind_north"] = _mean(wind * np.cos(angle), of, days)
    return made


def _mean(values: Floats, of: npt.NDArray[np.intp], days: int) -> Floats:
    known = np.isfinite(values)
    sums = np.bincount(of[known], values[known], minlength=days)
    counts = np.bincount(of[known], minlength=days)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _extreme(ufunc: np.ufunc, values: Floats, of: npt.NDArray[np.intp], days: int) -> Floats:
    found = np.full(days, np.nan)
    ufunc.at(found, of, values)
    return found
