import pytest

from functions.on_scores import app
from signalbox.contracts.keys import scores_prefix
from signalbox.errors import Transient
from tests.alerted import score_line
from tests.fakes import NOON, Crash, Fuse, KeptRejections, LambdaContext, object_event, sample
from tests.unit.signalbox.domain.test_alerting import RUN, World

KEY = f"{scores_prefix('hvac', RUN)}part-0.out"


def event():
    return object_event(KEY, "a1", None, "aws.s3/object-created.scores.json")


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.objects.put(KEY, score_line("A1", 0.95, NOON, 1, world.model))
    monkeypatch.setattr(app, "alerting", lambda: world.alerting)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(world.bus))
    return world


def test_a_score_file_warns_once(world):
    for _ in range(2):
        app.handler(event(), LambdaContext())
    assert world.alerts == ["hvac-A1-0001"]
    assert [each.detail_type() for each in world.bus.heard] == ["FaultPredicted"]


def test_a_file_of_another_model_is_parked_and_nobody_is_warned(world):
    world.objects.put(KEY, score_line("A1", 0.95, NOON, 1, world.model, schema="other"))
    app.handler(event(), LambdaContext())
    (heard,) = world.bus.heard
    assert (heard.detail_type(), heard.reason, heard.line) == ("FileRejected", "schema-mismatch", 1)
    assert world.alerts == []


def test_right_after_a_crash_the_platform_is_asked_to_come_again(world):
    world.topic.fuse = Fuse(2)  # the message went out, but nobody noted it
    with pytest.raises(Crash):
        app.handler(event(), LambdaContext())
    with pytest.raises(Transient, match="lease"):
        app.handler(event(), LambdaContext())
    assert world.alerts == ["hvac-A1-0001"]


def test_a_score_file_without_a_run_is_parked(world):
    app.handler(sample("aws.s3/object-created.scores.json"), LambdaContext())
    assert world.bus.heard[0].reason == "no-manifest"
