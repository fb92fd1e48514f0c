import pytest

from functions.on_feedback import app
from tests.fakes import KeptRejections, LambdaContext, sample
from tests.unit.signalbox.domain.test_feedback import KEY, Heard


@pytest.fixture
def world(monkeypatch):
    world = Heard()
    monkeypatch.setattr(app, "hearing", lambda: world.hearing)
    world.rejections = KeptRejections(world.bus)
    monkeypatch.setitem(app.handler.__dict__, "rejections", world.rejections)
    return world


def test_a_verdict_is_kept(world):
    for _ in range(2):
        app.handler(sample("signalbox.feedback/AlertFeedback.json"), LambdaContext())
    assert list(world.files.state()) == [KEY]
    assert len(world.bus.said()) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"episode": "hvac-A1-0009"}, "unknown-episode"),
        ({"verdict": "maybe"}, "unreadable-event"),
        ({"extra": 1}, "unreadable-event"),
        ({"at": "2026-07-03T09:30:00"}, "unreadable-event"),
    ],
)
def test_what_is_no_feedback_on_an_alert_is_parked(world, change, reason):
    event = sample("signalbox.feedback/AlertFeedback.json")
    event["detail"] |= change
    app.handler(event, LambdaContext())
    assert [each.reason for each in world.rejections.events.values()] == [reason]
    assert world.files.state() == {}
