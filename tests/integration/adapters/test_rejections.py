import json

import pytest

from signalbox.adapters.objects import Objects
from signalbox.adapters.rejections import Rejections
from signalbox.contracts.backfill import RejectedFile
from signalbox.contracts.rejection import RejectedEvent
from signalbox.errors import Rejected
from tests.fakes import BUCKET, NOON, HeardBus, InMemoryObjects, ref, rejection

KEY = "raw/hvac/a.csv"
PARKED = f"rejected/{KEY}.json"


@pytest.fixture(params=["fake", "moto"])
def objects(request):
    if request.param == "fake":
        return InMemoryObjects()
    request.getfixturevalue("aws")
    return Objects(BUCKET)


def keep(objects, sequencer, reason):
    bus = HeardBus()
    Rejections(objects, bus).keep(rejection(Rejected(reason, "?", line=7), ref(KEY, sequencer)))
    return bus.heard


def test_a_reason_is_written_and_said(objects):
    (event,) = keep(objects, "1", "torn-line")
    kept = json.loads(objects.read(PARKED))
    assert kept == {
        "reason": "torn-line",
        "message": "?",
        "source": {"bucket": BUCKET, "key": KEY, "version_id": "v1", "sequencer": "0" * 31 + "1"},
        "column": None,
        "row": None,
        "line": 7,
        "row_group": None,
        "at": "2026-07-02T12:00:00Z",
    }
    assert (event.rejected_key, event.reason, event.line) == (PARKED, "torn-line", 7)


def test_a_repeat_writes_the_same_bytes(objects):
    keep(objects, "1", "torn-line")
    before = objects.read(PARKED)
    keep(objects, "1", "torn-line")
    assert objects.read(PARKED) == before


def test_an_older_version_is_said_but_does_not_replace_the_newest_reason(objects):
    keep(objects, "2", "new")
    assert [event.reason for event in keep(objects, "1", "old")] == ["old"]
    assert json.loads(objects.read(PARKED))["reason"] == "new"
    keep(objects, "3", "newest")
    assert json.loads(objects.read(PARKED))["reason"] == "newest"


def test_what_somebody_else_left_there_is_replaced(objects):
    objects.put(PARKED, b"not ours")
    keep(objects, "1", "torn-line")
    assert json.loads(objects.read(PARKED))["reason"] == "torn-line"


def test_files_of_a_run_are_parked_alike(objects):
    bus = HeardBus()
    source = ref("history/hvac/b.csv", "1", None)
    Rejections(objects, bus).park(
        RejectedFile(source=source, reason="empty", message="no rows"), NOON
    )
    assert json.loads(objects.read("rejected/history/hvac/b.csv.json"))["reason"] == "empty"
    assert bus.heard[0].workload == "hvac"


def test_an_event_is_parked_whole_and_silently(objects):
    bus = HeardBus()
    event = RejectedEvent(
        door="on_backfill", reason="unreadable-event", message="?", payload={"a": [1]}
    )
    Rejections(objects, bus).keep_event("e1", event)
    assert json.loads(objects.read("rejected/events/on_backfill/e1.json"))["payload"] == {"a": [1]}
    assert bus.heard == []
