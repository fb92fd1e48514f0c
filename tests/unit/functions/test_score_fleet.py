import pytest

from functions.score_fleet import app
from signalbox.contracts.own import CycleFeaturesReady, Said
from signalbox.domain.due import Due
from tests.fakes import (
    InMemoryModels,
    InMemoryRunTable,
    KeptRejections,
    LambdaContext,
    model_in_service,
    sample,
    workload,
)

EVENT = sample("signalbox/CycleFeaturesReady.json")


@pytest.fixture
def world(monkeypatch):
    models = InMemoryModels({"hvac": model_in_service()})
    due = Due({"hvac": workload(prediction={})}, models, InMemoryRunTable())
    monkeypatch.setattr(app, "due", lambda: due)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections())
    return due


def test_units_of_new_features_are_due_once(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    (note,) = world.notes.due("hvac", 9)
    assert note.units == ("unit-0003",)


def test_an_event_of_another_name_is_parked(world):
    app.handler(EVENT | {"detail-type": "CycleFeaturesWithdrawn"}, LambdaContext())
    (parked,) = app.handler.rejections.events.values()
    assert parked.reason == "unreadable-event"
    with pytest.raises(ValueError, match="detail-type"):
        Said[CycleFeaturesReady].model_validate(EVENT | {"detail-type": "Other"})
