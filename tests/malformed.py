"""Requests the inference container must refuse, of every kind and seeded, for the fault model's inputs."""

from __future__ import annotations

import http.client
import io
import json
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.container_process import Answer
from tests.onnx_models import FEATURES, STEPS

WIDTH = STEPS * FEATURES + 1


@dataclass(frozen=True)
class Malformed:
    """A request as it goes over the wire, what it is, and the status it must get."""

    kind: str
    wire: bytes
    status: int


def send(port: int, request: Malformed) -> Answer:
    """Send it on a connection of its own and read the answer."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(request.wire)
        response = http.client.HTTPResponse(connection)
        response.begin()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, response.read())


def malformed(seed: int) -> Iterator[Malformed]:
    """Without end: each kind in turn, its details by chance."""
    rng = random.Random(seed)
    while True:
        for kind, make in _KINDS.items():
            status, head, body = make(rng)
            yield Malformed(kind, head + body, status)


_Made = tuple[int, bytes, bytes]


def _post(content_type: str, body: bytes, *extra: str) -> tuple[bytes, bytes]:
    lines = ["POST /invocations HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, *extra, "", ""]).encode(), body


def _numbers(rng: random.Random, count: int = WIDTH) -> list[float]:
    return [round(rng.uniform(-9, 9), 3) for _ in range(count)]


def _record(rng: random.Random) -> dict[str, Any]:
    numbers = _numbers(rng, STEPS * FEATURES)
    rows = [numbers[k : k + FEATURES] for k in range(0, len(numbers), FEATURES)]
    return {"windows": rows, "valid": rng.randint(1, STEPS), "unit": "u1"}


def _csv(change: Callable[[random.Random, list[str]], None]) -> Callable[[random.Random], _Made]:
    def make(rng: random.Random) -> _Made:
        good = ",".join(map(str, [*_numbers(rng, WIDTH - 1), 5]))
        fields = good.split(",")
        change(rng, fields)
        lines = [good] * rng.randint(0, 3) + [",".join(fields)]
        return 400, *_post("text/csv", "\n".join(lines).encode())

    return make


def _json(
    change: Callable[[random.Random, dict[str, Any]], Any],
) -> Callable[[random.Random], _Made]:
    def make(rng: random.Random) -> _Made:
        record = _record(rng)
        record = change(rng, record) or record
        if rng.random() < 0.5:
            return 400, *_post("application/json", json.dumps({"instances": [record]}).encode())
        good = json.dumps(_record(rng))
        lines = [good] * rng.randint(0, 2) + [json.dumps(record)]
        return 400, *_post("application/jsonlines", "\n".join(lines).encode())

    return make


def _cut(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randint(1, len(body) - 2)]


def _npz(rng: random.Random, **arrays: Any) -> bytes:
    file = io.BytesIO()
    count = rng.randint(1, 4)
    given = {"windows": np.ones((count, STEPS, FEATURES)), "valid": np.ones(count, int)} | arrays
    np.savez(file, **{name: array for name, array in given.items() if array is not None})
    return file.getvalue()


def _parquet(rng: random.Random, **columns: Any) -> bytes:
    file = io.BytesIO()
    count = rng.randint(1, 4)
    windows = [_numbers(rng, WIDTH - 1) for _ in range(count)]
    given = {"windows": windows, "valid": [3] * count}
    given |= {name: make(windows) if callable(make) else make for name, make in columns.items()}
    pq.write_table(pa.table({n: c for n, c in given.items() if c is not None}), file)
    return file.getvalue()


def _binary(
    kind: str, make: Callable[[random.Random], bytes], status: int = 400
) -> Callable[[random.Random], _Made]:
    return lambda rng: (status, *_post(f"application/x-{kind}", make(rng)))


def _raw(status: int, *wires: bytes) -> Callable[[random.Random], _Made]:
    return lambda rng: (status, rng.choice(wires), b"")


def _set(name: str, value: Any) -> Callable[[random.Random, dict[str, Any]], None]:
    return lambda rng, record: record.update({name: value})


def _one(value: Any) -> Callable[[random.Random, dict[str, Any]], None]:
    """Another value for one number of the windows."""

    def change(rng: random.Random, record: dict[str, Any]) -> None:
        record["windows"][rng.randrange(STEPS)][rng.randrange(FEATURES)] = value

    return change


def _field(text: str) -> Callable[[random.Random, list[str]], None]:
    return lambda rng, fields: fields.__setitem__(rng.randrange(WIDTH - 1), text)


_KINDS: dict[str, Callable[[random.Random], _Made]] = {
    "csv: a field short": _csv(lambda rng, fields: fields.__delitem__(rng.randrange(WIDTH))),
    "csv: fields over": _csv(lambda rng, fields: fields.extend(["1"] * rng.randint(1, 9))),
    "csv: text": _csv(_field("abc")),
    "csv: nothing in a field": _csv(_field("")),
    "csv: a list": _csv(_field("[1]")),
    "csv: nan": _csv(_field("nan")),
    "csv: infinity": _csv(_field("-inf")),
    "csv: beyond float32": _csv(_field("1e39")),
    "csv: valid not whole": _csv(lambda rng, fields: fields.__setitem__(-1, "1.5")),
    "csv: no bytes": lambda rng: (400, *_post("text/csv", b"")),
    "csv: an empty line": lambda rng: (400, *_post("text/csv", b"\n" * rng.randint(1, 5))),
    "csv: noise": lambda rng: (400, *_post("text/csv", rng.randbytes(rng.randint(1, 5000)))),
    "json: windows missing": _json(lambda rng, record: record.__delitem__("windows")),
    "json: valid missing": _json(lambda rng, record: record.__delitem__("valid")),
    "json: a row short": _json(lambda rng, record: record["windows"].pop()),
    "json: ragged": _json(
        lambda rng, record: record["windows"][3].append(record["windows"][4].pop())
    ),
    "json: flat": _json(_set("windows", [1.0] * (STEPS * FEATURES))),
    "json: null": _json(_one(None)),
    "json: text": _json(_one("5")),
    "json: true": _json(_one(True)),
    "json: a list in place of a number": _json(_one([1.0])),
    "json: nan": _json(_one(float("nan"))),
    "json: infinity": _json(_one(float("inf"))),
    "json: beyond float32": _json(_one(1e39)),
    "json: beyond everything": _json(_one(10**400)),
    "json: valid is text": _json(_set("valid", "57")),
    "json: valid not whole": _json(_set("valid", 1.5)),
    "json: valid is a list": _json(_set("valid", [1])),
    "json: valid beyond 64 bits": _json(_set("valid", 2**70)),
    "json: an output's name": _json(_set("log_probabilities", [0, 0])),
    "json: beside it an endless number": _json(_set("unit", 10**30)),
    "json: no object": _json(lambda rng, record: rng.choice([[1, 2], 5, "a", True])),
    "json: cut off": lambda rng: (
        400, *_post("application/jsonlines", _cut(rng, json.dumps(_record(rng)).encode())),
    ),
    "json: noise": lambda rng: (
        400, *_post("application/json", rng.randbytes(rng.randint(1, 5000))),
    ),
    "json: deep": lambda rng: (
        400, *_post("application/jsonlines", b'{"windows":' + b"[" * rng.randint(2000, 99_999)),
    ),
    "json: no instances": lambda rng: (
        400, *_post("application/json", rng.choice([b"{}", b"[]", b"5", b'{"instances":{}}'])),
    ),
    "json: empty instances": lambda rng: (400, *_post("application/json", b'{"instances":[]}')),
    "npz: noise": _binary("npz", lambda rng: rng.randbytes(rng.randint(1, 5000))),
    "npz: cut off": _binary("npz", lambda rng: _cut(rng, _npz(rng))),
    "npz: missing": _binary("npz", lambda rng: _npz(rng, valid=None)),
    "npz: unlike records": _binary("npz", lambda rng: _npz(rng, valid=np.ones(9, int))),
    "npz: wrong shape": _binary("npz", lambda rng: _npz(rng, windows=np.ones((2, 3)))),
    "npz: objects": _binary("npz", lambda rng: _npz(rng, valid=np.array([{}, 1], object))),
    "npz: nan": _binary(
        "npz", lambda rng: _npz(rng, windows=np.full((2, STEPS, FEATURES), np.nan), valid=[1, 1])
    ),
    "npy: two inputs": _binary("npy", lambda rng: rng.randbytes(50), 415),
    "parquet: noise": _binary("parquet", lambda rng: rng.randbytes(rng.randint(1, 5000))),
    "parquet: cut off": _binary("parquet", lambda rng: _cut(rng, _parquet(rng))),
    "parquet: missing": _binary("parquet", lambda rng: _parquet(rng, valid=None)),
    "parquet: short": _binary(
        "parquet", lambda rng: _parquet(rng, windows=lambda rows: [row[1:] for row in rows])
    ),
    "parquet: null": _binary(
        "parquet", lambda rng: _parquet(rng, windows=lambda rows: [*rows[1:], None])
    ),
    "parquet: text": _binary(
        "parquet", lambda rng: _parquet(rng, valid=lambda rows: ["x"] * len(rows))
    ),
    "parquet: nan": _binary(
        "parquet",
        lambda rng: _parquet(rng, windows=lambda rows: [[float("nan")] * len(r) for r in rows]),
    ),
    "http: content type": lambda rng: (
        415, *_post(rng.choice(["", "text/plain", "image/png", "application/xml"]), b"1"),
    ),
    "http: accept": lambda rng: (406, *_post("text/csv", b"1", "Accept: image/png")),
    "http: compressed": lambda rng: (415, *_post("text/csv", b"1", "Content-Encoding: gzip")),
    "http: path": _raw(
        404, *(b"GET /%s HTTP/1.1\r\n\r\n" % path for path in (b"", b"a", b"..%2f", b"ping/"))
    ),
    "http: method": _raw(
        405, b"DELETE /invocations HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /ping HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    "http: announced too large": _raw(
        413, b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 99999999999\r\n\r\n"
    ),
    "http: length": _raw(
        400,
        *(
            b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: %s\r\n\r\n" % length
            for length in (b"-5", b"abc", b"5, 6", b"0x10", b"9" * 40)
        ),
    ),
    "http: chunks": _raw(
        400,
        *(
            b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + rest
            for rest in (b"zz\r\n", b"1\r\n1zz")
        ),
    ),
    "http: no request": _raw(
        400, b"\x16\x03\x01\x02\x00\r\n\r\n", b"HELLO\r\n\r\n", b"GET /ping FTP/9\r\n\r\n"
    ),
    "http: header": _raw(
        400, *(b"GET /ping HTTP/1.1\r\n%b\r\n\r\n" % header for header in (b"bad header", b": x"))
    ),
}  # fmt: skip
KINDS = len(_KINDS)
