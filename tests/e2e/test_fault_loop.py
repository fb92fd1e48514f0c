"""The whole loop of the fault model, from engines' flights to a better model, on made engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.loops import Loop, all_goes_back_to, looping, reship
from tests.least import Permissions

NAMES = ["unit", "cycle", *(f"setting_{k}" for k in (1, 2, 3)), *(f"s{k}" for k in range(1, 22))]
SMALL: dict[str, Any] = {
    "horizon": 10, "grace": 5, "window": 16, "samples": 30, "precision": 0.5,
    "baseline": {"compare": ["level", "own"], "reference": 8, "smooth": 3},
    "network": {"width": 8, "heads": 2, "layers": 1, "dropout": 0.0},
    "training": {"epochs": 2, "patience": 2, "batch": 32, "learning_rate": 0.01},
    "tuning": {"learning_rate": [0.005, 0.02], "dropout": [0.0, 0.1], "epochs": [1, 2], "batch": [16, 32]},
    "gate": {"metric": "auc", "at_least": 0.75},
}  # fmt: skip
TRIALS = 2


def engines(first: int, count: int, seed: int, *, shift: float = 0.0) -> list[list[str]]:
    """Flights of engines until they fail, as C-MAPSS has them: 26 columns, no header."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit in range(first, first + count):
        life = int(rng.integers(45, 60))
        wear = np.exp((np.arange(life) - life) / 6)
        sensors = (
            500 + 6 * wear[:, None] * np.sign(np.arange(21) - 9.5) + rng.normal(size=(life, 21))
        )
        for cycle in range(life):
            values = [0.0, 0.0, 100.0, *(sensors[cycle] + shift)]
            rows.append([str(unit), str(cycle + 1), *(f"{each:.3f}" for each in values)])
    return rows


def log(rows: list[list[str]], share: float) -> list[list[str]]:
    """A fault log in which engines fail after this share of their flights."""
    lives = {row[0]: int(row[1]) for row in rows}
    return [
        ["unit", "failed_at"],
        *([unit, str(int(life * share))] for unit, life in lives.items()),
    ]


@pytest.fixture
def loop(build: Path, permissions: Permissions) -> Iterator[Loop]:
    with looping(permissions, "turbofan") as found:
        reship(found.cloud, lambda all_: all_["turbofan"]["prediction"].update(SMALL))
        tune = {"PipelineName": "signalbox-tune"}
        told = found.sagemaker.describe_pipeline(**tune)
        definition = json.loads(told["PipelineDefinition"])
        (most,) = (each for each in definition["Parameters"] if each["Name"] == "MaxJobs")
        most["DefaultValue"] = TRIALS
        found.sagemaker.update_pipeline(**tune, PipelineDefinition=json.dumps(definition))
        yield found


@pytest.mark.timeout(900)
def test_flights_make_a_model_that_is_watched_and_made_anew(loop: Loop):
    loop.drop("training/turbofan/fleet.txt", engines(1, 16, 1), " ")
    assert loop.packages() == {1: "PendingManualApproval"}
    loop.approve(1)

    fresh = engines(101, 6, 2)
    loop.drop("inference/turbofan/day1.txt", fresh, " ")
    assert loop.runs("batch")[-1]["DataQuality"] == "Succeeded"
    assert loop.told()["DataQualityViolated"] == 0
    (predicted,) = loop.bucket.listing("predictions/")
    lines = loop.bucket.read(predicted).decode().splitlines()
    assert len(lines) == len(fresh) + 1
    assert lines[0].startswith("id,unit,s2,s3,")
    assert lines[1].startswith("101#1,101,")

    strange = engines(201, 6, 3, shift=30.0)
    loop.drop("inference/turbofan/day2.txt", strange, " ")
    assert loop.told()["DataQualityViolated"] == 1
    assert loop.runs("tune") == [], "strange data only warns"

    loop.drop("ground-truth/turbofan/faults.csv", log(strange, 0.4))
    loop.settle()
    assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    (tuned,) = loop.runs("tune")
    assert tuned["Register"] == "Succeeded"
    assert loop.packages()[2] == "PendingManualApproval"
    loop.approve(2)
    assert loop.packages()[2] == "PendingManualApproval", "a retuned model needs its board"
    loop.approve(2, review_board="A. Board")
    assert loop.told()["ModelPromoted"] == 2

    loop.drop("inference/turbofan/day3.txt", fresh, " ")
    assert loop.used()[-1] == 2
    assert loop.cards() == {1: "Archived", 2: "Approved"}
    assert loop.bucket.listing("models/") == [], "no fleet of theirs is scored as features come"
    all_goes_back_to(loop, "training/turbofan/fleet.txt")
