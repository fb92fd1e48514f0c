"""Delivery semantics under the real Powertools: what is acknowledged, retried, parked, counted."""

import json

import pytest

from signalbox.contracts.glue import JobStateChange
from signalbox.contracts.s3 import ObjectCreated
from signalbox.errors import Misconfigured, Rejected, Transient
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import (
    OnBackfillSettings,
    OnGlueJobChangeSettings,
    OnSensorFileSettings,
)
from tests.fakes import KeptRejections, LambdaContext, UnguardedOnce, batch, object_event, sample

MANIFEST = "aws.s3/object-created.manifest.json"


class Handler:
    """Answers each key as told; remembers what it saw."""

    def __init__(self, **answers):
        self.answers = answers
        self.seen = []

    def __call__(self, event):
        key = event.ref.key if event.ref else "run"
        self.seen.append(key)
        answer = self.answers.get(key.rpartition("/")[2], "done")
        if isinstance(answer, Exception):
            raise answer
        return answer


def single(**answers):
    door = entrypoint(ObjectCreated, OnBackfillSettings)(Handler(**answers))
    door.rejections = KeptRejections()
    return door


def batched(**answers):
    door = entrypoint(ObjectCreated, OnSensorFileSettings, batch=True)(Handler(**answers))
    door.rejections = KeptRejections()
    door.once = UnguardedOnce()
    return door


def counts(lines):
    """Counts by name, from the embedded metric format among the lines."""
    found = {}
    for line in map(json.loads, lines):
        for group in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert group["Namespace"] == "Signalbox"
            for metric in group["Metrics"]:
                values = line[metric["Name"]]
                found[metric["Name"]] = sum(values) if isinstance(values, list) else values
    return found


def logs(lines):
    return [line for line in map(json.loads, lines) if "_aws" not in line]


def test_an_outcome_is_logged_and_counted(capsys):
    door = single()
    assert door(object_event("backfill/a"), LambdaContext()) is None
    lines = capsys.readouterr().out.splitlines()
    assert counts(lines) == {"done": 1}
    (line,) = logs(lines)
    assert (line["message"], line["service"], line["key"], line["version_id"]) == (
        "done",
        "on_backfill",
        "backfill/a",
        "v1",
    )
    assert line["request_id"] == LambdaContext().aws_request_id


def test_rejected_is_parked_counted_and_acknowledged(capsys):
    door = single(a=Rejected("bad-manifest", "no keys", line=2))
    event = object_event("backfill/a")
    assert door(event, LambdaContext()) is None
    kept = door.rejections.files["backfill/a"]
    assert (kept.reason, kept.line, kept.source.version_id) == ("bad-manifest", 2, "v1")
    assert kept.at.isoformat() == "2026-07-02T00:05:13+00:00"
    (said,) = door.rejections.bus.heard
    assert said.detail_type() == "FileRejected"
    lines = capsys.readouterr().out.splitlines()
    assert counts(lines) == {"rejected": 1}
    assert [(line["level"], line.get("reason")) for line in logs(lines)] == [
        ("WARNING", "bad-manifest"),
        ("INFO", None),
    ]


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        (Transient("slow down"), "transient"),
        (Misconfigured("no such table"), "misconfigured"),
        (ZeroDivisionError("4711"), "failed"),
    ],
)
def test_what_may_work_later_is_counted_and_raised(capsys, problem, name):
    door = single(a=problem)
    with pytest.raises(type(problem)):
        door(object_event("backfill/a"), LambdaContext())
    lines = capsys.readouterr().out.splitlines()
    assert counts(lines) == {name: 1}
    (line,) = logs(lines)
    assert line["level"] == "ERROR"
    assert line["key"] == "backfill/a"
    assert door.rejections.files == {}


def test_an_unforeseen_error_shows_where_it_came_from_but_not_its_text(capsys):
    with pytest.raises(ZeroDivisionError):
        single(a=ZeroDivisionError("secret"))(object_event("backfill/a"), LambdaContext())
    out = capsys.readouterr().out
    assert "secret" not in out
    assert "test_entrypoint.py" in out


def test_an_unreadable_event_is_parked_whole(capsys):
    door = single()
    event = sample(MANIFEST)
    event["detail"]["object"] = "secret"
    door(event, LambdaContext())
    parked = door.rejections.events[event["id"]]
    assert (parked.door, parked.reason, parked.payload) == (
        "on_backfill",
        "unreadable-event",
        event,
    )
    assert "detail.object" in parked.message
    out = capsys.readouterr().out
    assert counts(out.splitlines()) == {"rejected": 1}
    assert "secret" not in out
    assert door.__wrapped__.seen == []


def test_an_event_without_identifier_is_parked_under_the_request():
    door = single()
    door({"hello": "world"}, LambdaContext(aws_request_id="r1"))
    assert list(door.rejections.events) == ["r1"]


def test_a_rejected_event_that_names_no_object_is_parked_whole():
    door = entrypoint(JobStateChange, OnGlueJobChangeSettings)(Handler(run=Rejected("odd", "?")))
    door.rejections = KeptRejections()
    event = sample("aws.glue/glue-job-state-change.json")
    door(event, LambdaContext())
    assert door.rejections.events[event["id"]].payload == event


def test_what_cannot_be_parked_is_not_acknowledged():
    class Full(KeptRejections):
        def keep(self, rejection):
            raise Transient("S3 is slow")

    door = single(a=Rejected("bad-manifest", "no keys"))
    door.rejections = Full()
    with pytest.raises(Transient):
        door(object_event("backfill/a"), LambdaContext())


def test_one_bad_message_never_sinks_the_rest(capsys):
    door = batched(
        bad=Rejected("bad-line", "torn"),
        slow=Transient("later"),
        odd=ValueError("?"),
        wrong=Misconfigured("no bucket"),
    )
    names = ["good", "bad", "slow", "odd", "wrong", "better"]
    events = [object_event(f"raw/hvac/{name}") for name in names]
    answer = door(batch(*events, "{torn"), LambdaContext())
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": f"message-{number}"} for number in (3, 4, 5)]
    }
    assert [key.rpartition("/")[2] for key in door.__wrapped__.seen] == names
    assert list(door.rejections.files) == ["raw/hvac/bad"]
    assert door.rejections.events["message-7"].payload == "{torn"
    lines = capsys.readouterr().out.splitlines()
    assert counts(lines) == {
        "done": 2, "rejected": 2, "transient": 1, "failed": 1, "misconfigured": 1,
    }  # fmt: skip
    for line in logs(lines):
        assert line["message_id"].startswith("message-")


def test_a_batch_in_which_everything_fails_names_every_message():
    door = batched(slow=Transient("later"))
    events = [object_event("raw/hvac/slow"), object_event("raw/pumps/slow")]
    answer = door(batch(*events), LambdaContext())
    assert len(answer["batchItemFailures"]) == 2


def test_fields_of_one_message_do_not_cling_to_the_next(capsys):
    door = batched()
    door(
        batch(object_event("raw/hvac/a"), object_event("raw/hvac/b", version=None)), LambdaContext()
    )
    first, second = logs(capsys.readouterr().out.splitlines())
    assert first["version_id"] == "v1"
    assert "version_id" not in second
    assert (first["key"], second["key"]) == ("raw/hvac/a", "raw/hvac/b")


def test_a_door_keeps_the_name_and_sentence_of_its_handler():
    @entrypoint(ObjectCreated, OnBackfillSettings)
    def handler(event):
        """Do it."""
        return "done"

    assert (handler.__name__, handler.__doc__) == ("handler", "Do it.")
    assert handler.once is None
