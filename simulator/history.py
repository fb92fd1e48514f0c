"""Cycle features of long spans, without making the rows.

The signal model is the one of the raw days; :mod:`simulator.nodes` says where it is read and
:mod:`simulator.reading` what the sensors do to it. How close it is to the kernel run over the raw
days (held by a test): the same cycles with the same start, end and rows; ``n`` to the rows of a
gap; the other statistics as far as two recordings with different noise agree.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator.catalogue import BY_NAME, SENSORS
from simulator.climate import DAY_S
from simulator.conditions import Life
from simulator.nodes import Lost, Nodes, extents
from simulator.plant import Transients
from simulator.reading import DRAWS, Reading
from simulator.recording import MS_1970, sensor_offsets
from simulator.rows import Whole, time_of
from simulator.seeds import generator
from simulator.selection import Selection

SHORTEST_S = 60.0  # the workload's min_on_s, for what a gap or the span's end leaves of a run
CHUNK = 1024  # cycles at a time, so that arrays stay in the cache


def history(
    seed: int, life: Life, shifts: Transients, first_day: int, days: int, selection: Selection
) -> pa.Table:
    """All cycles of a unit; see :meth:`simulator.fleet.Fleet.cycle_history`."""
    unknown = [wanted.sensor for wanted in selection if wanted.sensor not in BY_NAME]
    if unknown:
        raise KeyError(f"no sensor {unknown[0]!r} among the {len(SENSORS)} of the catalogue")
    number = life.unit.number
    lost = Lost(seed, number, first_day, days)
    extent = extents(life, lost)
    places = [SENSORS.index(BY_NAME[wanted.sensor]) for wanted in selection]
    offsets = sensor_offsets(seed, number)
    luck = [
        generator(seed, "history", number, k).standard_normal((len(extent[0]), DRAWS))
        for k in places
    ]
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    for a in range(0, len(extent[0]), CHUNK):
        part = slice(a, a + CHUNK)
        nodes = Nodes(life, shifts, part, extent, lost)
        for wanted, k, drawn in zip(selection, places, luck, strict=True):
            reading = Reading(SENSORS[k], k, float(offsets[k]), nodes, drawn[part])
            for name, values in reading.statistics(wanted.statistics, wanted.above).items():
                parts.setdefault(f"{wanted.sensor}__{name}", []).append(values)
    columns = _frame_columns(life.unit.name, extent, first_day)
    for wanted in selection:
        for name in wanted.statistics:
            made = parts.get(f"{wanted.sensor}__{name}", [np.empty(0)])
            kind = pa.int64() if name == "n" else pa.float64()
            # NaN is how arrays say that there was nothing to measure; in the table that is null.
            array = pa.array(np.concatenate(made), kind, from_pandas=True)
            columns[f"{wanted.sensor}__{name}"] = array
    return pa.table(columns).filter(columns["duration_s"].to_numpy() >= SHORTEST_S)


def _frame_columns(
    unit: str, extent: tuple[Whole, Whole, Whole], first_day: int
) -> dict[str, pa.Array]:
    first, last, rows = extent
    zero = (first_day * DAY_S * 1000 - MS_1970) * 1_000_000
    start, end = time_of(first), time_of(last)
    moment = pa.timestamp("ns", tz="UTC")
    return {
        "unit": pa.array([unit] * len(rows), pa.string()),
        "cycle_start": pa.array(start * 1_000_000 + zero, moment),
        "cycle_end": pa.array(end * 1_000_000 + zero, moment),
        "duration_s": pa.array((end - start) / 1000),
        "rows": pa.array(rows, pa.int64()),
    }
