import pytest

from functions.on_alert_sent import app
from tests.fakes import KeptRejections, LambdaContext, sample
from tests.unit.signalbox.domain.test_alerting import World


@pytest.fixture
def world(monkeypatch):
    world = World(ledger=True)
    monkeypatch.setattr(app, "ledger", lambda: world.ledger)
    world.rejections = KeptRejections(world.bus)
    monkeypatch.setitem(app.handler.__dict__, "rejections", world.rejections)
    return world


def test_the_episode_is_noted_as_sent_however_often_it_is_told(world):
    world.score(0)
    own = world.episodes.items["hvac", "A1"]
    own["hvac-A1-0001"] = own["hvac-A1-0001"].model_copy(update={"sent": False})
    for _ in range(2):
        app.handler(sample("aws.sns/notification.json"), LambdaContext())
    assert own["hvac-A1-0001"].sent


def test_what_is_no_alert_of_ours_is_parked(world):
    app.handler(sample("aws.sns/notification.json"), LambdaContext())
    strange = sample("aws.sns/notification.json")
    strange["Records"][0]["Sns"]["MessageAttributes"] = {}
    app.handler(strange, LambdaContext("request-2"))
    app.handler({"Records": []}, LambdaContext("request-3"))
    assert [each.reason for each in world.rejections.events.values()] == [
        "unknown-episode",
        "unreadable-event",
        "unreadable-event",
    ]
