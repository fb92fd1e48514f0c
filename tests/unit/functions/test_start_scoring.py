import pytest

from functions.start_scoring import app
from signalbox.domain.due import note_of
from signalbox.domain.scoring import Scoring
from signalbox.errors import Misconfigured
from tests.fakes import (
    NOON,
    InMemoryModels,
    InMemoryRequests,
    InMemoryRunTable,
    InMemoryWindowsJobs,
    LambdaContext,
    model_in_service,
    sample,
    workload,
)

EVENT = sample("aws.scheduler/scheduled-event.json")


@pytest.fixture
def world(monkeypatch):
    models = InMemoryModels({"hvac": model_in_service()})
    scoring = Scoring(
        {"hvac": workload(prediction={})}, models, InMemoryRunTable(), InMemoryRequests(),
        InMemoryWindowsJobs(),
    )  # fmt: skip
    scoring.table.note("hvac", note_of("a", ("A1",), NOON))
    monkeypatch.setattr(app, "scoring", lambda: scoring)
    return scoring


def test_what_is_due_is_started_once(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    assert list(world.jobs.jobs.values()) == ["hvac"]


def test_a_broken_pointer_raises_the_alarm(world):
    world.models.models["hvac"] = Misconfigured("broken")
    with pytest.raises(Misconfigured):
        app.handler(EVENT, LambdaContext())
