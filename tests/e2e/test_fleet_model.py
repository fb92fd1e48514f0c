"""Cycle features and a fault log make a model by the pipeline; approved, it scores the fleet."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from signalbox.contracts.keys import current_model_key
from signalbox.contracts.scoring import CurrentModel
from simulator.fleet import Fleet
from tests.e2e.loops import Loop, looping, reship
from tests.least import Permissions

SMALL: dict[str, Any] = {
    "window": 16, "samples": 20, "precision": 0.5, "split": {"validation": 0.3, "test": 0.3},
    "network": {"width": 8, "heads": 2, "layers": 1, "dropout": 0.0},
    "training": {"epochs": 2, "patience": 2, "batch": 64, "learning_rate": 0.01},
    "gate": {"metric": "auc", "at_least": 0.5},
}  # fmt: skip
RECORDED = datetime(2024, 5, 2, tzinfo=UTC)
EVERY = 16
"""Of the days of a teacher one in so many was recorded."""


@pytest.fixture
def loop(build: Path, permissions: Permissions) -> Iterator[Loop]:
    with looping(permissions, "hvac") as found:
        reship(found.cloud, lambda all_: all_["hvac"]["prediction"].update(SMALL))
        yield found


def parquet(table: pa.Table) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


@pytest.mark.timeout(500)
def test_an_approved_model_scores_the_fleet(loop: Loop, hvac_file: Callable[..., bytes]):
    teachers = Fleet(units=18, seed=7, start=date(2024, 5, 1), days=120, faults_per_year=3.0)
    cycles = pa.concat_tables([teachers.cycle_history(unit) for unit in teachers.units])
    day = cycles["cycle_start"].cast(pa.int64()).to_numpy() // (86400 * 10**9)
    log = teachers.fault_log()
    assert pc.any(pc.less(log["failed_at"], pa.scalar(RECORDED, log["failed_at"].type))).as_py()
    loop.bucket.write("training/hvac/faults.parquet", parquet(log))  # older than the recordings
    loop.bucket.write(
        "training/hvac/cycles.parquet", parquet(cycles.filter(pa.array(day % EVERY == 0)))
    )
    loop.settle()
    assert loop.packages() == {1: "PendingManualApproval"}
    assert loop.bucket.listing("models/") == [], "nothing scores before it is approved"
    loop.approve(1)
    found = CurrentModel.model_validate_json(loop.bucket.read(current_model_key("hvac")))
    assert found.package is not None
    assert found.package.endswith("/signalbox-hvac/1")

    loop.bucket.write("raw/hvac/unit=A1/day.parquet", hvac_file(of="A1"))
    loop.settle()
    (scored,) = loop.events("FleetScored")
    assert (scored["units"], scored["model"]) == (1, found.schema_.version)
    assert loop.told()["ModelPromoted"] == 1
