"""The loop of another workload: classes told from hourly files of weather, in whole stations."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.air import POLLUTANTS, stations
from tests.e2e.loops import Loop, looping
from tests.least import Permissions

DAYS = 60


@pytest.fixture
def loop(build: Path, permissions: Permissions) -> Iterator[Loop]:
    with looping(permissions, "air_quality") as started:
        yield started


@pytest.mark.timeout(900)
@pytest.mark.soak
def test_weather_makes_a_model_that_is_watched_and_made_anew(loop: Loop):
    loop.drop("training/air_quality/first.csv", stations("ABCD", DAYS, 1))
    assert loop.packages() == {1: "PendingManualApproval"}
    (mail,) = [each for each in loop.events("ModelPendingApproval") if each["version"] == 1]
    assert mail["metrics"]["auc"] >= 0.8
    the_other_pollutants_are_not_used(loop)

    loop.approve(1)
    assert loop.used() == []
    loop.drop("inference/air_quality/day1.csv", stations("KL", DAYS, 2, pollutants=False))
    assert loop.runs("batch")[-1]["DataQuality"] == "Succeeded"
    assert loop.told()["DataQualityViolated"] == 0
    assert loop.used() == [1]
    first = predictions(loop)
    assert len(first) == 2 * DAYS
    assert {row["prediction"] for row in first} == {"0", "1"}

    loop.drop(
        "inference/air_quality/day2.csv", stations("MN", DAYS, 3, warmer=15.0, pollutants=False)
    )
    assert loop.told()["DataQualityViolated"] == 1
    assert loop.runs("tune") == [], "strange data only warns"

    wrong = stations("MN", DAYS, 3, warmer=15.0, upside_down=True)
    loop.drop("ground-truth/air_quality/day2.csv", wrong)
    loop.settle()
    assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    (tuned,) = loop.runs("tune")
    assert tuned["Register"] == "Succeeded"
    assert loop.packages()[2] == "PendingManualApproval"
    loop.approve(2)
    assert loop.packages()[2] == "PendingManualApproval", "a retuned model needs its board"
    loop.approve(2, review_board="A. Board")
    loop.drop("inference/air_quality/day3.csv", stations("OP", DAYS, 4, pollutants=False))
    assert loop.told()["ModelPromoted"] == 2
    assert loop.cards() == {1: "Archived", 2: "Approved"}
    assert loop.used()[-1] == 2, "the next batch uses the model that was promoted"


def the_other_pollutants_are_not_used(loop: Loop) -> None:
    """Neither by the model nor by the baseline that data is held against."""
    (archive,) = [key for key in loop.bucket.listing("packages/") if key.endswith("model.tar.gz")]
    with tarfile.open(fileobj=io.BytesIO(loop.bucket.read(archive))) as files:
        model = json.load(files.extractfile("model.json"))
    (drawn,) = [key for key in loop.bucket.listing("") if key.endswith("/constraints.json")]
    seen = [column["name"] for column in model["columns"]]
    watched = [each["name"] for each in json.loads(loop.bucket.read(drawn))["features"]]
    assert not set(POLLUTANTS) & {*seen, *watched, *model["features"]}


def predictions(loop: Loop) -> list[dict[str, str]]:
    (found,) = loop.bucket.listing("predictions/")
    return list(csv.DictReader(io.StringIO(loop.bucket.read(found).decode())))
