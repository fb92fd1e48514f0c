import pytest

from functions.on_sensor_file_deleted import app
from signalbox.contracts.keys import tombstone_key
from signalbox.domain.intake import Withdrawal
from tests.fakes import HeardBus, InMemoryObjects, LambdaContext, sample

KEY = "raw/hvac/2026/07/01/unit-0003.parquet"


@pytest.fixture
def world(monkeypatch):
    withdrawal = Withdrawal(InMemoryObjects(versions={KEY: [b"1\n"]}), HeardBus())
    monkeypatch.setattr(app, "withdrawal", lambda: withdrawal)
    return withdrawal


def test_a_delete_marker_withdraws(world):
    event = sample("aws.s3/object-deleted.json")
    for _ in range(2):
        app.handler(event, LambdaContext())
    assert world.store.state()[tombstone_key(KEY, "617f0837b476e463")] == b"{}"
    assert [line.split()[0] for line in world.bus.said()] == ["CycleFeaturesWithdrawn"]


def test_a_version_removed_from_a_file_that_stands_withdraws_nothing(world):
    app.handler(sample("aws.s3/object-deleted.version.json"), LambdaContext())
    assert list(world.store.state()) == [KEY]
    assert world.bus.heard == []
