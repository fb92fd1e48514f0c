"""The container as SageMaker meets it: start, load, large bodies, bad clients, failing models, stop."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
import orjson
import pytest

from tests.conftest import ROOT
from tests.container_process import COMMAND, answered, ask, container
from tests.malformed import KINDS, malformed, send
from tests.onnx_models import fault, linear, records, save, table

LINES = "application/jsonlines"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return save(tmp_path_factory.mktemp("fault"), fault())


@pytest.fixture(scope="module")
def running(root):
    with container(root) as started:
        yield started


def written(given):
    pairs = zip(given["windows"], given["valid"], strict=True)
    told = [{"windows": window.tolist(), "valid": int(valid)} for window, valid in pairs]
    return [orjson.dumps(record) + b"\n" for record in told]


def predicted(body):
    return np.array([json.loads(line)["log_probabilities"] for line in body.splitlines()])


def test_ping_and_execution_parameters(running):
    assert running.call("GET", "/ping", X_Amzn_SageMaker_Custom_Attributes="any").status == 200
    told = json.loads(running.call("GET", "/execution-parameters").body)
    assert told == {
        "MaxConcurrentTransforms": 4, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6,
    }  # fmt: skip


def test_batch_transforms_variables_are_told_back(root):
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
    }
    with container(root, **told) as running:
        answer = json.loads(running.call("GET", "/execution-parameters").body)
        assert (answer["MaxPayloadInMB"], answer["MaxConcurrentTransforms"]) == (1, 2)
        line = written(records(1))[0]
        over = line * (2**20 // len(line) + 1)
        for body in (over, iter([over[: 2**19], over[2**19 :]])):  # announced, and in chunks
            answer = running.post(LINES, body)
            assert (answer.status, answer.error["code"]) == (413, "too_large")
        assert running.post(LINES, over[: len(line) * 9]).status == 200


def test_concurrent_requests_of_all_sizes_each_get_their_own_answer(running, root):
    given = records(60)
    lines = written(given)
    session = onnxruntime.InferenceSession(str(root / "model" / "model.onnx"))
    wanted = session.run(None, given)[0]
    rng = np.random.default_rng(2)
    cuts = [sorted(rng.integers(0, 60, 2)) for _ in range(120)]
    cuts = [(int(a), int(b) + 1) for a, b in cuts]

    def work(mine):
        connection = running.connect()
        got = [
            ask(connection, "POST", "/invocations", b"".join(lines[a:b]), content_type=LINES)
            for a, b in mine
        ]
        connection.close()
        return got

    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(work, [cuts[k::8] for k in range(8)]))
    for k, share in enumerate(shares):
        for (a, b), answer in zip(cuts[k::8], share, strict=True):
            assert answer.status == 200
            # another batch may round the last bit differently
            np.testing.assert_allclose(predicted(answer.body), wanted[a:b], rtol=1e-5)


@pytest.mark.parametrize("kind", [LINES, "text/csv"])
def test_a_large_body_takes_memory_by_the_batch(root, kind):
    given = records(64)
    lines = written(given)
    if kind == "text/csv":
        flat = np.hstack([given["windows"].reshape(64, -1), given["valid"][:, None]])
        lines = [",".join(map(repr, row)).encode() + b"\n" for row in flat.tolist()]
    block = b"".join(lines)
    blocks = 60 * 2**20 // len(block)
    with container(root) as running:
        small = running.post(kind, block)
        assert small.status == 200
        before = peak_mb(running.process.pid)
        # http.client sends an iterable of unknown length in chunks
        answer = running.post(kind, (block for _ in range(blocks)))
        grown = peak_mb(running.process.pid) - before
    assert answer.status == 200
    assert answer.body == small.body * blocks
    assert grown < 12, f"{grown:.1f} MB more for a body of 60 MB"


def peak_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_refusal_at_the_end_of_a_large_body_has_its_status_and_row(running):
    lines = written(records(20)) * 20
    answer = running.post(LINES, b"".join(lines) + b'{"valid":1}\n')
    assert (answer.status, answer.error["code"], answer.error["row"]) == (400, "missing_input", 400)


def test_an_endless_line_is_refused_before_it_ends(running):
    piece = b'{"windows":[[' + b" " * 2**20
    answer = running.post(LINES, iter([piece, piece]))
    assert (answer.status, answer.error["code"]) == (413, "record_too_large")


def test_malformed_requests_are_all_refused_in_words(running):
    for request in islice(malformed(seed=11), max(300, KINDS)):
        answer = send(running.port, request)
        assert answer.status == request.status, (request.kind, answer)
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.error) <= {"code", "message", "row"}, request.kind
        assert "Traceback" not in answer.error["message"]
    assert running.call("GET", "/ping").status == 200
    assert running.process.poll() is None
    assert not [line for line in running.log if "Traceback" in line]


def test_sigterm_finishes_what_is_in_flight(root):
    lines = written(records(40))
    with (
        container(root) as running,
        closing(running.connect()) as slow,
        closing(running.connect()) as idle,
    ):
        idle.connect()
        slow.putrequest("POST", "/invocations")
        slow.putheader("Content-Type", LINES)
        slow.putheader("Transfer-Encoding", "chunked")
        slow.endheaders(b"%x\r\n%b\r\n" % (len(lines[0]), lines[0]))
        assert running.call("GET", "/ping").status == 200  # both connections were accepted before
        running.process.terminate()
        assert idle.sock.recv(1) == b""  # so it has begun to stop
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port))
        rest = b"".join(lines[1:])
        slow.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))
        answer = answered(slow)
        assert (answer.status, len(answer.body.splitlines())) == (200, 40)
        assert answer.headers["connection"] == "close"
        assert running.process.wait(30) == 0


def test_bad_clients_are_let_go_and_stop_nobody(tmp_path):
    with container(save(tmp_path, linear()), SIGNALBOX_STALLED_S="0.5") as running:
        halves = [
            b"",
            b"POST /invoc",
            b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Le",
            b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 99\r\n\r\n1,2,",
        ]
        connections = [socket.create_connection(("127.0.0.1", running.port), 60) for _ in halves]
        for connection, half in zip(connections, halves, strict=True):
            connection.sendall(half)
        gone = running.connect()
        gone.putrequest("POST", "/invocations")
        gone.putheader("Content-Length", "1000")
        gone.endheaders(b"1,2,3,4\n")
        gone.close()
        assert running.call("GET", "/ping").status == 200
        assert running.post("text/csv", b"1,2,3,4\n").status == 200
        told = [drained(connection) for connection in connections]
        assert told[:3] == [b"", b"", b""]
        assert told[3].startswith(b"HTTP/1.1 408 ")
        assert running.call("GET", "/ping").status == 200


def drained(connection):
    got = b""
    try:
        while piece := connection.recv(2**16):
            got += piece
    except ConnectionResetError:
        pass  # cut off, which is what is wanted
    finally:
        connection.close()
    return got


def test_a_client_that_does_not_read_is_cut_off(tmp_path):
    with container(save(tmp_path, linear()), SIGNALBOX_STALLED_S="0.5") as running:
        line = orjson.dumps({"x": [1, 2, 3, 4], "note": "a" * 500_000}) + b"\n"
        size = len(line) * 60
        with socket.socket() as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.connect(("127.0.0.1", running.port))
            head = f"POST /invocations HTTP/1.1\r\nContent-Type: {LINES}\r\nContent-Length: {size}\r\n\r\n"
            lazy.sendall(head.encode())
            for _ in range(60):
                lazy.sendall(line)
            # the line in the log is what says that the time is over
            while not any("stopped reading" in told for told in running.log):
                assert running.call("GET", "/ping").status == 200
            assert len(drained(lazy)) < size


def test_a_record_the_model_cannot_take_is_its_callers_fault(tmp_path):
    with container(save(tmp_path, table())) as running:
        answer = running.post("text/csv", b"0\n1\n9\n2\n")
        assert (answer.status, answer.error["code"], answer.error["row"]) == (
            422,
            "record_refused",
            2,
        )
        assert "indices element out of data bounds" in answer.error["message"]
        assert running.call("GET", "/ping").status == 200
        assert running.post("text/csv", b"3\n").body == b"6.0,7.0\n"


def test_a_model_that_fails_is_not_well_until_it_runs_again(tmp_path):
    with container(save(tmp_path, table(offset=1000))) as running:
        assert running.call("GET", "/ping").status == 500
        answer = running.post("text/csv", b"1\n")
        assert (answer.status, answer.error["code"]) == (500, "model_failed")
        assert running.post("text/csv", b"-1000\n").status == 200
        assert running.call("GET", "/ping").status == 200
        assert running.post("text/csv", b"1\n").status == 500
        assert running.call("GET", "/ping").status == 500


def refused_start(root, *arguments, **settings):
    given = {"SIGNALBOX_ML_ROOT": str(root), "SIGNALBOX_HOST": "127.0.0.1", "SIGNALBOX_PORT": "0"}
    done = subprocess.run(
        [*COMMAND[:3], *(arguments or ["serve"])], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **given, **settings}, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_it_does_not_fall_back_to_the_cpu_in_silence(tmp_path):
    root = save(tmp_path, linear())
    code, told = refused_start(root, SIGNALBOX_DEVICE="cuda", CUDA_VISIBLE_DEVICES="")
    assert code == 3
    assert "SIGNALBOX_DEVICE=cuda, but onnxruntime fell back to CPUExecutionProvider" in told
    with container(
        root, SIGNALBOX_DEVICE="cuda", CUDA_VISIBLE_DEVICES="", SIGNALBOX_ALLOW_CPU="1"
    ) as running:
        assert running.call("GET", "/ping").status == 200


@pytest.mark.parametrize(
    ("argument", "settings", "code", "words"),
    [
        ("serve", {}, 3, "no such file"),
        ("serve", {"SIGNALBOX_BATCH": "many"}, 3, "SIGNALBOX_BATCH is 'many'"),
        ("train", {}, 2, "can only 'serve'"),
    ],
)
def test_it_says_in_one_line_why_it_does_not_start(tmp_path, argument, settings, code, words):
    ended, told = refused_start(tmp_path, argument, **settings)
    assert ended == code
    assert words in told
