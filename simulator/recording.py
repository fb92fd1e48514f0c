"""Raw unit-days: ninety sensors at about 1 Hz, as the gateway of a unit would upload them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.catalogue import SENSORS, Sensor
from simulator.conditions import Life
from simulator.frame import Frame, day_frame
from simulator.plant import Transients
from simulator.rows import Losses, day_times
from simulator.seeds import Array, generator

MS_1970 = 719_163 * 86_400_000  # from ordinal day 0 to 1970-01-01

Readings = npt.NDArray[np.float32]


def sensor_offsets(seed: int, number: int) -> Array:
    """The constant error of each of a unit's sensors.  # (sensors,)"""
    spread = np.array([sensor.offset for sensor in SENSORS])
    draws = generator(seed, "offsets", number).standard_normal(len(SENSORS))
    return np.asarray(draws * spread)


def record_day(
    seed: int, life: Life, shifts: Transients, first_day: int, day: int, missing: Losses
) -> pa.Table:
    """One unit-day.

    Returns:
        pa.Table: ts (timestamp[ms, UTC]), unit (dictionary of string) and the sensors of
        :data:`simulator.catalogue.SENSORS` as float32, NaN where a sensor dropped out.
    """
    t_ms = day_times(day, missing)
    frame = day_frame(life, shifts, t_ms / 1000)
    rng = generator(seed, "noise", life.unit.number, first_day + day)
    offsets = sensor_offsets(seed, life.unit.number)
    drops: dict[int, list[tuple[int, int]]] = {}
    for sensor, start, end in missing.drops.tolist():
        a, b = np.searchsorted(t_ms, (start, end))
        drops.setdefault(sensor, []).append((int(a), int(b)))
    columns: dict[str, pa.Array] = {
        "ts": pa.array(t_ms + (first_day * 86_400_000 - MS_1970), pa.timestamp("ms", tz="UTC")),
        "unit": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(len(t_ms), np.int32)), pa.array([life.unit.name])
        ),
    }
    for k, sensor in enumerate(SENSORS):
        readings = _readings(sensor, frame, float(offsets[k]), rng)
        for a, b in drops.get(k, ()):
            readings[a:b] = np.nan
        columns[sensor.name] = pa.array(readings)
    return pa.table(columns)


def _readings(sensor: Sensor, frame: Frame, offset: float, rng: np.random.Generator) -> Readings:
    value = sensor.reads(frame) + offset
    if sensor.hunt:
        value = value + sensor.hunt * frame.hunting
    out = np.empty(len(frame.t), np.float32)
    out[:] = value
    if sensor.noise:
        noise = rng.standard_normal(len(out), dtype=np.float32)
        scale: npt.NDArray[np.float32] | float = sensor.noise
        if sensor.quiet != 1 or sensor.shaky:
            running = sensor.noise * (1 + sensor.shaky * frame.c.fan)
            scale = np.where(frame.on > 0, running, sensor.noise * sensor.quiet).astype(np.float32)
        noise *= scale
        out += noise
    # Rounded in steps through float32, as a gateway that sends single precision does.
    out *= np.float32(1 / sensor.step)
    np.rint(out, out=out)
    out *= np.float32(sensor.step)
    return out


def write_day(table: pa.Table, path: Path) -> None:
    """Write a unit-day as Parquet, one row group of zstd; equal tables make equal bytes."""
    pq.write_table(
        table,
        path,
        row_group_size=max(1, table.num_rows),
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
    )
