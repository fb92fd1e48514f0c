"""Interleaved rounds: every engine once a round, in turn, so that a slow moment hits all alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True)
class Cost:
    """What one run took: CPU seconds, and the worker's peak memory so far (MB)."""

    cpu: float
    rss: float


@dataclass(frozen=True)
class Ratio:
    """A figure: median, least and most of the ratios of all rounds, and what it should be."""

    name: str
    values: tuple[float, ...]
    target: str
    met: bool | None = None

    @property
    def median(self) -> float:
        """The middle ratio."""
        return statistics.median(self.values)

    def shown(self) -> str:
        """As it stands in the table."""
        return f"{self.median:.2f}  ({min(self.values):.2f} to {max(self.values):.2f})"


def interleaved(
    workers: dict[str, Sequence[str]], rounds: int, warm: int = 1
) -> dict[str, list[Cost]]:
    """Run every worker once a round and return what each round cost.

    Args:
        workers: arguments of ``python -m benchmarks.worker`` by name.
        rounds: counted rounds.
        warm: rounds before, not counted.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in workers}
    environment = dict(os.environ) | ONE_THREAD  # noqa: TID251 - a program's one look at it
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.worker", *arguments],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                    cwd=Path(__file__).resolve().parent.parent,
                )
            )
            for name, arguments in workers.items()
        }  # fmt: skip
        for k in range(warm + rounds):
            for name, worker in running.items():
                answer = _asked(worker)
                if k >= warm:
                    costs[name].append(answer)
        for worker in running.values():
            _pipe(worker.stdin).close()
    return costs


def _asked(worker: subprocess.Popen[str]) -> Cost:
    request = _pipe(worker.stdin)
    request.write("go\n")
    request.flush()
    line = _pipe(worker.stdout).readline()
    if not line:
        raise RuntimeError(f"benchmark worker {worker.args!r} ended")
    return Cost(**json.loads(line))


def _pipe(pipe):  # type: ignore[no-untyped-def]
    if pipe is None:
        raise RuntimeError("the worker has no pipe")
    return pipe


def ratios(over: list[Cost], under: list[Cost]) -> tuple[float, ...]:
    """Round by round, one engine's CPU against another's."""
    return tuple(a.cpu / b.cpu for a, b in zip(over, under, strict=True))
