"""Events of AWS and of the house, as the samples under events/ show them."""

import json

import pytest
from pydantic import ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.contracts.glue import JobStateChange
from signalbox.contracts.own import OWN_EVENTS, CycleFeaturesReady, ObjectRef
from signalbox.contracts.s3 import ObjectCreated, ObjectDeleted
from signalbox.contracts.sqs import QueuedEvent
from tests.fakes import EVENTS, batch, object_event, sample


def test_object_created_tells_which_version_of_what():
    event = ObjectCreated.model_validate(sample("aws.s3/object-created.json"))
    assert event.ref == ObjectRef(
        bucket="signalbox-databucket-example",
        key="raw/hvac/2026/07/01/unit-0003.parquet",
        version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        sequencer="0000000000000000617F08299329D189",
    )
    assert event.time.isoformat() == "2026-07-02T00:05:13+00:00"


def test_keys_arrive_raw_and_unversioned_buckets_name_no_version():
    multipart = ObjectCreated.model_validate(sample("aws.s3/object-created.multipart.json"))
    assert multipart.ref.key == "raw/hvac/2026/07/01/unit 0004 + spare.csv.gz"
    assert (
        ObjectCreated.model_validate(object_event("raw/h/a", version=None)).ref.version_id is None
    )


def test_fields_that_aws_adds_are_tolerated():
    event = sample("aws.s3/object-created.json")
    event["replay-name"] = event["detail"]["novelty"] = event["detail"]["object"]["hue"] = "x"
    assert ObjectCreated.model_validate(event).ref.key


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("detail", "object", "sequencer"), "not hex"),
        (("detail", "object", "sequencer"), None),
        (("detail", "object", "key"), ""),
        (("detail", "bucket", "name"), ""),
        (("detail-type",), "Object Deleted"),
        (("source",), "my.app"),
        (("time",), "yesterday"),
    ],
)
def test_what_is_no_object_created_is_refused(place, value):
    event = sample("aws.s3/object-created.json")
    at = event
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    with pytest.raises(ValidationError):
        ObjectCreated.model_validate(event)


def test_a_deletion_says_whether_only_a_version_went():
    marked = ObjectDeleted.model_validate(sample("aws.s3/object-deleted.json"))
    removed = ObjectDeleted.model_validate(sample("aws.s3/object-deleted.version.json"))
    assert (marked.one_version_only, removed.one_version_only) == (False, True)


def test_glue_states_beyond_the_documented_ones_count_as_failures():
    event = sample("aws.glue/glue-job-state-change.json")
    assert JobStateChange.model_validate(event).succeeded
    assert JobStateChange.model_validate(event).ref is None
    event["detail"]["state"] = "EXPIRED"
    assert not JobStateChange.model_validate(event).succeeded


def test_an_event_is_found_in_a_message():
    message = batch(sample("aws.s3/object-created.json"))["Records"][0]
    queued = QueuedEvent[ObjectCreated].model_validate(message)
    assert queued.message_id == "message-1"
    assert queued.body.ref.key.startswith("raw/hvac/")
    with pytest.raises(ValidationError):
        QueuedEvent[ObjectCreated].model_validate(message | {"body": "{"})


def test_every_event_of_the_house_has_a_sample_that_survives_a_round_trip():
    samples = {path.stem: json.loads(path.read_text()) for path in EVENTS.glob("signalbox/*.json")}
    assert samples.keys() == OWN_EVENTS.keys()
    assert len(samples) >= 5
    for name, envelope in samples.items():
        event = OWN_EVENTS[name].model_validate(envelope["detail"])
        assert envelope["source"] == "signalbox"
        assert envelope["detail-type"] == name
        assert json.loads(event.model_dump_json()) == envelope["detail"]


def test_our_own_events_are_strict():
    detail = sample("signalbox/CycleFeaturesReady.json")["detail"]
    for change in (
        {"extra": 1},
        {"origin": "dream"},
        {"cycles": -1},
        {"start": "2026-07-01T00:00:00"},
    ):
        with pytest.raises(ValidationError):
            CycleFeaturesReady.model_validate(detail | change)


def test_complaints_name_the_place_and_show_no_payload():
    event = sample("aws.s3/object-created.json")
    event["detail"]["object"] = {"key": "", "sequencer": "secret"}
    with pytest.raises(ValidationError) as problem:
        ObjectCreated.model_validate(event)
    said = complaint(problem.value)
    assert said.startswith("detail.object.key: ")
    assert said.endswith("(and 1 more)")
    with pytest.raises(ValidationError) as problem:
        ObjectCreated.model_validate("a secret text")
    assert "secret" not in complaint(problem.value)
