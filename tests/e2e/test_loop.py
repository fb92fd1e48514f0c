"""The whole loop, from the first file to a better model in service, on tables that can be learned from."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import runs
from cli.post import Post
from cli.whereabouts import BadUse
from signalbox.contracts.packages import Smoke
from tests.e2e.loops import Loop, all_goes_back_to, looping, reship
from tests.least import Permissions
from tests.places import Here
from tests.shells import shells


def abalones(count: int, seed: int, *, shift: float = 0.0) -> list[list[str]]:
    """Rows as of the Abalone set: what `shells` makes, measured eight ways."""
    rows = []
    for sex, width, weight, age in shells(count, seed, shift=shift):
        w, h = float(width), float(weight)
        measures = [w, w * 0.8, w * 0.3, h, h * 0.4, h * 0.2, h * 0.3]
        rows.append([sex, *(f"{each:.4f}" for each in measures), age])
    return rows


@pytest.fixture
def loop(build: Path, permissions: Permissions) -> Iterator[Loop]:
    with looping(permissions) as started:
        yield started


@pytest.mark.timeout(900)
def test_files_make_a_model_that_is_watched_and_made_anew(loop: Loop):
    rows = abalones(600, 1)
    inputs = [row[:-1] for row in rows[:200]]
    loop.drop("ground-truth/abalone/too-early.csv", loop.answers(rows[:200], "early"))
    assert (loop.told()["PipelineRefused"], len(loop.mails())) == (1, 1)
    assert loop.runs("batch") == [], "nothing was predicted that could be judged"
    loop.drop("inference/abalone/early.csv", inputs)
    (early,) = loop.runs("batch")
    assert early["NoModel"] == "Failed", "before any model is approved a run ends with a sentence"

    the_commands_show_it(Here(loop.cloud))

    before_all = loop.told()
    loop.drop("training/abalone/first.csv", rows)
    assert loop.packages() == {1: "PendingManualApproval"}
    loop.approve(1)
    loop.drop("inference/abalone/day1.csv", inputs)
    assert loop.runs("batch")[-1]["DataQuality"] == "Succeeded"
    assert loop.told()["DataQualityViolated"] == 0
    (predicted,) = loop.bucket.listing("predictions/")
    assert loop.bucket.read(predicted).count(b"\n") == len(inputs) + 1

    strange = abalones(200, 2, shift=3.0)
    before = len(loop.mails())
    loop.drop("inference/abalone/day2.csv", [row[:-1] for row in strange])
    assert loop.told()["DataQualityViolated"] == 1
    assert loop.runs("tune") == [], "strange data only warns"
    assert len(loop.mails()) == before + 2  # the warning, and that the run is done

    before = len(loop.mails())
    loop.drop("ground-truth/abalone/others.csv", loop.answers(rows[:20], "nobody"))
    assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    assert loop.runs("tune") == [], "truth of others says nothing of the model"
    assert len(loop.mails()) == before + 1

    wrong = [[*row[:-1], str(float(row[-1]) + 30)] for row in strange]
    loop.drop("ground-truth/abalone/day2.csv", loop.answers(wrong, "day2"))
    loop.settle()
    assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    (tuned,) = loop.runs("tune")
    assert tuned["Register"] == "Succeeded"
    assert loop.packages()[2] == "PendingManualApproval"
    loop.approve(2)
    assert loop.packages()[2] == "PendingManualApproval", "a retuned model needs its board"
    loop.approve(2, review_board="A. Board")
    loop.drop("inference/abalone/day3.csv", inputs)
    assert loop.told()["ModelPromoted"] == 2
    assert loop.used()[-1] == 2, "the next batch uses the model that was promoted"
    assert loop.cards() == {1: "Archived", 2: "Approved"}

    # the truth fails again and again: the loop stops by itself, and says so
    loop.drop("ground-truth/abalone/day3.csv", loop.answers(wrong[:200], "day3"))
    assert loop.told()["RetuneSuppressed"] == 1
    assert len(loop.runs("tune")) == 1
    all_goes_back_to(loop, "training/abalone/first.csv", but=before_all)


@pytest.mark.timeout(900)
@pytest.mark.soak
def test_a_threshold_that_no_model_can_meet_is_given_up_and_says_so(loop: Loop):
    """Tuning again and again brings no model that passes, and ends by itself."""

    def beyond_reach(workloads: dict[str, Any]) -> None:
        abalone = workloads["abalone"]
        abalone["tabular"]["gate"]["at_most"] = 0.001
        abalone["operations"]["retune"] = {"cooldown_hours": 0, "limit": 2, "within_days": 7}

    rows, post = abalones(300, 1), Post(loop.cloud)
    loop.drop("training/abalone/first.csv", rows)
    loop.approve(1)
    loop.drop("inference/abalone/day1.csv", [row[:-1] for row in rows])
    reship(loop.cloud, beyond_reach)
    for turn in range(5):
        loop.drop(f"ground-truth/abalone/truth{turn}.csv", loop.answers(rows, "day1"))
        loop.settle()
        assert loop.runs("batch")[-1]["ModelQuality"] == "Failed"
    assert [run["TooWeak"] for run in loop.runs("tune")] == ["Failed"] * 2
    assert loop.packages() == {1: "Approved"}
    told = loop.events("RetuneSuppressed")
    assert [each["reason"] for each in told] == ["limit"] * 3
    wanted = "abalone: model failed its quality check, is not tuned anew (limit) - Action Required"
    assert post.subjects()[wanted] == len(told)


@pytest.mark.timeout(500)
def test_the_endpoint_of_a_trained_model_is_tried_with_what_its_evaluation_left(loop: Loop):
    def behind_an_endpoint(workloads: dict[str, Any]) -> None:
        workloads["abalone"]["operations"]["endpoint"] = True

    reship(loop.cloud, behind_an_endpoint)
    loop.drop("training/abalone/first.csv", abalones(600, 1))
    (place,) = (key for key in loop.bucket.listing("operations/") if key.endswith("/smoke.json"))
    assert len(Smoke.model_validate_json(loop.bucket.read(place)).answers) == 3
    loop.approve(1)
    loop.settle()
    assert (loop.told()["ModelPromoted"], loop.told()["PromotionFailed"]) == (1, 0)
    tried = [r for r in loop.cloud.journal if r.name == "sagemaker:InvokeEndpoint"]
    assert [r.status for r in tried] == ["ok"]


def the_commands_show_it(here: Here) -> None:
    """`signalbox pipelines` and `runs`, after one run that failed for want of a model."""

    def said(command: Any, *arguments: Any, **options: Any) -> tuple[int, str]:
        text = io.StringIO()
        code = command(Console(file=text, width=200), here, *arguments, **options)
        return code, text.getvalue()

    code, text = said(runs.pipelines)
    assert (code, text.count("never run")) == (0, 2)
    assert all(f"signalbox-{name}" in text for name in runs.PIPELINES)
    code, text = said(runs.runs, "abalone", 5, as_json=True)
    (one,) = json.loads(text)
    assert (code, one["PipelineExecutionStatus"], one["Workload"]) == (0, "Failed", "abalone")
    assert said(runs.runs, "air_quality", 5, as_json=False)[1].strip() == "No runs."
    code, text = said(runs.run, runs.id_of(one), as_json=False)
    assert code == 1, "the run that was asked for failed"
    assert "No model of abalone is approved yet" in text
    with pytest.raises(BadUse, match="no run 'nothing'"):
        said(runs.run, "nothing", as_json=False)
