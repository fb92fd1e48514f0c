"""State in a folder: what a cloud leaves is what the next one finds, and nothing happens twice."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from localcloud import Cloud
from localcloud.errors import DeployError, StateError
from localcloud.journal import from_line, to_line
from localcloud.keep.keeper import Keeper
from localcloud.trace import Trace
from tests.integration.localcloud import builds

MORE = """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Lost: {Type: AWS::SQS::Queue}
  Later:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Later
      Role: !GetAtt Role.Arn
      EventInvokeConfig:
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Lost.Arn}}
  Plain: {Type: AWS::SQS::Queue}
"""
LATER = """
def handler(event, context):
    print("trying", event["n"])
    raise ValueError("never works")
"""


@pytest.fixture
def build(tmp_path):
    words = "Layer/python/signalbox"
    files = {
        "Door/app.py": builds.DOOR,
        "Later/app.py": LATER,
        f"{words}/__init__.py": "",
        f"{words}/words.py": 'MARK = b" done"\n',
    }
    return builds.write_build(tmp_path, builds.CHAIN + MORE, files)


def cloud_of(build, state):
    return Cloud(build, state=state)


def versions(s3, bucket):
    """All a client can see of a bucket's versions."""
    told = s3.list_object_versions(Bucket=bucket)
    kept = [
        {
            **{k: each[k] for k in ("Key", "VersionId", "IsLatest", "LastModified")},
            "e": each.get("ETag"),
        }
        for each in [*told.get("Versions", []), *told.get("DeleteMarkers", [])]
    ]
    bodies = {
        (each["Key"], each["VersionId"]): s3.get_object(
            Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"]
        )["Body"].read()
        for each in told.get("Versions", [])
    }
    return kept, bodies


def test_objects_items_messages_and_logs_are_there_again_and_nobody_is_told(build, tmp_path):
    state = tmp_path / "state"
    with cloud_of(build, state) as first:
        first.deploy()
        s3, bucket = first.client("s3"), first.physical_id("Bucket")
        s3.put_object(Bucket=bucket, Key="raw/a", Body=b"one", Metadata={"by": "me"},
                      ContentType="text/csv", Tagging="kind=raw")  # fmt: skip
        s3.put_object(Bucket=bucket, Key="raw/a", Body=b"two")
        s3.put_object(Bucket=bucket, Key="gone", Body=b"x" * 100_000)
        s3.delete_object(Bucket=bucket, Key="gone")
        first.run_until_idle()
        item = {"id": {"S": "1"}, "n": {"N": "1.50"}, "b": {"B": b"\x00\xff"}, "s": {"SS": ["x"]}}
        first.client("dynamodb").put_item(TableName=first.physical_id("Table"), Item=item)
        sqs, plain = first.client("sqs"), first.physical_id("Plain")
        words = {"DataType": "String", "StringValue": "w"}
        sent = sqs.send_message(QueueUrl=plain, MessageBody="hello", MessageAttributes={"a": words})
        sqs.receive_message(QueueUrl=plain, VisibilityTimeout=0)
        before = versions(s3, bucket)
        events = [r.detail["event_id"] for r in first.journal if r.kind == "event"]
        journal = [to_line(record) for record in first.journal]
        ended = first.now()

    with cloud_of(build, state) as second:
        second.deploy()
        second.run_until_idle()
        assert [to_line(record) for record in second.journal] == journal  # nothing happened
        s3 = second.client("s3")
        assert versions(s3, bucket) == before
        newest = s3.list_object_versions(Bucket=bucket, Prefix="raw/a")["Versions"]
        oldest = newest[-1]["VersionId"]
        got = s3.get_object(Bucket=bucket, Key="raw/a", VersionId=oldest)
        assert (got["Metadata"], got["ContentType"]) == ({"by": "me"}, "text/csv")
        tags = s3.get_object_tagging(Bucket=bucket, Key="raw/a", VersionId=oldest)["TagSet"]
        assert tags == [{"Key": "kind", "Value": "raw"}]
        items = second.client("dynamodb").scan(TableName=second.physical_id("Table"))["Items"]
        assert items == [item]
        sqs = second.client("sqs")
        (message,) = sqs.receive_message(
            QueueUrl=plain, AttributeNames=["All"], MessageAttributeNames=["All"]
        )["Messages"]
        assert message["MessageId"] == sent["MessageId"]
        assert message["Attributes"]["ApproximateReceiveCount"] == "2"
        assert message["MessageAttributes"]["a"]["StringValue"] == "w"
        lines = second.client("logs").filter_log_events(logGroupName="/aws/lambda/signalbox-Door")
        assert any("doing raw/a" in event["message"] for event in lines["events"])
        assert second.now() > ended

        s3.put_object(Bucket=bucket, Key="raw/new", Body=b"three")
        second.run_until_idle()
        fresh = [r for r in second.journal if r.kind == "event"][len(events) :]
        assert fresh
        assert not {r.detail["event_id"] for r in fresh} & set(events)  # no id comes twice
        assert s3.get_object(Bucket=bucket, Key="done/raw/new")["Body"].read() == b"three done"
        assert len(Trace(second.journal).below(fresh[0])) > 4

    with cloud_of(build, state) as third:
        third.deploy()
        assert (
            third.client("s3").get_object(Bucket=bucket, Key="raw/new")["Body"].read() == b"three"
        )


def test_what_waits_for_its_next_attempt_is_done_by_the_next_cloud(build, tmp_path):
    state = tmp_path / "state"

    def tries(cloud):
        return [r.detail["attempt"] for r in cloud.journal if r.kind == "invocation"]

    with cloud_of(build, state) as first:
        first.deploy()
        aws, function = first.client("lambda"), first.physical_id("Later")
        aws.invoke(FunctionName=function, InvocationType="Event", Payload='{"n": 7}')
        task = first._world.clock.take(until=first.now())
        task()
        assert tries(first) == [1]
        began = first.now()
    assert first.left_behind == []
    kept = json.loads(next((state / "parts").glob("agenda-*.json")).read_text())
    assert [each["task"] for each in kept] == ["Invocations._attempt"]

    with cloud_of(build, state) as second:
        second.deploy()
        second.run_until_idle()
        assert tries(second) == [1, 2, 3]
        (letter,) = second.dead_letters.waiting("signalbox-Lost")
        assert letter.why == "ValueError: never works"
        times = [r.at for r in second.journal if r.kind == "invocation"]
        assert times[1] - began >= timedelta(seconds=60)


def test_a_message_in_flight_is_seen_again_by_its_poller(build, tmp_path):
    state = tmp_path / "state"
    with cloud_of(build, state) as first:
        first.deploy()
        bucket = first.physical_id("Bucket")
        first.client("s3").put_object(Bucket=bucket, Key="raw/bad", Body=b"")
        clock = first._world.clock
        while not any(r.kind == "invocation" for r in first.journal):
            clock.take(until=first.now())()
    with cloud_of(build, state) as second:
        second.deploy()
        second.run_until_idle()
        assert sum(r.kind == "invocation" for r in second.journal) == 3  # one before, two after
        (letter,) = second.dead_letters.waiting()
        assert letter.about == "Object Created raw/bad"
        root = Trace(second.journal).roots()[0]
        kinds = [r.kind for r in Trace(second.journal).below(root)]
        assert kinds[-1] == "dead-letter"


def test_details_that_look_like_bytes_written_are_kept_as_they_are(build, tmp_path):
    state = tmp_path / "state"
    detail = {"a": {"base64": "not base64!"}, "b": {"base64": "aGk="}, "c": {"!base64": [1]}}
    entry = {"Source": "x", "DetailType": "y", "Detail": json.dumps(detail)}
    with cloud_of(build, state) as first:
        first.deploy()
        first.client("events").put_events(Entries=[entry])
    with cloud_of(build, state) as second:
        second.deploy()
        second.run_until_idle()
        (event,) = [each for each in second.journal if each.kind == "event"]
        assert event.detail["detail"] == detail


def test_nothing_is_answered_any_more_when_the_last_save_begins(build, tmp_path, monkeypatch):
    answered = []

    def told(keeper, *of):
        address = urlsplit(endpoint)
        with socket.socket() as probe:
            answered.append(probe.connect_ex((address.hostname, address.port)) == 0)
        save(keeper, *of)

    save = Keeper.save
    with cloud_of(build, tmp_path / "state") as cloud:
        cloud.deploy()
        endpoint = cloud.endpoint
        monkeypatch.setattr(Keeper, "save", told)
    assert answered == [False]
    assert (tmp_path / "state" / "manifest.json").is_file()


def test_a_start_that_fails_leaves_no_new_folder(build, tmp_path):
    template = build / "template.yaml"
    template.write_text(
        template.read_text().replace("  Plain: {Type: AWS::SQS", "  Plain: {Type: X")
    )
    state = tmp_path / "a" / "state"
    with pytest.raises(DeployError), cloud_of(build, state) as cloud:
        cloud.deploy()
    assert not (tmp_path / "a").exists()
    state.mkdir(parents=True)
    with pytest.raises(DeployError), cloud_of(build, state) as cloud:
        cloud.deploy()
    assert list(state.iterdir()) == []  # it was there before


def saved(build, state):
    with cloud_of(build, state) as cloud:
        cloud.deploy()
        cloud.client("s3").put_object(
            Bucket=cloud.physical_id("Bucket"), Key="other/x", Body=b"kept"
        )
        cloud.run_until_idle()


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "lock"}


def damage_manifest(state):
    (state / "manifest.json").write_text("{")
    return "manifest.json"


def other_schema(state):
    manifest = json.loads((state / "manifest.json").read_text())
    (state / "manifest.json").write_text(json.dumps({**manifest, "schema": 99}))
    return "schema 99"


def change_part(state):
    part = next((state / "parts").glob("tables-*.json"))
    part.write_text(part.read_text() + " ")
    return part.name


def lose_part(state):
    part = next((state / "parts").glob("queues-*.json"))
    part.unlink()
    return part.name


def damage_blob(state):
    blob = next((state / "blobs").iterdir())
    blob.write_bytes(b"kepT")
    return blob.name


def lead_outside(state):
    manifest = json.loads((state / "manifest.json").read_text())
    manifest["files"]["tables"]["file"] = "../../secret.json"
    (state / "manifest.json").write_text(json.dumps(manifest))
    return "secret.json"


def list_journal_of_something_else(state):
    """Everything checked fits, but it is no journal."""
    manifest = json.loads((state / "manifest.json").read_text())
    manifest["files"]["journal"] = manifest["files"]["queues"]
    (state / "manifest.json").write_text(json.dumps(manifest))
    return "cannot be taken up"


def foreign(state):
    (state / "manifest.json").unlink()
    (state / "thesis.odt").write_text("mine")
    return "thesis.odt"


@pytest.mark.parametrize(
    "harm",
    [
        damage_manifest, other_schema, change_part, lose_part, damage_blob, lead_outside,
        list_journal_of_something_else, foreign,
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_folder_is_refused_by_name_and_left_alone(build, tmp_path, harm):
    state = tmp_path / "state"
    saved(build, state)
    named = harm(state)
    before = contents(state)
    with pytest.raises(StateError) as caught, cloud_of(build, state):
        pass
    assert named in str(caught.value)
    assert contents(state) == before


def test_the_state_of_another_template_is_refused(build, tmp_path):
    state = tmp_path / "state"
    saved(build, state)
    before = contents(state)
    template = build / "template.yaml"
    template.write_text(template.read_text().replace("  Plain: {Type", "  Plan: {Type"))
    with cloud_of(build, state) as cloud, pytest.raises(StateError, match=r"Plain .*missing"):
        cloud.deploy()
    assert contents(state) == before


def test_two_clouds_do_not_share_a_folder(build, tmp_path):
    from localcloud.keep.folder import StateFolder

    state = tmp_path / "state"
    saved(build, state)
    holder = StateFolder(state)
    holder.open()
    try:
        with pytest.raises(StateError, match="another local cloud"), cloud_of(build, state):
            pass
    finally:
        holder.close()


def test_an_interrupted_save_leaves_the_state_before_it(build, tmp_path):
    state = tmp_path / "state"
    saved(build, state)
    (state / "parts" / "tables-0123456789abcdef.json.new").write_text('{"half')
    (state / "blobs" / "half.new").write_bytes(b"half")
    with cloud_of(build, state) as cloud:
        cloud.deploy()
        body = cloud.client("s3").get_object(Bucket=cloud.physical_id("Bucket"), Key="other/x")
        assert body["Body"].read() == b"kept"
    assert not list(state.rglob("*.new"))


def test_what_cannot_be_kept_is_told(build, tmp_path):
    with cloud_of(build, tmp_path / "state") as cloud:
        cloud.deploy()
        cloud._world.clock.after(3600, lambda: None)
    (told,) = cloud.left_behind
    assert "lambda" in told


def test_a_bucket_made_by_a_client_is_kept_too(build, tmp_path):
    state = tmp_path / "state"
    where = {"LocationConstraint": "eu-west-1"}
    with cloud_of(build, state) as cloud:
        cloud.deploy()
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="mine", CreateBucketConfiguration=where)
        s3.put_object(Bucket="mine", Key="k", Body=b"v")
    with cloud_of(build, state) as cloud:
        cloud.deploy()
        assert cloud.client("s3").get_object(Bucket="mine", Key="k")["Body"].read() == b"v"


def test_records_keep_their_real_times_through_a_line():
    from datetime import UTC, datetime

    from localcloud.journal import Record

    record = Record(1, None, datetime(2026, 1, 1, tzinfo=UTC), "event", "x", "ok", {}, 1.5, 2.5)
    again = from_line(to_line(record))
    assert (again.began, again.took) == (1.5, 2.5)


def test_an_idle_cloud_is_saved_once_and_again_only_after_a_change(build, tmp_path):
    manifest = tmp_path / "state" / "manifest.json"
    with cloud_of(build, tmp_path / "state") as cloud:
        cloud.deploy()
        keeper, parts = cloud._keeper, (cloud._world, cloud._reactions)

        def saved_at():
            keeper._next_save = 0.0
            keeper.save_if_changed(*parts)
            return manifest.stat().st_mtime_ns

        first = saved_at()
        assert saved_at() == first
        cloud.client("s3").put_object(Bucket=cloud.physical_id("Bucket"), Key="x", Body=b"")
        second = saved_at()
        assert second > first
        assert saved_at() == second


def test_a_program_under_way_is_waited_for_before_the_state_is_saved(build, tmp_path):
    stop, hurry, go, began = (threading.Event() for _ in range(4))
    ended = []

    def work():
        began.set()
        go.wait()
        return "done"

    with cloud_of(build, tmp_path / "state") as cloud:
        cloud.deploy()
        cloud._world.clock.after(0, lambda: cloud._real_time.outside(work, ended.append))
        serving = threading.Thread(target=cloud.serve, args=(stop, None, hurry))
        serving.start()
        began.wait()
        stop.set()
        serving.join(0.2)
        assert serving.is_alive()
        go.set()
        serving.join()
    assert ended == ["done"]
