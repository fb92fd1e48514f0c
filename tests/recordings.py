"""Sensor files made for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cli.workloads import load

T0 = 1_780_000_000_000


def hvac_recording(
    of: str = "A1", rows: int = 1200, start: int = 0, shift: float = 0.0, **changes: Any
) -> bytes:
    """A short hvac recording of one unit: a cycle every 400 rows; ``shift`` moves all readings."""
    k = np.arange(start, start + rows)
    power = np.where((k // 200) % 2 == 1, 2.0, 0.02)
    columns = {
        "ts": pa.array(T0 + k * 1000, pa.timestamp("ms", tz="UTC")),
        "unit": pa.array([of] * rows),
    }
    for s, name in enumerate(sensor.name for sensor in load("hvac").sensors):
        values = power if name == "compressor_power" else 20 + s + np.sin(k / (s + 5.0)) + shift
        columns[name] = pa.array(values.astype("f4"))
    columns |= changes
    file = io.BytesIO()
    pq.write_table(pa.table({n: c for n, c in columns.items() if c is not None}), file)
    return file.getvalue()
