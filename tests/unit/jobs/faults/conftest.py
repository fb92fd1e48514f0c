"""The fault model's program on two small fleets: pumps counted by runs, and heaters by the calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from jobs.faults.__main__ import main
from tests import pumps
from tests.programs import Steps

GATE = {"metric": "auc", "at_least": 0.6}
HEATERS: dict[str, Any] = {
    "name": "heaters", "description": "Heaters.", "owner": "tests",
    "recording": {"timestamp": {"column": "ts"}, "unit": {"column": "unit"}},
    "cycles": {"running": {"signal": "power", "above": 1}, "max_gap_s": 60},
    "sensors": [{"name": "power", "statistics": ["mean", "max"]}],
    "prediction": {
        "time": "days", "horizon": 10, "grace": 5, "window": 8, "samples": 20, "precision": 0.5,
        "baseline": {"compare": ["level"], "reference": 5, "smooth": 2}, "gate": GATE,
        "network": pumps.NETWORK, "training": {**pumps.TRAINING, "epochs": 2},
    },
}  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def written(folder: Path, **tables: pd.DataFrame) -> Path:
    """CSV files, and their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def faults(*rows: tuple[object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["unit", "failed_at"])


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """A fault log in which every pump fails at its last run."""
    return faults(*table.groupby("pump")["run"].max().items())


def program(folder: Path, **changed: Any) -> Steps:
    """The program for pumps; ``changed`` goes into the section prediction."""
    told = pumps.workload(gate=GATE, **changed).mapping()
    return Steps(folder, main, told)


def heated(days: int = 60) -> dict[str, pd.DataFrame]:
    """Twelve heaters, two cycles a day; every other one draws more before it fails on its 50th day."""
    rng = np.random.default_rng(3)
    parts = []
    for unit in range(12):
        times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
            np.arange(days * 2) * 12, "h"
        )
        age = np.arange(days * 2) / 2
        wear = np.where((unit % 2 == 0) & (age <= 50), np.exp((age - 50) / 4), 0)
        power = 5 + 4 * wear + rng.normal(0, 0.3, len(times))
        parts.append(
            pd.DataFrame({
                "unit": f"h-{unit:02}", "cycle_start": times - pd.Timedelta("1h"), "cycle_end": times,
                "duration_s": 3600.0, "rows": 60, "power__mean": power, "power__max": power + 1,
            })
        )  # fmt: skip
    logs = faults(*[(f"h-{unit:02}", "2026-02-20T00:00:00Z") for unit in range(0, 12, 2)])
    return {"cycles": pd.concat(parts, ignore_index=True), "log-1": logs[:4], "log-2": logs[3:]}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Pumps that run to failure, and all that a training run makes of them."""
    steps = program(tmp_path_factory.mktemp("pumps"))
    return steps, steps.trained(written(steps.folder / "data", pumps=pumps.fleet(24)))


@pytest.fixture(scope="session")
def heaters(tmp_path_factory):
    steps = Steps(tmp_path_factory.mktemp("heaters"), main, HEATERS)
    return steps, steps.trained(written(steps.folder / "data", **heated()))
