"""The work of a backfill over many files by one engine, in a process of its own; prints what it cost.

CPU is that of the whole process tree: this one, Spark's JVM, its Python daemon and workers. Linux counts
of each live process its own time, and that of its children which ended and were waited for; so the sum of
both over the processes that are alive counts every one once, those that ended among them. It is taken
when the engine is up and again when the work is done, while JVM and daemon are still there. Up means that
it has answered once, for one file: a session that has compiled no query yet is not up, nor is a process
that has not imported the kernel.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.engines import Task
from cycles import CycleSpec, cut
from jobs.cycle_features.engines import engine_named

Item = dict[str, Any]


def cut_paths(workload: dict[str, Any], items: Iterable[Item]) -> Iterator[Item]:
    """Open each path and cut it; what a task of the Glue program does with its file once it has it."""
    spec = CycleSpec.from_mapping(workload)
    for item in items:
        path = Path(item["path"])
        yield {"path": item["path"], "cycles": cut(path, spec, f"raw/bench/{path.name}").closed}


def tree_cpu_s() -> float:
    """CPU time so far of this process and all that descend from it, in seconds."""
    here = psutil.Process()
    total = 0.0
    for process in [here, *here.children(recursive=True)]:
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def start_spark() -> None:
    """Start the session that the engine will find: one core, as the embedded engine has.

    Two tasks at once on two halves of one core would each take longer, which is not Spark's doing.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.memory", "1g").config("spark.log.level", "ERROR")
    builder.getOrCreate()


def main(engine: str, folder: Path) -> None:
    """Cut every Parquet file in the folder by the engine and print the cost as JSON."""
    task = Task.read(folder)
    items = [{"path": str(path)} for path in sorted((folder / "days").iterdir())]
    before = tree_cpu_s()
    if engine == "spark":
        start_spark()
    run, work = engine_named(engine), partial(cut_paths, task.workload)
    list(run(work, items[:1]))
    ready, wall = tree_cpu_s(), time.perf_counter()
    outcomes = list(run(work, items))
    told = {
        "start_cpu_s": ready - before,
        "cpu_s": tree_cpu_s() - ready,
        "wall_s": time.perf_counter() - wall,
        "files": len(outcomes),
        "cycles": sum(outcome["cycles"] for outcome in outcomes),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
