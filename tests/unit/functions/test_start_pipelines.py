import pytest

from functions.start_pipelines import app
from signalbox.errors import Transient
from tests.fakes import NOON, LambdaContext, ref, sample
from tests.unit.signalbox.domain.test_datasets import World

EVENT = sample("aws.scheduler/scheduled-event.json")


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.intake.take_in(ref("training/abalone/a.csv"), NOON.replace(year=2020))
    monkeypatch.setattr(app, "pipelines", lambda: world.starter)
    return world


def test_complete_files_start_one_run(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    ((pipeline, name, _),) = world.started.runs
    assert (pipeline, name) == ("train", "abalone")


def test_files_that_can_become_no_run_are_told_of_once(world):
    world.intake.take_in(ref("ground-truth/air_quality/t.csv"), NOON.replace(year=2020))
    for _ in range(3):
        app.handler(EVENT, LambdaContext())
    (mail,) = world.topic.messages
    assert mail.attributes | {"detail": ""} == {
        "workload": "air_quality", "kind": "pipeline", "status": "Refused",
        "owner": "owner@example.com", "detail": "",
    }  # fmt: skip


def test_trouble_is_raised_and_the_next_call_goes_on(world):
    start = world.started.start
    world.started.start = lambda *_: (_ for _ in ()).throw(Transient("throttled"))
    with pytest.raises(Transient):
        app.handler(EVENT, LambdaContext())
    world.started.start = start
    app.handler(EVENT, LambdaContext())
    assert len(world.started.runs) == 1
