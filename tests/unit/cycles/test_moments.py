"""Statistics of stretches of many rows, against plain float64 loops: hard sums, and missing readings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cycles import CycleSpec, native, stitch
from cycles.cut import cut_recording
from cycles.readers import Recording
from tests import reference

ROWS = 13_000
RUNNING = [(700, 900), (1_200, 11_400), (12_000, 12_900)]  # the second is of several tiles
ALL = ["n", "mean", "std", "min", "max", "first", "last", "slope", "above_s"]


def signals():
    """Readings by name, float64, to be rounded to float32 or not."""
    rng = np.random.default_rng(3)
    t = np.arange(ROWS)
    noise = rng.standard_normal(ROWS)
    flicker = (rng.random(ROWS) < 0.01).astype(float)
    found = {
        "plain": 20 + noise,
        "ramp": 5 + t / 1000 + 0.1 * noise,
        "constant": np.full(ROWS, 0.1),
        "large": 1e6 + np.round(noise),
        "alike": 240.0 + flicker * 2**-15,  # one float32 step above 240
        "alike and drifting": 101_325.0 + np.round(t / 4000) / 128,
        "spiky": np.where(rng.random(ROWS) < 0.001, 1e5, noise),
        "negative": -300 - 5 * rng.random(ROWS),
    }
    holes = {
        name: found["ramp"].copy() for name in ("torn", "sparse", "silent at times", "infinite")
    }
    holes["torn"][np.r_[1_150:1_300, 5_000:5_003, 11_390:11_500]] = np.nan
    holes["sparse"][rng.random(ROWS) < 0.995] = np.nan
    holes["silent at times"][600:1_000] = np.nan
    holes["silent at times"][1_200:6_000] = np.nan
    holes["infinite"][[800, 1_200, 7_000]] = np.inf
    holes["infinite"][[850, 9_000]] = -np.inf
    holes["infinite"][12_500:12_550] = np.nan
    holes["all infinite"] = holes["infinite"].copy()
    holes["all infinite"][5_200:9_400] = np.inf  # a whole tile, and more
    holes["all infinite"][6_000] = -np.inf
    holes["two readings"] = np.full(ROWS, np.nan)
    holes["two readings"][[3_000, 3_001]] = 1.0, 2.0
    return found | holes


def times(step_ns):
    rng = np.random.default_rng(4)
    steps = step_ns + (rng.random(ROWS) < 0.01) * 3 * step_ns
    return 1_717_200_000_000_000_000 + np.cumsum(steps).astype(np.int64)


def measured(columns, kind, at, workload):
    spec = CycleSpec.from_mapping(workload)
    running = np.zeros(ROWS)
    for a, b in RUNNING:
        running[a:b] = 1.0
    read = [np.asarray(columns[name], kind) for name in spec.names]

    def batches():
        for k in range(0, len(read), 5):
            yield slice(k, min(k + 5, len(read))), read[k : k + 5]

    recording = Recording("a", at, {"u": slice(0, ROWS)}, running, batches)
    return running, stitch([("a", cut_recording(recording, spec))], spec, {}.__getitem__).table


@pytest.fixture(params=["machine code", "numpy"])
def sums_by(request, monkeypatch):
    """Both ways to sum: the compiled one must be there, and numpy must do without it."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "sweep", lambda readings, steps: None)
    else:
        kinds = [np.dtype(np.float32), np.dtype(np.float64)]
        assert all(native.sweep(reading, step) for reading in kinds for step in kinds)


@pytest.mark.usefixtures("sums_by")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("step_ns", [972_000_000, 10_000_000_000, 1_234_567])
def test_what_is_hard_to_sum_is_within_the_tolerances(kind, step_ns):
    columns = {name: values.astype(kind) for name, values in signals().items()}
    with np.errstate(invalid="ignore"):
        levels = {
            name: float(np.nanmedian(np.where(np.isfinite(v), v, np.nan)))
            for name, v in columns.items()
        }
    workload = {
        "recording": {"timestamp": {"column": "ts", "unit": "ns"}, "unit": {"column": "unit"}},
        "cycles": {"running": {"signal": "on", "above": 0.5}, "max_gap_s": 1e4},
        "sensors": [{"name": name, "statistics": ALL, "above": levels[name]} for name in columns],
    }
    at = times(step_ns)
    running, table = measured(columns, kind, at, workload)
    finite = {
        n: [float(x) if math.isfinite(x) else math.nan for x in v] for n, v in columns.items()
    }
    wanted = reference.cycles(at.tolist(), finite | {"on": running.tolist()}, workload)
    assert [(w["rows"]) for w in wanted] == [b - a for a, b in RUNNING]
    # a slope is known to what rounding of float64 makes of the spread over the time
    scales = {
        f"{name}__slope": 1e-9 * w[f"{name}__std"] / (step_ns / 1e9)
        for name in columns
        for w in wanted
        if w[f"{name}__n"] > 1
    }
    for row, want in zip(table.to_pylist(), wanted, strict=True):
        row |= {"start": want["start"], "end": want["end"]}
        assert reference.differences(row, want, scales) == []


@pytest.mark.usefixtures("sums_by")
def test_a_sensor_of_all_readings_missing_counts_none():
    columns = {"plain": signals()["plain"], "dead": np.full(ROWS, np.nan)}
    workload = {
        "recording": {"timestamp": {"column": "ts", "unit": "ns"}, "unit": {"column": "unit"}},
        "cycles": {"running": {"signal": "on", "above": 0.5}, "max_gap_s": 1e4},
        "sensors": [
            {"name": "dead", "statistics": ALL, "above": -1.0, "required": False},
            {"name": "plain", "statistics": ["n"]},
        ],
    }
    _, table = measured(columns, np.float32, times(1_000_000_000), workload)
    assert table["dead__n"].to_pylist() == [0, 0, 0]
    for stat in ALL[1:]:
        assert table[f"dead__{stat}"].to_pylist() == [None] * 3
    assert table["plain__n"].to_pylist() == [b - a for a, b in RUNNING]
