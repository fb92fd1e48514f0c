"""Taking turns: every contender does its work once a round, and ratios are taken within rounds.

What a round costs is CPU time, user and system, of all threads. Each contender lives in a process of its
own from the first round to the last, so neither imports nor another's memory is counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.figures import Ratio

WARM_UP = 2


@dataclass(frozen=True)
class Cost:
    """One run: CPU and wall time in seconds, the process's peak memory so far in MB."""

    cpu_s: float
    wall_s: float
    rss_mb: float


class Worker:
    """An engine of :mod:`benchmarks.engines` in a process of its own.

    Args:
        engine: its name.
        folder: where its task is.
        threads: threads that Polars may use.
    """

    def __init__(self, engine: str, folder: Path, threads: int = 1) -> None:
        command = [
            "/usr/bin/env", f"POLARS_MAX_THREADS={threads}",
            sys.executable, "-m", "benchmarks.worker", engine, str(folder),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self) -> Cost:
        """Let it do its work once."""
        asked, told = self._process.stdin, self._process.stdout
        if asked is None or told is None:
            raise RuntimeError("a worker is started with pipes")
        asked.write("\n")
        asked.flush()
        line = told.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r}: ended with {self._process.wait()}")
        return Cost(**json.loads(line))


def take_turns(contenders: Mapping[str, tuple[str, Path]], rounds: int) -> dict[str, list[Cost]]:
    """Run engines round by round.

    Args:
        contenders: name of each, with its engine and the folder of its task.
        rounds: how many count; a few before them warm up caches and allocators.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(engine, folder))
            for name, (engine, folder) in contenders.items()
        }
        for k in range(WARM_UP + rounds):
            for name, worker in workers.items():
                cost = worker.run()
                if k >= WARM_UP:
                    costs[name].append(cost)
    return costs


def ratio(of: Sequence[Cost], to: Sequence[Cost]) -> Ratio:
    """CPU of one over CPU of another, round by round."""
    return Ratio.of([a.cpu_s / b.cpu_s for a, b in zip(of, to, strict=True)])
