import pytest

from functions.on_dataset import app
from signalbox.domain.datasets import DatasetIntake
from tests.fakes import InMemoryRunTable, KeptRejections, LambdaContext, sample, workload
from tests.operated import InMemoryLedger
from tests.promoted import HeardTopic

EVENT = sample("aws.s3/object-created.training.json")


@pytest.fixture
def world(monkeypatch):
    operations = {"owner": "owner@example.com", "card": {"purpose": "to be tested"}}
    intake = DatasetIntake(
        {"abalone": workload("abalone", operations=operations)},
        InMemoryRunTable(),
        InMemoryLedger(),
        HeardTopic(),
    )
    monkeypatch.setattr(app, "intake", lambda: intake)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections())
    return intake


def test_a_file_is_noted_once(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    (note,) = world.notes.due("training/abalone", 9)
    assert note.units == ("training/abalone/2026-07/abalone.csv",)


def test_a_file_of_no_workload_finds_its_place(world):
    event = sample("aws.s3/object-created.training.json")
    event["detail"]["object"]["key"] = "training/nobody/a.csv"
    app.handler(event, LambdaContext())
    (kept,) = app.handler.rejections.files.values()
    assert kept.reason == "unknown-workload"
    assert "abalone" in kept.message
    (mail,) = world.topic.messages
    assert kept.message in mail.body
