"""Chains a second through the local cloud: a sensor file in, CycleFeaturesReady out.

The files are small, so what is seen is the cloud: event, rule, queue, invocation, fragment, own event.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from moto.core.botocore_stubber import BotocoreStubber

from benchmarks.figures import Figure, Ratio
from cli.chain import running
from localcloud import EXECUTORS, Cloud
from simulator.fleet import Fleet

FILES_A_ROUND, ROWS = 10, 2_000
DAY = date(2024, 7, 16)


def chains(folder: Path, rounds: int) -> list[Figure]:
    """Small sensor files through the whole local cloud, under both executors in turns."""
    fleet = Fleet(units=1, start=DAY, days=1)
    path, unit = folder / "hours.parquet", fleet.units[0]
    pq.write_table(fleet.raw_day(unit, DAY).slice(0, ROWS), path)
    body = path.read_bytes()
    seconds: dict[str, list[float]] = {name: [] for name in EXECUTORS}
    shares = []
    for _ in range(rounds):
        for name, taken in seconds.items():
            with _time_in_moto() as in_moto:
                taken.append(_chain_s(name, unit, body, in_moto))
            if name == "inprocess":
                shares.append(sum(in_moto) / FILES_A_ROUND / taken[-1])
    pairs = zip(seconds["ric"], seconds["inprocess"], strict=True)
    return [
        Figure(
            "chains through the local cloud",
            Ratio.of([1 / each for each in seconds["inprocess"]]),
            "at least",
            unit="a second",
        ),
        Figure("share of a chain's time that moto takes to answer", Ratio.of(shares)),
        Figure(
            "a warm chain: Lambda's runtime client / in process",
            Ratio.of([ric / inprocess for ric, inprocess in pairs]),
            "at most",
            1.5,
            note="functions in processes of their own, calls over HTTP",
        ),
    ]


def _chain_s(executor: str, unit: str, body: bytes, in_moto: list[float]) -> float:
    """Seconds a chain takes in a fresh cloud once its functions are warm."""
    with running(executor=executor) as cloud:
        _send(cloud, unit, body, ["warm", "warmer"])
        in_moto.clear()
        start = time.perf_counter()
        _send(cloud, unit, body, [f"{n}" for n in range(FILES_A_ROUND)])
        return (time.perf_counter() - start) / FILES_A_ROUND


@contextmanager
def _time_in_moto() -> Iterator[list[float]]:
    """How long moto takes over each request made in this process, in s."""
    taken: list[float] = []
    original = BotocoreStubber.__call__

    def timed(self: Any, *args: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return original(self, *args, **named)
        finally:
            taken.append(time.perf_counter() - start)

    BotocoreStubber.__call__ = timed
    try:
        yield taken
    finally:
        BotocoreStubber.__call__ = original


def _send(cloud: Cloud, unit: str, body: bytes, names: list[str]) -> None:
    """Put files, let the cloud come to rest, and see that each one came through."""
    bucket, before = cloud.physical_id("DataBucket"), _ready(cloud)
    for name in names:
        key = f"raw/hvac/unit={unit}/{name}.parquet"
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    cloud.run_until_idle()
    if _ready(cloud) - before != len(names):
        raise RuntimeError(f"{len(names)} files went in, {_ready(cloud) - before} came through")


def _ready(cloud: Cloud) -> int:
    return sum(r.kind == "event" and r.name == "CycleFeaturesReady" for r in cloud.journal)
