"""Bodies cut anywhere give the same records; numbers written out are read back bit for bit."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.onnx_inference.formats import csv_lines, json_records
from containers.onnx_inference.formats.contract import Spools
from containers.onnx_inference.formats.registry import CSV, FORMATS, LINES, NPY, NPZ, format_out
from containers.onnx_inference.records import Slice
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Signature, Tensor

SIGNATURE = Signature(
    (Tensor("x", np.dtype(np.float32), (2, 2)), Tensor("n", np.dtype(np.int64), ())), ("y",)
)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.tuples(st.lists(FLOATS, min_size=4, max_size=4), st.integers(-(2**53), 2**53)),
    min_size=1,
    max_size=9,
)


def in_csv(rows):
    return "\n".join(",".join(map(repr, [*x, n])) for x, n in rows).encode()


def in_lines(rows):
    return "\n".join(json.dumps({"x": [x[:2], x[2:]], "n": n}) for x, n in rows).encode()


@pytest.mark.parametrize(
    ("reader", "write"), [(csv_lines.reader, in_csv), (json_records.lines_reader, in_lines)]
)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 400), max_size=6), ended=st.booleans())
def test_lines_may_be_cut_anywhere(reader, write, rows, cuts, ended):
    body = write(rows) + (b"\n" if ended else b"")
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    taken = reader(SIGNATURE, 4, Spools())
    parts = [part for start, end in pairwise(edges) for part in taken.feed(body[start:end])]
    parts += taken.close()
    assert [part.first for part in parts] == list(range(0, len(rows), 4))
    x = np.concatenate([part.inputs["x"] for part in parts])
    n = np.concatenate([part.inputs["n"] for part in parts])
    assert np.array_equal(x.reshape(-1, 4), np.array([x for x, _ in rows], np.float32))
    assert n.tolist() == [n for _, n in rows]


@given(values=st.lists(FLOATS, min_size=1, max_size=20))
@pytest.mark.parametrize("writer", [csv_lines.CsvWriter, json_records.LinesWriter])
def test_a_float32_is_read_back_bit_for_bit(writer, values):
    array = np.array(values, np.float32)
    with Spools() as spools:
        file = writer(SIGNATURE, spools)
        file.add(Slice({}, len(values)), {"y": array})
        written = file.close()
        written.seek(0)
        lines = [json.loads(line) for line in written.read().splitlines()]
    got = [line["y"] if isinstance(line, dict) else line for line in lines]
    assert np.array_equal(np.array(got, np.float32), array)


@pytest.mark.parametrize(
    "record",
    [
        '{"x":[[1,[2]],[3,4]],"n":1}',
        '{"x":[[1],[2,3,4]],"n":1}',
        '{"x":[[[1],2],[3,4]],"n":1,"k":[]}',
    ],
)
def test_nesting_is_looked_at_and_not_only_counted(record):
    with pytest.raises(Refused) as caught:
        list(json_records.lines_reader(SIGNATURE, 1, Spools()).feed(record.encode() + b"\n"))
    assert (caught.value.code, caught.value.row) == ("wrong_shape", 0)


def test_a_list_where_one_number_is_wanted_is_refused_whatever_comes_first():
    signature = Signature(tuple(reversed(SIGNATURE.inputs)), SIGNATURE.outputs)
    record = b'{"n":[1],"x":[1,2,3,4]}\n'
    with pytest.raises(Refused) as caught:
        list(json_records.lines_reader(signature, 1, Spools()).feed(record))
    assert (caught.value.code, caught.value.row) == ("wrong_shape", 0)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", LINES),
        ("*/*", LINES),
        ("application/*", LINES),
        ("text/csv; q=0.5", CSV),
        ("text/csv;q=0, */*", LINES),
        ("image/png,TEXT/CSV", CSV),
    ],
)
def test_accept(accept, wanted):
    assert format_out(accept, LINES, SIGNATURE) is wanted


def test_several_outputs_are_no_single_array():
    several = Signature(SIGNATURE.inputs, ("y", "z"))
    assert format_out("", NPY, several) is NPZ
    with pytest.raises(Refused):
        format_out(NPY.name, LINES, several)
    assert set(FORMATS) >= {"application/x-parquet", "application/x-ndjson"}
