"""The loop of another workload: classes told from hourly files of weather, in whole stations."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.air import POLLUTANTS, beijing, stations
from tests.e2e.loops import Loop, all_goes_back_to, looping
from tests.least import Permissions

DAYS = 60
HOT = 25.0


class Made:
    """Two months of stations that are made, some anew for each batch."""

    batches, rows = ("KL", "MN", "OP"), 2 * DAYS

    def history(self) -> list[list[str]]:
        return stations("ABCD", DAYS, 1)

    def batch(self, number: int, **how: Any) -> list[list[str]]:
        return stations(self.batches[number], DAYS, number + 2, **how)


class Beijing:
    """Three years of real stations, and months of the fourth."""

    months, rows = (date(2016, 3, 1), date(2016, 4, 1), date(2016, 5, 1), date(2016, 6, 1)), 3 * 31

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def history(self) -> list[list[str]]:
        return beijing(self._files, date(2013, 3, 1), self.months[0])

    def batch(self, number: int, **how: Any) -> list[list[str]]:
        return beijing(self._files, *self.months[number : number + 2], **how)


@pytest.fixture(params=["made", "real"])
def air(request: pytest.FixtureRequest, real_data: Callable[[str], Path]) -> Made | Beijing:
    if request.param == "made":
        return Made()
    return Beijing(sorted(real_data("beijing_multisite").glob("*.csv.gz")))


@pytest.fixture
def loop(build: Path, permissions: Permissions) -> Iterator[Loop]:
    with looping(permissions, "air_quality") as started:
        yield started


@pytest.mark.timeout(1800)
@pytest.mark.soak
def test_weather_makes_a_model_that_is_watched_and_made_anew(loop: Loop, air: Made | Beijing):
    loop.drop("training/air_quality/first.csv", air.history())
    assert loop.packages() == {1: "PendingManualApproval"}
    (mail,) = [each for each in loop.events("ModelPendingApproval") if each["version"] == 1]
    assert mail["metrics"]["auc"] >= 0.8
    the_other_pollutants_are_not_used(loop)

    loop.approve(1)
    assert loop.used() == []
    loop.drop("inference/air_quality/day1.csv", air.batch(0, pollutants=False))
    assert loop.runs("batch")[-1]["DataQuality"] == "Succeeded"
    assert loop.told()["DataQualityViolated"] == 0
    assert loop.used() == [1]
    first = predictions(loop)
    assert len(first) == air.rows
    assert {row["prediction"] for row in first} == {"0", "1"}
    loop.drop("ground-truth/air_quality/day1.csv", air.batch(0))
    loop.settle()
    assert loop.runs("batch")[-1]["ModelQuality"] == "Succeeded"

    loop.drop("inference/air_quality/day2.csv", air.batch(1, warmer=HOT, pollutants=False))
    assert loop.told()["DataQualityViolated"] == 1
    assert loop.runs("tune") == [], "strange data only warns"

    wrong = air.batch(1, warmer=HOT, upside_down=True)
    loop.drop("ground-truth/air_quality/day2.csv", wrong)
    loop.settle()
    assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    (tuned,) = loop.runs("tune")
    assert tuned["Register"] == "Succeeded"
    assert loop.packages()[2] == "PendingManualApproval"
    loop.approve(2)
    assert loop.packages()[2] == "PendingManualApproval", "a retuned model needs its board"
    loop.approve(2, review_board="A. Board")
    loop.drop("inference/air_quality/day3.csv", air.batch(2, pollutants=False))
    assert loop.told()["ModelPromoted"] == 2
    assert loop.cards() == {1: "Archived", 2: "Approved"}
    assert loop.used()[-1] == 2, "the next batch uses the model that was promoted"
    all_goes_back_to(loop, "training/air_quality/first.csv")


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
