from functions.judge_predictions import app
from tests.fakes import LambdaContext, sample
from tests.unit.signalbox.domain.test_judging import Matured


def test_what_is_due_is_judged_as_of_the_schedule(monkeypatch):
    world = Matured()
    monkeypatch.setattr(app, "judging", lambda: world.judging)
    event = sample("aws.scheduler/scheduled-event.json")  # 2026-09-30, 03:30
    app.handler(event, LambdaContext())
    assert world.files.state() == {}
    event["time"] = "2026-10-01T03:30:00Z"
    for _ in range(2):
        app.handler(event, LambdaContext())
    assert list(world.files.state()) == ["judgements/hvac/2026-10-01.json"]
    assert len(world.bus.said()) == 1
