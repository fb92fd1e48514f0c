"""The inference container against bare ``session.run``: throughput by format, latency under mixed load.

Both run the same model, of the fault model's shape and cost (0.05 GFLOP a record), on one thread and in
batches of 8, the container's own. It is asked by two clients at once, for with one it would wait while
that one writes. Clients, container and bare session share the machine; a round takes each in turn.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import Figure, Ratio
from tests.container_process import Container, ask, container
from tests.onnx_models import fault, records, save

BATCH, COUNT, FEATURES = 8, 128, 66  # as arrays 4.3 MB, of the 6 MB of a real-time request
TARGET = 0.85
IN_FLIGHT, EACH = 2, 2
CLIENTS, REQUESTS = 4, 25


def container_throughput(folder: Path, rounds: int) -> list[Figure]:
    """Records a second through HTTP and through ``session.run``; latency under mixed load."""
    root = save(folder, fault(FEATURES, width=192, layers=6))
    given = records(COUNT, FEATURES)
    session = bare_session(root)
    with container(root) as running:
        figures = [
            _figure(kind, _rounds(running, session, given, kind, body, rounds))
            for kind, body in bodies(given).items()
        ]
        return figures + latencies(running, given)


def bare_session(root: Path) -> Any:
    """The model on one thread, as the container loads it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = str(root / "model" / "model.onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def bodies(given: dict[str, Any]) -> dict[str, bytes]:
    """The same records in every format that holds two inputs."""
    npz, parquet = io.BytesIO(), io.BytesIO()
    np.savez(npz, **given)
    windows = given["windows"].reshape(len(given["valid"]), -1)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(windows.ravel()), windows.shape[1])
    table = pa.table({"windows": lists, "valid": given["valid"]})
    # measured values seldom repeat: without a dictionary, as float columns are best written
    pq.write_table(table, parquet, use_dictionary=False, compression="none")
    lines = [_line(*record) for record in zip(given["windows"], given["valid"], strict=True)]
    rows = [
        orjson.dumps(window, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b",%d\n" % valid
        for window, valid in zip(windows, given["valid"], strict=True)
    ]
    return {
        "application/x-npz": npz.getvalue(),
        "application/x-parquet": parquet.getvalue(),
        "application/jsonlines": b"".join(lines),
        "text/csv": b"".join(rows),
    }


def _line(window: Any, valid: Any) -> bytes:
    record = {"windows": window, "valid": int(valid)}
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"


def _rounds(
    running: Container, session: Any, given: dict[str, Any], kind: str, body: bytes, rounds: int
) -> list[tuple[float, float]]:
    """Throughput of the container over that of the session, by wall clock and by CPU, a round each."""
    served = psutil.Process(running.process.pid)
    own = psutil.Process()

    def bare() -> None:
        for k in range(0, COUNT, BATCH):
            session.run(None, {name: array[k : k + BATCH] for name, array in given.items()})

    def served_once() -> None:
        answer = running.post(kind, body)
        if answer.status != 200:
            raise RuntimeError(f"{kind}: {answer.body[:300]!r}")

    def kept_busy() -> None:
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for asked in [pool.submit(served_once) for _ in range(IN_FLIGHT * EACH)]:
                asked.result()

    found = []
    for k in range(rounds + 1):
        wall, cpu = _spent(bare, own)
        wall_served, cpu_served = _spent(kept_busy, served)
        if k:  # the first warms up
            requests = IN_FLIGHT * EACH
            found.append((requests * wall / wall_served, requests * cpu / cpu_served))
    return found


def _spent(work: Callable[[], None], process: psutil.Process) -> tuple[float, float]:
    before, start = process.cpu_times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, process.cpu_times()
    return wall, after.user + after.system - before.user - before.system


def _figure(kind: str, found: list[tuple[float, float]]) -> Figure:
    cpu = Ratio.of([each for _, each in found])
    return Figure(
        f"container / session.run, records a second, {kind}",
        Ratio.of([each for each, _ in found]),
        "at least",
        TARGET,
        note=f"wall clock, {IN_FLIGHT} clients, {COUNT} records a request, batch {BATCH}; "
        f"by CPU {cpu.median:.2f}",
    )


def latencies(running: Container, given: dict[str, Any]) -> list[Figure]:
    """Median and 99th percentile, in ms, of small requests from several clients at once."""
    lines = [_line(*record) for record in zip(given["windows"], given["valid"], strict=True)]

    def client(seed: int) -> list[float]:
        rng, took = np.random.default_rng(seed), []
        connection = running.connect()
        for _ in range(REQUESTS):
            body = b"".join(lines[: rng.choice([1, 1, 1, 4, 16])])
            start = time.perf_counter()
            ask(connection, "POST", "/invocations", body, content_type="application/jsonlines")
            took.append((time.perf_counter() - start) * 1e3)
        connection.close()
        return took

    with ThreadPoolExecutor(CLIENTS) as pool:
        took = [each for mine in pool.map(client, range(CLIENTS)) for each in mine]
    note = f"{CLIENTS} clients without pause, JSON lines, requests of 1, 4 and 16 records"
    return [
        Figure(f"container, {name} of a request", Ratio.of([float(value)]), unit="ms", note=note)
        for name, value in zip(("p50", "p99"), np.percentile(took, [50, 99]), strict=True)
    ]
