import pytest

from functions.on_windows import app
from signalbox.contracts.keys import parse_windows_manifest_key
from signalbox.domain.scores import Ask
from tests.fakes import (
    HeardBus,
    InMemoryInference,
    InMemoryWindows,
    KeptRejections,
    LambdaContext,
    object_event,
    sample,
    windows_manifest,
)

EVENT = sample("aws.s3/object-created.windows.json")
RUN = parse_windows_manifest_key(EVENT["detail"]["object"]["key"])[1]


@pytest.fixture
def world(monkeypatch):
    windows = InMemoryWindows({RUN: windows_manifest(RUN)})
    ask = Ask(windows, InMemoryInference(), HeardBus())
    monkeypatch.setattr(app, "ask", lambda: ask)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(ask.bus))
    return ask


def test_windows_are_scored_once(world):
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    assert list(world.inference.jobs) == [RUN]
    assert [event.split()[0] for event in world.bus.said()] == ["ScoringStarted"]


def test_a_manifest_elsewhere_is_parked(world):
    app.handler(object_event("windows/hvac/by-hand/manifest.json"), LambdaContext())
    (event,) = world.bus.heard
    assert (event.detail_type(), event.reason) == ("FileRejected", "bad-key")
