"""Due units become scores: windows by a processing job, a transform job on the model container."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cli.publish import publish
from localcloud.chaos import Chaos, Disorder
from signalbox.contracts.scoring import Score
from tests.idle import stop_schedules
from tests.pace import SOAK
from tests.standin import model_folder, put_standin

WINDOW = timedelta(minutes=6)
POINTER = "models/hvac/current.json"
STEP = 1 if SOAK else 20
"""Every call is too long for each run of the suite."""


@pytest.fixture
def served(chain, tmp_path):
    """A cloud with a model in service."""
    put_standin(chain.cloud)
    publish(chain.cloud.client("s3"), chain.bucket.name, model_folder(tmp_path / "model"))
    return chain


@pytest.fixture
def fleet(served, hvac_file):
    """A cloud with a model in service and files of two units."""
    for unit in ("A1", "B2"):
        served.bucket.write(f"raw/hvac/unit={unit}/day.parquet", hvac_file(of=unit))
    served.run()
    return served


def pass_window(chain):
    chain.cloud.run_for(WINDOW)
    chain.run()


def requests(chain):
    keys = [key for key in chain.bucket.listing("scoring/") if key.endswith("request.json")]
    return [json.loads(chain.bucket.read(key)) for key in keys]


def scores(chain):
    lines = [
        line
        for key in chain.bucket.listing("scores/")
        for line in chain.bucket.read(key).splitlines()
    ]
    return [Score.model_validate_json(line) for line in lines]


def jobs(chain, kind):
    return [r for r in chain.cloud.journal if r.kind == "job" and r.name.startswith(f"{kind}-")]


@pytest.mark.ric
def test_files_of_a_window_become_one_run_and_every_unit_its_score(fleet):
    assert requests(fleet) == [] or len(requests(fleet)) == 1
    pass_window(fleet)
    (request,) = requests(fleet)
    assert request["units"] == ["A1", "B2"]
    (started,) = fleet.events("ScoringStarted")
    (scored,) = fleet.events("FleetScored")
    assert (started["units"], scored["units"], scored["skipped"]) == (2, 2, 0)
    assert scored["run"] == request["run"]
    found = scores(fleet)
    assert sorted(score.unit for score in found) == ["A1", "B2"]
    assert all(-10 < each <= 0 for score in found for each in score.log_probabilities)
    assert {score.model for score in found} == {"v1"}
    pass_window(fleet)
    assert len(requests(fleet)) == 1, "without new features there is no new run"


def test_a_repeated_event_makes_no_second_run(fleet):
    pass_window(fleet)
    events = [
        {"EventBusName": fleet.cloud.outputs["BusName"], "Source": "signalbox",
         "DetailType": "CycleFeaturesReady", "Detail": json.dumps(detail)}
        for detail in fleet.events("CycleFeaturesReady")
    ]  # fmt: skip
    fleet.cloud.client("events").put_events(Entries=events)
    pass_window(fleet)
    assert len(requests(fleet)) == 1


def test_windows_that_fail_are_made_again_and_given_up_in_the_end(served, hvac_file):
    served.bucket.write("scoring/fail", b"")
    served.bucket.write("raw/hvac/unit=A1/day.parquet", hvac_file(of="A1"))
    served.run()
    for _ in range(5):
        pass_window(served)
    failed = served.events("ScoringFailed")
    assert [event["again"] for event in failed] == [True, True, False]
    assert {event["reason"] for event in failed} == {"ValueError: the windows are torn"}
    assert {event["stage"] for event in failed} == {"windows"}
    assert scores(served) == []


def test_a_morning_scores_all_units(fleet):
    pass_window(fleet)
    fleet.stop_schedules("StartPipelines")
    fleet.cloud.run_for(timedelta(days=1))
    fleet.run()
    assert None in [request["units"] for request in requests(fleet)]
    assert len(scores(fleet)) == 4


def test_a_model_that_answers_nothing_is_tried_again(fleet, hvac_file, tmp_path):
    broken = model_folder(tmp_path / "broken", "v2")
    (broken / "model.onnx").write_bytes(b"no graph")
    publish(fleet.cloud.client("s3"), fleet.bucket.name, broken)
    fleet.bucket.write("raw/hvac/unit=C3/day.parquet", hvac_file(of="C3"))
    fleet.run()
    pass_window(fleet)
    failed = fleet.events("ScoringFailed")
    assert failed
    assert failed[0]["stage"] == "scores"
    assert failed[0]["again"] is True


def test_without_a_model_nothing_is_scored(chain, hvac_file):
    chain.bucket.write("raw/hvac/unit=A1/day.parquet", hvac_file(of="A1"))
    chain.run()
    pass_window(chain)
    assert requests(chain) == []


def test_a_pointer_of_another_workload_is_an_alarmed_dead_letter(fleet, hvac_file):
    pointer = json.loads(fleet.bucket.read(POINTER))
    pointer["schema"]["workload"] = "pumps"
    fleet.bucket.write(POINTER, json.dumps(pointer).encode())
    fleet.bucket.write("raw/hvac/unit=C3/day.parquet", hvac_file(of="C3"))
    fleet.run()
    dead = [r for r in fleet.cloud.journal if r.kind == "dead-letter"]
    assert dead


@pytest.mark.timeout(1800)
@pytest.mark.soak
def test_a_scorer_that_is_killed_at_any_call_scores_every_unit_once(fleet, hvac_file):
    """SIGKILL before the n-th call to AWS, from the due units to their alerts; retries do the rest."""
    stop_schedules(fleet.cloud, "ScoreAllUnits")  # so many windows go past a morning
    pass_window(fleet)
    world = fleet.cloud._world
    call, killed = 1, 0
    while True:
        fleet.bucket.write(f"raw/hvac/unit=K{call}/day.parquet", hvac_file(of=f"K{call}"))
        fleet.run()
        world.disorder = Disorder(Chaos(kill=call))
        pass_window(fleet)
        pass_window(fleet)  # what was begun again a window later
        dealt, world.disorder = world.disorder.dealt["kill"], Disorder(Chaos())
        if not dealt:
            break
        call, killed = call + STEP, killed + 1
    wanted = sorted(["A1", "B2", *(f"K{n}" for n in range(1, call + 1, STEP))])
    assert killed >= 24 // STEP
    assert sorted(score.unit for score in scores(fleet)) == wanted
    told = {event["run"]: event["units"] for event in fleet.events("FleetScored")}
    assert sum(told.values()) == len(wanted)
    assert not [r for r in fleet.cloud.journal if r.kind == "dead-letter"]
