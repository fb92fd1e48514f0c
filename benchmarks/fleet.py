"""A fleet scored end to end: features of every unit, its last window, the model, Parquet.

Two processes share the fleet, one thread each; together they use two cores. The limit is what the same
processes reach in a float32 matrix product, so a share of 1 would be a model at the speed of GEMM and
features for nothing. Shares are taken by CPU time, windows a second by wall clock.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from benchmarks.figures import Figure, Ratio
from benchmarks.inference import FEATURES, LAYERS, WIDTH, WINDOW, any_standard, perturbed
from cycles.history import Past, fit_past, last_window
from jobs.training.export import export
from jobs.training.model import FEEDFORWARD
from signalbox.adapters.onnx_model import BATCH, OnnxModel

UNITS, QUICK_UNITS, MANY_ROUNDS = 10_000, 1_000, 10
CYCLES, HISTORIES = 600, 64
PROCESSES, SIDE = 2, 2048
SHARES = {"fleet": "end to end", "forward": "the model alone"}


def fleet(folder: Path, rounds: int) -> list[Figure]:
    """Units scored end to end on two cores, and the share of the GEMM limit that they reach."""
    units, turns = (UNITS, 3) if rounds >= MANY_ROUNDS else (QUICK_UNITS, rounds)
    path = folder / "model.onnx"
    export(perturbed(), any_standard(), FEATURES, path)
    cores = sorted(psutil.Process().cpu_affinity())[:PROCESSES]
    spawn = multiprocessing.get_context("spawn")
    pipes = [spawn.Pipe() for _ in cores]
    workers = [
        spawn.Process(target=work, args=(told, core, path, folder / f"{core}.parquet"), daemon=True)
        for core, (_, told) in zip(cores, pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    asked = [mine for mine, _ in pipes]
    each = units // len(cores)
    done = each * len(cores)
    spent: dict[str, list[float]] = {"gemm": [], "forward": [], "fleet": []}
    walls: list[float] = []
    try:
        for k in range(turns + 1):
            for name, seconds in spent.items():
                start = time.perf_counter()
                took = together(asked, name, each if k else 4 * BATCH)
                if k:  # the first warms up
                    seconds.append(took)
                    if name == "fleet":
                        walls.append(time.perf_counter() - start)
    finally:
        for pipe in asked:
            pipe.send(None)
        for worker in workers:
            worker.join()
    written = sum(pq.read_metadata(folder / f"{core}.parquet").num_rows for core in cores)
    if written != done:
        raise ValueError(f"{written} probabilities were written, of {done} units")
    limit = [len(cores) * 2 * SIDE**3 / each for each in spent["gemm"]]  # FLOP a second of CPU
    return [
        Figure(
            f"share of the GEMM limit, {SHARES[name]}",
            Ratio.of([done * flop() / took / most for took, most in zip(spent[name], limit, strict=True)]),
            note=f"{flop() / 1e6:.1f} MFLOP a window of width {WIDTH}; "
            f"GEMM {SIDE}^3 {Ratio.of(limit).median / 1e9:.0f} GFLOP/s a core",
        )
        for name in SHARES
    ] + [
        Figure(
            f"{done} units scored on {len(cores)} cores",
            Ratio.of([done / took for took in walls]),
            unit="windows/s",
            note=f"wall clock, {turns} rounds; features of {CYCLES} cycles x {FEATURES}, batch {BATCH}",
        )
    ]  # fmt: skip


def flop(width: int = WIDTH) -> int:
    """Of the matrix products of one window; all else (softmax, norms) is not counted."""
    attention = (
        WINDOW * width * 4 * width + 2 * WINDOW * WINDOW * width
    )  # projections, two products
    forward_part = 2 * WINDOW * width * FEEDFORWARD * width
    head = width * width + width * (width // 2) + width // 2 * 2
    return 2 * (WINDOW * 2 * FEATURES * width + LAYERS * (attention + forward_part) + head)


def together(pipes: list[Connection], name: str, count: int) -> float:
    """CPU time of all processes, each of which does its part."""
    for pipe in pipes:
        pipe.send((name, count))
    return sum(float(pipe.recv()) for pipe in pipes)


def work(told: Connection, core: int, model: Path, out: Path) -> None:
    """One process: does what it is asked for until it is asked for nothing."""
    psutil.Process().cpu_affinity([core])
    scorer = Scorer(model)
    square = np.random.default_rng(4).standard_normal((SIDE, SIDE), np.float32)
    with threadpool_limits(1):
        while (asked := told.recv()) is not None:
            name, count = asked
            start = time.process_time()
            if name == "gemm":
                np.matmul(square, square)
            elif name == "forward":
                scorer.forward(count)
            else:
                scorer.score(count, out)
            told.send(time.process_time() - start)


class Scorer:
    """Units whose histories repeat after a while, so that memory stays small."""

    def __init__(self, model: Path) -> None:
        self.model = OnnxModel.open(model, threads=1)
        self.histories, self.past = histories()
        self.ready = windows_of(self.past, self.histories[:BATCH])

    def score(self, units: int, out: Path) -> None:
        """From cycles to probabilities on disk, a batch at a time."""
        schema = pa.schema({"unit": pa.int64(), "probability": pa.float32()})
        with pq.ParquetWriter(out, schema) as writer:
            rows = []
            for numbers in batches(units):
                cycles = [self.histories[k % HISTORIES] for k in numbers]
                told = self.model.log_probabilities(*windows_of(self.past, cycles))
                rows.append(pa.record_batch([numbers, np.exp(told[:, 1])], schema=schema))
            writer.write_table(pa.Table.from_batches(rows))

    def forward(self, units: int) -> None:
        """The model alone, on windows that are there already."""
        windows, valid = self.ready
        for numbers in batches(units):
            self.model.log_probabilities(windows[: len(numbers)], valid[: len(numbers)])


def batches(units: int) -> Iterator[npt.NDArray[np.int64]]:
    """Numbers of the units of each batch."""
    for k in range(0, units, BATCH):
        yield np.arange(k, min(k + BATCH, units))


def windows_of(past: Past, cycles: list[Any]) -> tuple[npt.NDArray[np.float32], Any]:
    """Features of each unit's whole history, and its last window."""
    found = [last_window(past.features(each), WINDOW) for each in cycles]
    return np.stack([window for window, _ in found]), np.array([real for _, real in found])


def histories() -> tuple[list[npt.NDArray[np.float32]], Past]:
    """Cycles of some units, (CYCLES, FEATURES) each with readings missing, and what they teach.

    The baseline is of the shipped workload's kind: weather and load explained, in two modes.
    """
    rng = np.random.default_rng(3)
    told = []
    for _ in range(HISTORIES):
        each = rng.standard_normal((CYCLES, FEATURES), np.float32) + rng.standard_normal(FEATURES)
        each[rng.random(each.shape) < 0.01] = np.nan
        each[:, -1] = rng.random(CYCLES) < 0.5
        told.append(each.astype(np.float32))
    columns = [f"c{k:02}" for k in range(FEATURES)]
    baseline = {
        "compare": ["own"], "reference": 400, "smooth": 60, "lag": 60, "age": False,
        "conditions": columns[:4], "mode": columns[-1],
    }  # fmt: skip
    healthy = [np.ones(CYCLES, np.bool_)] * HISTORIES
    return told, fit_past(told, healthy, columns, baseline)
