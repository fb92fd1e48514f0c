"""Chains a second through the local cloud: a sensor file in, CycleFeaturesReady out.

The files are small, so what is seen is the cloud: event, rule, queue, invocation, fragment, own event.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.figures import Figure, Ratio
from cli.chain import running
from localcloud import Cloud
from simulator.fleet import Fleet

FILES_A_ROUND, ROWS = 10, 2_000
DAY = date(2024, 7, 16)


def chains(folder: Path, rounds: int) -> list[Figure]:
    """Small sensor files through the whole local cloud."""
    fleet = Fleet(units=1, start=DAY, days=1)
    path, unit = folder / "hours.parquet", fleet.units[0]
    pq.write_table(fleet.raw_day(unit, DAY).slice(0, ROWS), path)
    body, rates = path.read_bytes(), []
    with running() as cloud:
        _send(cloud, unit, body, ["warm"])
        for k in range(rounds):
            start = time.perf_counter()
            _send(cloud, unit, body, [f"{k}-{n}" for n in range(FILES_A_ROUND)])
            rates.append(FILES_A_ROUND / (time.perf_counter() - start))
    return [Figure("chains through the local cloud", Ratio.of(rates), "at least", unit="a second")]


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
