"""Every format in and out against what the session itself answers."""

from __future__ import annotations

import io
import json

import numpy as np
import onnxruntime
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.container_process import container
from tests.onnx_models import STEPS, fault, linear, many, records, save

COUNT = 37  # two slices and a rest


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    root = save(tmp_path_factory.mktemp("fault"), fault())
    with container(root) as running:
        yield running, *answers(root, records(COUNT))


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    root = save(tmp_path_factory.mktemp("linear"), linear())
    x = np.random.default_rng(1).normal(size=(COUNT, 4)).astype(np.float32)
    with container(root) as running:
        yield running, *answers(root, {"x": x})


def answers(root, given):
    session = onnxruntime.InferenceSession(str(root / "model" / "model.onnx"))
    # in slices as the container runs them: another batch may round differently
    parts = [
        session.run(None, {name: array[k : k + 16] for name, array in given.items()})
        for k in range(0, COUNT, 16)
    ]
    return given, np.concatenate([part[0] for part in parts])


def in_csv(given):
    flat = np.concatenate([a.reshape(COUNT, -1).astype(np.float64) for a in given.values()], axis=1)
    return "\n".join(",".join(map(repr, row)) for row in flat.tolist()).encode() + b"\n"


def objects(given):
    arrays = given.items()
    return [{name: array[k].tolist() for name, array in arrays} for k in range(COUNT)]


def in_lines(given):
    return b"".join(orjson.dumps(record) + b"\r\n" for record in objects(given))


def in_document(given):
    return orjson.dumps({"instances": objects(given)})


def in_npz(given):
    file = io.BytesIO()
    np.savez_compressed(file, **given)
    return file.getvalue()


def in_npy(given):
    (array,) = given.values()
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def in_parquet(given, **more):
    columns = {
        name: array if array.ndim == 1 else list(array.reshape(COUNT, -1))
        for name, array in given.items()
    }
    file = io.BytesIO()
    pq.write_table(pa.table({**columns, **more}), file, row_group_size=20)
    return file.getvalue()


WRITE = {
    "text/csv": in_csv,
    "application/jsonlines": in_lines,
    "application/x-ndjson": in_lines,
    "application/json": in_document,
    "application/x-npz": in_npz,
    "application/x-npy": in_npy,
    "application/x-parquet": in_parquet,
}


def read(kind, body, name):
    if kind == "text/csv":
        return np.array([line.split(b",") for line in body.splitlines()], np.float32)
    if kind == "application/json":
        told = [record[name] for record in json.loads(body)["predictions"]]
        return np.array(told, np.float32)
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body))
    if kind == "application/x-npz":
        return np.load(io.BytesIO(body))[name]
    if kind == "application/x-parquet":
        return np.array(pq.read_table(io.BytesIO(body))[name].to_pylist(), np.float32)
    return np.array([json.loads(line)[name] for line in body.splitlines()], np.float32)


@pytest.mark.parametrize("kind", sorted(set(WRITE) - {"application/x-npy"}))
def test_two_inputs_round_trip_bit_for_bit(faults, kind):
    running, given, wanted = faults
    answer = running.post(kind, WRITE[kind](given))
    assert (answer.status, answer.headers["content-type"]) == (200, kind), answer.body[:300]
    assert np.array_equal(read(kind, answer.body, "log_probabilities"), wanted)


@pytest.mark.parametrize("kind", sorted(WRITE))
def test_one_input_round_trips_bit_for_bit(lines, kind):
    running, given, wanted = lines
    answer = running.post(kind, WRITE[kind](given), accept="*/*")
    assert (answer.status, answer.headers["content-type"]) == (200, kind), answer.body[:300]
    assert np.array_equal(read(kind, answer.body, "y"), wanted)


@pytest.mark.parametrize("kind", sorted(WRITE))
def test_the_answer_is_in_the_format_asked_for(faults, kind):
    running, given, wanted = faults
    answer = running.post(
        "application/jsonlines", in_lines(given), accept=f"image/png, {kind};q=0.5"
    )
    assert (answer.status, answer.headers["content-type"]) == (200, kind), answer.body[:300]
    assert np.array_equal(read(kind, answer.body, "log_probabilities"), wanted)


def test_one_input_may_stand_bare(lines):
    running, given, wanted = lines
    body = b"".join(orjson.dumps(row.tolist()) + b"\n" for row in given["x"])
    answer = running.post("application/jsonlines", body)
    assert np.array_equal(read("application/jsonlines", answer.body, "y"), wanted)


def test_keys_beside_the_inputs_come_back_unchanged(faults):
    running, given, _ = faults
    beside = [
        {
            "unit": f"é{k}",
            "cycle": k,
            "moved": k % 2 == 0,
            "more": {"a": [1, None, 2.5]},
            "none": None,
        }
        for k in range(COUNT)
    ]
    body = b"".join(
        orjson.dumps(a | b) + b"\n" for a, b in zip(beside, objects(given), strict=True)
    )
    told = [
        json.loads(line) for line in running.post("application/jsonlines", body).body.splitlines()
    ]
    for record in told:
        assert len(record.pop("log_probabilities")) == 2
    assert told == beside


def test_columns_beside_the_inputs_come_back_unchanged_and_of_their_type(faults):
    running, given, wanted = faults
    beside = {
        "unit": pa.array([f"u{k}" for k in range(COUNT)]).dictionary_encode(),
        "at": pa.array(range(COUNT), pa.timestamp("ms", "UTC")),
        "cycle": pa.array(range(COUNT), pa.uint16()),
    }
    body = in_parquet(given, **beside)
    table = pq.read_table(io.BytesIO(running.post("application/x-parquet", body).body))
    sent = pq.read_table(io.BytesIO(body))
    assert table.column_names == ["unit", "at", "cycle", "log_probabilities"]
    for name in beside:
        assert table[name].equals(sent[name])
    as_lines = running.post("application/x-parquet", body, accept="application/jsonlines").body
    first = json.loads(as_lines.splitlines()[0])
    assert first["unit"] == "u0"
    assert first["log_probabilities"] == pytest.approx(wanted[0].tolist())


def test_parquet_lists_may_nest_as_the_input_does(faults):
    running, given, wanted = faults
    nested = pa.array(given["windows"].astype(np.float64).tolist())
    file = io.BytesIO()
    pq.write_table(pa.table({"windows": nested, "valid": given["valid"].astype(np.int16)}), file)
    answer = running.post("application/x-parquet", file.getvalue())
    assert np.array_equal(read("application/x-parquet", answer.body, "log_probabilities"), wanted)


@pytest.mark.parametrize("text", ["+1, .5,1.,1e0", " 1,0.5 ,1 , 1\r"])
def test_csv_need_not_be_json(lines, text):
    running, *_ = lines
    plain = running.post("text/csv", b"1,0.5,1,1").body
    assert running.post("text/csv", text.encode()).body == plain


def test_line_in_line_out_in_the_same_order(lines):
    running, given, wanted = lines
    body = in_csv(given)
    for last in (body, body[:-1]):
        answer = running.post("text/csv", last)
        assert answer.body.endswith(b"\n")
        assert np.array_equal(read("text/csv", answer.body, "y"), wanted)


def test_outputs_of_several_kinds_and_what_is_not_finite(tmp_path):
    with container(save(tmp_path, many())) as running:
        record = {"x": [0.0, 1.5], "flag": True}
        answer = running.post("application/json", orjson.dumps({"instances": [record]}))
        (told,) = json.loads(answer.body)["predictions"]
        assert told == {"total": 1.5, "chosen": True, "logs": [None, np.log(1.5)]}
        answer = running.post("text/csv", b"0,1.5,1\n", accept="text/csv")
        assert answer.body.decode().startswith("1.5,1,-inf,0.405")
        answer = running.post("text/csv", b"0,1.5,1\n", accept="application/x-npz")
        assert np.load(io.BytesIO(answer.body))["logs"][0, 0] == -np.inf
        answer = running.post("text/csv", b"0,1.5,1\n", accept="application/x-npy")
        assert answer.status == 406


ROWS = [
    ("application/jsonlines", b'{"x":[1,2,3,4]}\n{"x":[1,2,3]}\n', "wrong_shape", 1),
    ("application/jsonlines", b'{"x":[1,2,3,4]}\n{"z":1}\n', "missing_input", 1),
    ("application/jsonlines", b'{"x":[1,2,3,4]}\n\n{"x":[1,2,3,4]}\n', "unparsable", 1),
    ("text/csv", b"1,2,3,4\n" * 20 + b"1,2,nan,4\n1,2,3,4\n", "not_finite", 20),
    ("text/csv", b"1,2,3,4\n1,2,3,4\n1,2,3\n", "wrong_shape", 2),
    ("application/json", b'{"instances":[[1,2,3,4],[1,2,3,"4"]]}', "wrong_type", 1),
]


@pytest.mark.parametrize(("kind", "body", "code", "row"), ROWS)
def test_a_refusal_names_the_record(lines, kind, body, code, row):
    answer = lines[0].post(kind, body)
    assert answer.status == 400
    assert (answer.error["code"], answer.error["row"]) == (code, row)


def test_a_null_in_parquet_is_found_in_its_row(faults):
    running, given, _ = faults
    windows = [*list(given["windows"].reshape(COUNT, -1)), None]
    windows[30], windows[COUNT] = windows[COUNT], windows[30]
    table = pa.table({"windows": windows, "valid": [*given["valid"].tolist(), 1]})
    file = io.BytesIO()
    pq.write_table(table, file)
    answer = running.post("application/x-parquet", file.getvalue())
    assert (answer.status, answer.error["row"]) == (400, 30)


def test_padding_counts_are_whole_numbers(faults):
    running, *_ = faults
    record = {"windows": np.ones((STEPS, 5)).tolist(), "valid": 57.0}
    assert running.post("application/jsonlines", orjson.dumps(record)).status == 200
    record["valid"] = 57.5
    assert running.post("application/jsonlines", orjson.dumps(record)).error["code"] == "wrong_type"
