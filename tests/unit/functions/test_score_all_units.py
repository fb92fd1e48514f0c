from functions.score_all_units import app
from signalbox.domain.due import Due
from tests.fakes import (
    InMemoryModels,
    InMemoryRunTable,
    LambdaContext,
    model_in_service,
    sample,
    workload,
)


def test_all_units_are_due_once_a_day(monkeypatch):
    models = InMemoryModels({"hvac": model_in_service()})
    due = Due({"hvac": workload(prediction={})}, models, InMemoryRunTable())
    monkeypatch.setattr(app, "due", lambda: due)
    for _ in range(2):
        app.handler(sample("aws.scheduler/scheduled-event.json"), LambdaContext())
    (note,) = due.notes.due("hvac", 9)
    assert note.units is None
