"""The cycle histories are those of the raw days: same cycles, features equal but for the noise."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from cycles import CycleSpec, cut, stitch
from simulator.catalogue import BY_NAME
from simulator.fleet import Fleet, write_raw_day
from simulator.nodes import expected_maximum
from simulator.selection import HVAC_WORKLOAD, Wanted, hvac_selection

ALL = ("n", "mean", "std", "min", "max", "first", "last", "slope")
UNITS = ("hp-0001", "hp-0004")
WIDE = tuple(
    Wanted(w.sensor, (*ALL, "above_s") if w.above is not None else ALL, w.above)
    for w in hvac_selection()
)
# Largest allowed |mean difference| and |difference of any cycle|, in the sensor's noise + step; std
# and slope in their own units below. Single readings differ by two draws of the noise.
ALLOWED = {"mean": (0.5, 2.0), "min": (2, 6), "max": (2, 8), "first": (1.5, 12), "last": (1.5, 6)}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(units=4, seed=7, days=60)


@pytest.fixture(scope="module")
def raw(fleet):
    """Two days of two units in a row, as arrays: unit -> name -> (rows,)."""
    out = {}
    for unit in UNITS:
        tables = [fleet.raw_day(unit, day) for day in fleet.dates[40:42]]
        names = ("ts", "compressor_power", *(w.sensor for w in WIDE))
        out[unit] = {
            n: np.concatenate([t[n].to_numpy() for t in tables]) for n in dict.fromkeys(names)
        }
        out[unit]["ms"] = out[unit]["ts"].astype("datetime64[ms]").astype(np.int64)
    return out


def whole_cycles(columns):
    """Row ranges of the cycles that begin and end within the rows, found independently."""
    running = columns["compressor_power"] > 0.45
    edges = np.flatnonzero(np.diff(running.astype(int))) + 1
    starts, ends = edges[running[edges]], edges[~running[edges]]
    ends = ends[ends > starts[0]]
    return list(zip(starts[: len(ends)].tolist(), ends.tolist(), strict=False))


def measured(values, seconds, level):
    """Statistics of one cycle by the book, in float64."""
    held = ~np.isnan(values)
    v, t = values[held].astype(float), seconds[held]
    t = t - t.mean()
    out = {
        "n": len(v), "mean": v.mean(), "std": v.std(ddof=1), "min": v.min(), "max": v.max(),
        "first": v[0], "last": v[-1], "slope": (t * (v - v.mean())).sum() / (t * t).sum(),
    }  # fmt: skip
    if level is not None:
        out["above_s"] = (v > level).sum() * 0.972
    return out, np.sqrt((t * t).mean())


@pytest.mark.parametrize("unit", UNITS)
def test_same_cycles_and_rows(fleet, raw, unit):
    history = fleet.cycle_history(unit)
    ms = raw[unit]["ms"]
    starts = history["cycle_start"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    ends = history["cycle_end"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    found = whole_cycles(raw[unit])
    assert len(found) > 20
    inside = (starts > ms[0]) & (ends < ms[-1])
    assert starts[inside].tolist() == [ms[a] for a, _ in found]
    assert ends[inside].tolist() == [ms[b - 1] for _, b in found]
    assert history["rows"].to_numpy()[inside].tolist() == [b - a for a, b in found]
    seconds = (ends - starts)[inside] / 1000
    assert history["duration_s"].to_numpy()[inside] == pytest.approx(seconds)


@pytest.mark.parametrize("unit", UNITS)
def test_features_equal_those_of_the_rows_but_for_noise(fleet, raw, unit):
    history = fleet.cycle_history(unit, WIDE)
    found = whole_cycles(raw[unit])
    ms = raw[unit]["ms"]
    starts = history["cycle_start"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    at = np.searchsorted(starts, [ms[a] for a, _ in found])
    for wanted in WIDE:
        sensor = BY_NAME[wanted.sensor]
        grain = sensor.noise + sensor.step
        x = raw[unit][wanted.sensor]
        pairs = [measured(x[a:b], ms[a:b] / 1000, wanted.above) for a, b in found]
        spread = np.array([s for _, s in pairs])
        for stat in wanted.statistics:
            theirs = np.array([values[stat] for values, _ in pairs])
            ours = history[f"{wanted.sensor}__{stat}"].to_numpy()[at]
            off = ours - theirs
            where = f"{wanted.sensor}__{stat}: {off.mean():.4f} mean, {np.abs(off).max():.4f} most"
            if stat == "n":
                assert np.abs(off).max() <= 1, where
            elif stat == "std":
                assert abs(off.mean()) <= 0.02 * theirs.mean() + 0.2 * grain, where
                assert (np.abs(off) <= 0.3 * theirs + grain).all(), where
            elif stat == "slope":
                assert abs((off * spread).mean()) <= grain, where
                assert (np.abs(off) * spread <= 3 * grain).all(), where
            elif stat == "above_s":
                assert abs(off.mean()) <= 6, where
                assert np.abs(off).max() <= 45, where
            else:
                mean, most = ALLOWED[stat]
                assert abs(off.mean()) <= mean * grain, where
                assert np.abs(off).max() <= most * grain, where


def test_the_kernel_finds_the_same_cycles_and_columns(fleet, tmp_path):
    spec = CycleSpec.from_mapping(yaml.safe_load(HVAC_WORKLOAD.read_text()))
    fragments = []
    for day in fleet.dates[40:42]:
        name = f"raw/hvac/unit=hp-0001/{day}.parquet"
        path = tmp_path / Path(name).name
        write_raw_day(fleet, "hp-0001", day, path)
        fragments.append((name, cut(path, spec, name)))

    def no_overlap(name: str):
        raise AssertionError(f"{name} overlaps with nothing and need not be read again")

    table = stitch(fragments, spec, no_overlap).table.slice(1)
    table = table.slice(0, table.num_rows - 1)  # the first and last are cut by the two days' edges
    history = fleet.cycle_history("hp-0001")
    assert history.schema.equals(table.schema)
    assert history.num_columns == 5 + 66
    start = history["cycle_start"].to_pylist().index(table["cycle_start"][0].as_py())
    ours = history.slice(start, table.num_rows)
    for name in ("cycle_start", "cycle_end", "rows"):
        assert ours[name].to_pylist() == table[name].to_pylist()


def test_a_history_follows_the_selection_not_the_other_way(fleet):
    one = (Wanted("subcooling", ("last",)),)
    alone = fleet.cycle_history("hp-0002", one)["subcooling__last"]
    assert alone.equals(fleet.cycle_history("hp-0002")["subcooling__last"])
    with pytest.raises(KeyError, match="no_such_sensor"):
        fleet.cycle_history("hp-0002", (Wanted("no_such_sensor", ("mean",)),))
    with pytest.raises(ValueError, match="above_s needs a level"):
        fleet.cycle_history("hp-0002", (Wanted("subcooling", ("above_s",)),))


def test_drop_outs_take_readings_and_whole_ones_leave_nothing(fleet):
    table = fleet.cycle_history("hp-0002", (Wanted("airflow", ("n", "mean")), *WIDE[:6]))
    rows = table["rows"].to_numpy()
    some = [table[f"{name}__n"].to_numpy() for name in ("airflow", *(w.sensor for w in WIDE[:6]))]
    assert all((n <= rows).all() for n in some)
    assert any((n < rows).any() for n in some)
    empty = table["airflow__n"].to_numpy() == 0
    assert np.array_equal(np.array(table["airflow__mean"].is_null()), empty)


def test_expected_maximum_of_normal_draws():
    draws = np.random.default_rng(1).standard_normal((4000, 1000))
    for n in (1, 2, 10, 100, 1000):
        expected = draws[:, :n].max(axis=1).mean()
        assert expected_maximum(np.array([float(n)]))[0] == pytest.approx(expected, abs=0.06)
