"""However a recording is cut into files, the cycles are those of the whole, as the reference sees them."""

from __future__ import annotations

import io
import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles import BadRecording, CycleSpec, Fragment, stitch
from cycles.cut import cut_recording
from cycles.readers import Recording
from tests import reference

SECOND = 1_000_000_000
RUNNING = [
    {"signal": "power", "above": 2.0, "release": 1.0},
    {"signal": "power", "above": 1.5},
    {"signal": "power", "below": 1.0, "release": 2.0},
    {"status": {"column": "power", "on": [1, 3]}},
]


def workload(running, min_on_s, min_off_s):
    return {
        "recording": {"timestamp": {"column": "ts", "unit": "ns"}, "unit": {"column": "unit"}},
        "cycles": {
            "running": running, "min_on_s": min_on_s, "min_off_s": min_off_s, "max_gap_s": 10,
            "max_jump_s": 1e6,
        },
        "statistics": ["n", "mean", "std", "min", "max", "first", "last", "slope"],
        "sensors": [
            {"name": "power", "above": 1.5, "required": False,
             "statistics": ["n", "mean", "std", "min", "max", "first", "last", "slope", "above_s"]},
            {"name": "x", "required": False},
        ],
    }  # fmt: skip


@st.composite
def recordings(draw):
    rows = draw(st.integers(1, 60))
    steps = draw(
        st.lists(st.sampled_from([1, 1, 1, 2, 5, 10, 11, 40]), min_size=rows, max_size=rows)
    )
    levels = st.sampled_from([0.0, 0.5, 1.0, 1.5, 1.7, 2.0, 3.0, 3.0, math.nan])
    power = draw(st.lists(levels, min_size=rows, max_size=rows))
    x = draw(st.lists(st.floats(-50, 150) | st.just(math.nan), min_size=rows, max_size=rows))
    rules = draw(st.sampled_from(RUNNING)), draw(st.integers(0, 6)), draw(st.integers(0, 6))
    times = (np.cumsum(steps) * SECOND).tolist()
    return times, {"power": power, "x": x}, workload(*rules)


def piece(name, times, columns, a, b):
    def batches():
        yield slice(0, 2), [np.asarray(columns[c][a:b], float) for c in ("power", "x")]

    return Recording(
        name, np.asarray(times[a:b], np.int64), {"u": slice(0, b - a)},
        np.asarray(columns["power"][a:b], float), batches,
    )  # fmt: skip


def cut_all(pieces, spec):
    """Fragments of the pieces, through their stored form; a piece with a silent signal is refused."""
    out = []
    for recording in pieces:
        stored = io.BytesIO()
        cut_recording(recording, spec).write(stored)
        stored.seek(0)
        out.append((recording.name, Fragment.read(stored)))
    return out


def assert_same(table, expected, columns):
    rows = table.to_pylist()
    for row, start, end in zip(
        rows, table["cycle_start"].cast("int64").to_pylist(), table["cycle_end"].cast("int64").to_pylist(),
        strict=True,
    ):  # fmt: skip
        row["start"], row["end"] = start, end
    assert [(r["start"], r["end"]) for r in rows] == [(e["start"], e["end"]) for e in expected]
    spread = {
        c: max([abs(v) for v in values if not math.isnan(v)], default=1.0)
        for c, values in columns.items()
    }
    scales = {f"{c}__{s}": spread[c] for c in columns for s in ("mean", "std", "slope")}
    for row, want in zip(rows, expected, strict=True):
        assert reference.differences(row, want, scales) == []


@given(recordings(), st.data())
def test_any_cut_in_any_order_with_overlaps_and_repeats_gives_the_cycles_of_the_whole(
    recording, data
):
    times, columns, mapping = recording
    spec = CycleSpec.from_mapping(mapping)
    rows = len(times)
    edges = sorted({0, rows, *data.draw(st.lists(st.integers(0, rows), max_size=6))})
    spans = list(pairwise(edges))
    reach = data.draw(st.lists(st.integers(0, 3), min_size=len(spans), max_size=len(spans)))
    spans = [(max(0, a - r), b) for (a, b), r in zip(spans, reach, strict=True)]
    pieces = [piece(f"f{k:02d}", times, columns, a, b) for k, (a, b) in enumerate(spans)]
    usable = [p for p in pieces if not np.isnan(p.signal).all()]
    if len(usable) < len(pieces):
        silent = next(p for p in pieces if np.isnan(p.signal).all())
        with pytest.raises(BadRecording, match="no reading"):
            cut_recording(silent, spec)
        return
    random.Random(data.draw(st.integers(0, 99))).shuffle(pieces)
    by_name = {p.name: p for p in pieces}
    result = stitch(cut_all(pieces, spec), spec, by_name.__getitem__)
    assert result.rejected == ()
    assert_same(result.table, reference.cycles(times, columns, mapping), columns)


@given(recordings())
def test_cutting_row_by_row_is_the_hardest_cut(recording):
    times, columns, mapping = recording
    columns["power"] = [0.0 if math.isnan(v) else v for v in columns["power"]]
    spec = CycleSpec.from_mapping(mapping)
    pieces = [piece(f"f{k:02d}", times, columns, k, k + 1) for k in range(len(times))]
    result = stitch(cut_all(pieces, spec), spec, {}.__getitem__)
    assert_same(result.table, reference.cycles(times, columns, mapping), columns)


def simple(power):
    times = [(k + 1) * SECOND for k in range(len(power))]
    return times, {"power": power, "x": [float(k) for k in range(len(power))]}


def test_of_two_files_that_contradict_each_other_the_one_ranked_first_stands():
    mapping = workload(RUNNING[1], 0, 0)
    spec = CycleSpec.from_mapping(mapping)
    times, columns = simple([0.0, 3.0, 3.0, 3.0, 0.0, 3.0, 0.0])
    wrong = {name: list(values) for name, values in columns.items()}
    wrong["x"][4] = -1.0
    pieces = [piece("a", times, columns, 0, 5), piece("b", times, wrong, 3, 7)]
    by_name = {p.name: p for p in pieces}
    for order in (pieces, pieces[::-1]):
        result = stitch(cut_all(order, spec), spec, by_name.__getitem__)
        assert [name for name, _ in result.rejected] == ["b"]
        assert result.rejected[0][1].reason == "conflicting-rows"
        assert result.rejected[0][1].row == 1
        part = {c: v[:5] for c, v in columns.items()}
        assert_same(result.table, reference.cycles(times[:5], part, mapping), part)


def test_a_fragment_of_another_specification_is_cut_again_from_its_file():
    times, columns = simple([0.0, 3.0, 0.0, 3.0, 0.0])
    file = piece("a", times, columns, 0, 5)
    old = cut_all([file], CycleSpec.from_mapping(workload(RUNNING[1], 0, 0)))
    mapping = workload(RUNNING[1], 0, 3)
    result = stitch(old, CycleSpec.from_mapping(mapping), {"a": file}.__getitem__)
    assert_same(result.table, reference.cycles(times, columns, mapping), columns)
    assert result.table.num_rows == 1

    def gone(name):
        raise BadRecording("truncated", f"{name}: cut short")

    result = stitch(old, CycleSpec.from_mapping(mapping), gone)
    assert (result.table.num_rows, [name for name, _ in result.rejected]) == (0, ["a"])


def test_the_same_fragment_is_stored_in_the_same_bytes():
    times, columns = simple([0.0, 3.0, math.nan, 3.0, 0.0])
    spec = CycleSpec.from_mapping(workload(RUNNING[0], 0, 0))
    stored = []
    for _ in range(2):
        target = io.BytesIO()
        cut_recording(piece("a", times, columns, 0, 5), spec).write(target)
        stored.append(target.getvalue())
    assert stored[0] == stored[1]


def test_nothing_in_gives_an_empty_table_with_all_columns():
    spec = CycleSpec.from_mapping(workload(RUNNING[0], 0, 0))
    table = stitch([], spec, {}.__getitem__).table
    assert table.num_rows == 0
    assert table.column_names == [
        "unit",
        "cycle_start",
        "cycle_end",
        "duration_s",
        "rows",
        *spec.result_names,
    ]
