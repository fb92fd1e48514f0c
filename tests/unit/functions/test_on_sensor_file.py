import pytest

from functions.on_sensor_file import app
from signalbox.contracts.keys import fragment_key
from signalbox.domain.intake import Intake
from tests.fakes import (
    HeardBus,
    InMemoryObjects,
    KeptRejections,
    LambdaContext,
    LineKernel,
    UnguardedOnce,
    batch,
    object_event,
    workload,
)

GOOD, BAD = "raw/hvac/2026/good.csv", "raw/hvac/2026/bad.csv"


@pytest.fixture
def world(monkeypatch):
    bus = HeardBus()
    store = InMemoryObjects(versions={GOOD: [b"1\n2\n"], BAD: [b"1\nbad\n"]})
    intake = Intake({"hvac": workload()}, store, LineKernel(), bus)
    monkeypatch.setattr(app, "intake", lambda: intake)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(bus))
    monkeypatch.setitem(app.handler.__dict__, "once", UnguardedOnce())
    return intake


def test_good_files_become_fragments_and_bad_ones_reasons(world):
    answer = app.handler(batch(object_event(BAD), object_event(GOOD)), LambdaContext())
    assert answer == {"batchItemFailures": []}
    assert fragment_key(GOOD, "617f08299329d189") in world.store.state()
    assert [event.detail_type() for event in world.bus.heard] == [
        "FileRejected",
        "CycleFeaturesReady",
    ]
    assert app.handler.rejections.files[BAD].line == 2


def test_delivered_twice_it_is_cut_once(world):
    for _ in range(2):
        app.handler(batch(object_event(GOOD)), LambdaContext())
    assert world.kernel.cuts == 1
    assert len(world.bus.said()) == 1


def test_nothing_happens_at_import_and_missing_settings_fail_the_message_only():
    app.intake.cache_clear()
    app.handler.once = UnguardedOnce()
    try:
        answer = app.handler(batch(object_event(GOOD)), LambdaContext())
    finally:
        del app.handler.once
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
