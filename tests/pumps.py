"""A small fleet of pumps for tests: a table a row a cycle, a workload for it, and a tiny network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jobs.dataset.build import Sources, build
from signalbox.contracts.workload import Workload

FEATURES = ["flow", "heat", "noise"]
NETWORK = {"width": 8, "heads": 2, "layers": 1, "dropout": 0.1, "input_dropout": 0.1}
TRAINING = {"epochs": 3, "patience": 5, "batch": 32, "learning_rate": 0.01}


def workload(**changed: Any) -> Workload:
    """Cycles that come ready; ``changed`` goes into its section prediction."""
    return Workload.model_validate({
        "name": "pumps", "description": "Pumps.", "owner": "tests",
        "table": {"unit": "pump", "cycle": "run", "features": FEATURES},
        "prediction": {
            "time": "cycles", "horizon": 10, "grace": 5, "window": 16, "samples": 20,
            "run_to_failure": True, "precision": 0.5,
            "baseline": {"compare": ["level", "own"], "reference": 5, "smooth": 3},
            "network": NETWORK, "training": TRAINING, **changed,
        },
    })  # fmt: skip


def fleet(units: int = 15, seed: int = 0) -> pd.DataFrame:
    """Pumps that run hot and slow before they end, some of them after very few cycles."""
    rng = np.random.default_rng(seed)
    parts = []
    for unit in range(1, units + 1):
        cycles = 9 if unit % 5 == 0 else int(rng.integers(60, 90))
        wear = np.exp(-(cycles - np.arange(cycles)) / 8)
        parts.append(
            pd.DataFrame(
                {
                    "pump": unit,
                    "run": np.arange(1, cycles + 1),
                    "flow": 9_000 - 30 * wear + rng.normal(0, 5, cycles),
                    "heat": 40 + 8 * wear + rng.normal(0, 1, cycles),
                    "noise": rng.normal(0, 1, cycles),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def dataset(folder: Path, seed: int = 0, **changed: Any) -> Any:
    """Build it in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet().to_csv(folder / "pumps.csv", index=False)
    sources = Sources(folder / "pumps.csv", seed=seed)
    return build(workload(**changed), sources, folder / "dataset")
