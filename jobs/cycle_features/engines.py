"""Two ways to run the same work over many items: here, or on Spark.

Spark is handed names, not rows: each task opens its own files and calls the kernel that the embedded
engine calls. Shuffling the readings through ``groupBy().applyInPandas`` costs an order of magnitude
more. Sources: PySpark API, ``DataFrame.mapInArrow``; Apache Spark 3.5 as Glue 5.1 ships it.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

Item = dict[str, Any]
Work = Callable[[Iterable[Item]], Iterator[Item]]
Engine = Callable[[Work, Sequence[Item]], Iterator[Item]]

ITEMS_A_TASK = 16
TASKS_A_WAVE = 64  # progress is told, and a killed run loses, at most a wave


def engine_named(name: str) -> Engine:
    """Choose the engine: ``embedded``, ``spark``, or ``auto``, which is Spark inside Glue only."""
    inside_glue = importlib.util.find_spec("awsglue") is not None
    chosen = ("spark" if inside_glue else "embedded") if name == "auto" else name
    return {"embedded": embedded, "spark": spark}[chosen]


def embedded(work: Work, items: Sequence[Item]) -> Iterator[Item]:
    """Run the work here, item after item."""
    yield from work(items)


def spark(work: Work, items: Sequence[Item]) -> Iterator[Item]:
    """Run the work as Spark tasks over the items, in waves; outcomes come back in no set order."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.appName("cycle_features").getOrCreate()
    wave = ITEMS_A_TASK * TASKS_A_WAVE
    for start in range(0, len(items), wave):
        part = [(json.dumps(item),) for item in items[start : start + wave]]
        tasks = max(session.sparkContext.defaultParallelism, -(-len(part) // ITEMS_A_TASK))
        frame = session.createDataFrame(part, "item string").repartition(min(tasks, len(part)))
        for row in frame.mapInArrow(_task(work), "outcome string").collect():
            yield json.loads(row.outcome)


def _task(work: Work) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            items = [json.loads(text) for text in batch.column(0).to_pylist()]
            outcomes = [json.dumps(outcome) for outcome in work(items)]
            yield pa.RecordBatch.from_arrays([pa.array(outcomes, pa.string())], ["outcome"])

    return run
