from functions.on_quality_failure import app
from signalbox.domain.retuning import Retuning
from tests.alerted import SentMessages
from tests.fakes import HeardBus, LambdaContext, sample
from tests.operated import (
    STEP_EVENT,
    TRAINED,
    InMemoryHistory,
    InMemoryLedger,
    InMemoryPipelines,
    InMemoryRetunes,
    operated,
)


def test_a_failed_check_starts_one_retune_and_is_told_once(monkeypatch):
    event = sample(STEP_EVENT)
    told = {event["detail"]["pipelineExecutionArn"]: {"Workload": "hvac", "Run": "0" * 32}}
    pipelines = InMemoryPipelines(told=told)
    retuning = Retuning(
        {"hvac": operated()}, pipelines, InMemoryRetunes(),
        InMemoryHistory({"hvac": TRAINED}), pipelines, "signalbox-tune", "onnx",
        InMemoryLedger(), SentMessages(), HeardBus(),
    )  # fmt: skip
    monkeypatch.setattr(app, "retuning", lambda: retuning)
    for _ in range(3):
        app.handler(event, LambdaContext())
    assert len(pipelines.started) == len(retuning.topic.messages) == 1
    assert [each.detail_type() for each in retuning.bus.heard] == ["RetuneStarted"]
