import json

from functions.on_quality_report import app
from signalbox.domain.quality import DataQuality
from tests.alerted import SentMessages
from tests.fakes import (
    HeardBus,
    InMemoryObjects,
    KeptRejections,
    LambdaContext,
    object_event,
    sample,
)
from tests.operated import InMemoryLedger, operated

EVENT = "aws.s3/object-created.violations.json"
KEY = sample(EVENT)["detail"]["object"]["key"]
DRIFT = {"feature_name": "a", "constraint_check_type": "baseline_drift_check", "description": "far"}


def composed(monkeypatch, content):
    bus, objects = HeardBus(), InMemoryObjects()
    objects.put(KEY, content)
    quality = DataQuality({"hvac": operated()}, objects, InMemoryLedger(), SentMessages(), bus)
    monkeypatch.setattr(app, "quality", lambda: quality)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(bus))
    for _ in range(2):
        app.handler(object_event(KEY, "a1", "v1", EVENT), LambdaContext())
    return quality


def test_violations_are_warned_of_once(monkeypatch):
    quality = composed(monkeypatch, json.dumps({"violations": [DRIFT]}).encode())
    assert len(quality.topic.messages) == 1
    assert [each.detail_type() for each in quality.bus.heard] == ["DataQualityViolated"]


def test_a_report_that_is_none_is_parked_and_nobody_is_told(monkeypatch):
    quality = composed(monkeypatch, b"[]")
    assert quality.topic.messages == []
    assert {each.detail_type() for each in quality.bus.heard} == {"FileRejected"}
    assert app.handler.rejections.files[KEY].reason == "bad-report"
