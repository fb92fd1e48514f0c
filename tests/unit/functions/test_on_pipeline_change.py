from functions.on_pipeline_change import app
from signalbox.domain.notices import Notices
from tests.alerted import SentMessages
from tests.fakes import KeptRejections, LambdaContext, sample
from tests.operated import (
    RUN_EVENT,
    STEP_EVENT,
    TRAIN,
    InMemoryHistory,
    InMemoryLedger,
    InMemoryPipelines,
    operated,
)

RULES = [{"status": ["Failed"], "step": "ModelQuality", "message": "Look."}]


def composed(monkeypatch, parameters):
    event = sample(RUN_EVENT)
    runs = InMemoryPipelines(told={event["detail"]["pipelineExecutionArn"]: parameters})
    notices = Notices(
        {"hvac": operated(notify=RULES)}, runs, InMemoryHistory(), TRAIN, InMemoryLedger(),
        SentMessages(),
    )  # fmt: skip
    monkeypatch.setattr(app, "notices", lambda: notices)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections())
    return notices


def test_a_run_and_a_step_are_told_once_however_often_they_come(monkeypatch):
    notices = composed(monkeypatch, {"Workload": "hvac", "Run": "0" * 32})
    for event in (RUN_EVENT, STEP_EVENT) * 2:
        app.handler(sample(event), LambdaContext())
    assert [message.subject for message in notices.topic.messages] == [
        "hvac: Failed, the run of signalbox-example-batch",
        "hvac: Failed, step ModelQuality of signalbox-example-batch",
    ]


def test_a_failed_run_of_nobody_is_parked_with_its_reason(monkeypatch):
    composed(monkeypatch, {})
    app.handler(sample(RUN_EVENT), LambdaContext())
    (parked,) = app.handler.rejections.events.values()
    assert (parked.door, parked.reason) == ("on_pipeline_change", "unknown-workload")
    assert "operations: hvac" in parked.message


def test_an_event_that_is_none_is_parked(monkeypatch):
    composed(monkeypatch, {})
    app.handler(sample(RUN_EVENT) | {"detail": {}}, LambdaContext())
    (parked,) = app.handler.rejections.events.values()
    assert parked.reason == "unreadable-event"
