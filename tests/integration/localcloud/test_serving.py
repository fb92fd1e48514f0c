"""The endpoint for other processes, real time, and the journal on disk."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localcloud import Cloud, Record
from localcloud.control import HEADER
from localcloud.errors import RestlessError
from localcloud.journal import from_line
from tests.integration.localcloud.builds import ROLE, chain_build
from tests.integration.localcloud.conftest import Deploy


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    path = tmp_path / "journal.jsonl"
    with Cloud(build=chain_build(tmp_path), journal_path=path) as running:
        running.deploy()
        yield running


def outside(cloud: Cloud, service: str) -> Any:
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name="eu-west-1")


def test_any_client_reaches_the_cloud_at_its_endpoint(cloud: Cloud) -> None:
    assert cloud.endpoint.startswith("http://127.0.0.1:")
    assert cloud.endpoint == cloud.endpoint
    bucket = cloud.physical_id("Bucket")
    outside(cloud, "s3").put_object(Bucket=bucket, Key="raw/a", Body=b"1")
    cloud.run_until_idle()
    done = outside(cloud, "s3").get_object(Bucket=bucket, Key="done/raw/a")["Body"].read()
    assert done.startswith(b"1 from")


def test_nothing_listens_after_the_cloud_is_closed(cloud: Cloud) -> None:
    endpoint = cloud.endpoint
    cloud.close()
    names = {thread.name for thread in threading.enumerate()}
    assert "local-cloud-endpoint" not in names
    host, _, port = endpoint.removeprefix("http://").partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def asked(
    cloud: Cloud, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(cloud.endpoint.removeprefix("http://"))
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "headers", "why"),
    [
        ("/", {"Origin": "https://example.com"}, "not pages in a browser"),
        ("/", {"Origin": "null"}, "not pages in a browser"),
        ("/", {"Sec-Fetch-Site": "cross-site"}, "not pages in a browser"),
        ("/_localcloud/dead-letters", {HEADER: "1", "Origin": "http://x"}, "not pages"),
        ("/", {"Host": "rebound.example.com:80"}, "not as rebound.example.com:80"),
        ("/", {"Host": "localhost.example.com"}, "not as localhost.example.com"),
        ("/", {"Host": "motoapi.amazonaws.com"}, "not as motoapi.amazonaws.com"),
        ("/moto-api/data.json", {}, "/moto-api is not served"),
        ("/%6doto-api/data.json", {}, "/moto-api is not served"),
    ],
)
def test_pages_other_names_and_motos_own_api_are_refused(
    cloud: Cloud, path: str, headers: dict[str, str], why: str
) -> None:
    status, said, answered = asked(cloud, path, headers)
    assert status == 403
    assert why in json.loads(said)["error"]
    assert "Access-Control-Allow-Origin" not in answered


def test_nobody_resets_the_cloud(cloud: Cloud) -> None:
    assert asked(cloud, "/moto-api/reset", {}, "POST")[0] == 403
    preflight = {"Origin": "http://x", "Access-Control-Request-Method": "PUT"}
    assert asked(cloud, "/", preflight, "OPTIONS")[0] == 403
    assert cloud.client("s3").head_bucket(Bucket=cloud.physical_id("Bucket"))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:4566", "bucket.localhost:80", "127.0.0.1"]
)
def test_this_machines_names_are_answered(cloud: Cloud, host: str) -> None:
    signed = {"Host": host, "Authorization": "AWS4-HMAC-SHA256 Credential=x/d/eu-west-1/sqs/a"}
    assert asked(cloud, "/_localcloud/dead-letters", {"Host": host, HEADER: "1"})[0] == 200
    assert asked(cloud, "/?Action=ListQueues&Version=2012-11-05", signed)[0] == 200


def made_by_a_client(cloud: Cloud) -> str:
    """A function that the template lacks; its ARN."""
    s3, code = outside(cloud, "s3"), {"S3Bucket": cloud.physical_id("Bucket"), "S3Key": "code"}
    s3.put_object(Bucket=code["S3Bucket"], Key=code["S3Key"], Body=b"")
    role = cloud.stack.attribute("Role", "Arn")
    made = outside(cloud, "lambda").create_function(
        FunctionName="mine", Runtime="python3.11", Role=role, Handler="app.handler", Code=code
    )
    return str(made["FunctionArn"])


@pytest.mark.parametrize("kind", ["Event", "RequestResponse", "DryRun"])
def test_a_function_that_a_client_made_is_not_invoked(cloud: Cloud, kind: str) -> None:
    made_by_a_client(cloud)
    client = outside(cloud, "lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="of the template"):
        client.invoke(FunctionName="mine", InvocationType=kind)
    cloud.run_until_idle()


def test_an_event_for_a_function_that_a_client_made_is_visibly_lost(cloud: Cloud) -> None:
    target, events = made_by_a_client(cloud), outside(cloud, "events")
    events.put_rule(Name="mine", EventPattern='{"source": ["mine"]}')
    events.put_targets(Rule="mine", Targets=[{"Id": "mine", "Arn": target}])
    permission = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    outside(cloud, "lambda").add_permission(FunctionName="mine", StatementId="e", **permission)
    events.put_events(Entries=[{"Source": "mine", "DetailType": "x", "Detail": "{}"}])
    cloud.run_until_idle()
    (failed,) = [record for record in cloud.journal if record.status == "failed"]
    assert failed.detail["target"] == target
    assert failed.detail["message"] == f"there is no {target}"
    (lost,) = [record for record in cloud.journal if record.status == "lost"]
    assert lost.detail["error"] == "NO_RESOURCE"


def test_a_second_stop_ends_a_chain_without_end(tmp_path: Path) -> None:
    stop, hurry = threading.Event(), threading.Event()
    done: list[int] = []

    def again() -> None:
        done.append(1)
        if len(done) == 3:
            stop.set()
            hurry.set()
        if len(done) < 1000:
            cloud._world.clock.after(0, again)

    with Cloud(build=chain_build(tmp_path), state=tmp_path / "state") as cloud:
        cloud.deploy()
        cloud._world.clock.after(0, again)
        cloud.serve(stop, hurry=hurry)
        assert len(done) == 3
        assert len(cloud._world.clock) > 0


@pytest.mark.parametrize("way", ["delete_message", "delete_message_batch", "purge_queue"])
def test_a_message_is_not_deleted_while_another_arrives(cloud: Cloud, way: str) -> None:
    sqs, url = cloud.client("sqs"), cloud.physical_id("Dead")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    options: dict[str, Any] = {
        "delete_message": {"ReceiptHandle": handle},
        "delete_message_batch": {"Entries": [{"Id": "1", "ReceiptHandle": handle}]},
        "purge_queue": {},
    }[way]
    arn = cloud.stack.attribute("Dead", "Arn")
    queue = cloud._world.state._queue(arn)
    deleting = threading.Thread(
        target=getattr(sqs, way), args=(), kwargs={"QueueUrl": url, **options}
    )
    with vars(queue)["_messages_lock"]:  # as long as a message is being added
        deleting.start()
        deleting.join(0.3)
        assert deleting.is_alive()
        assert cloud.messages(arn) == ["x"]
    deleting.join()
    assert cloud.messages(arn) == []


def test_serving_follows_real_time_and_stops_when_told(cloud: Cloud) -> None:
    stop, finished = threading.Event(), threading.Event()
    bucket = cloud.physical_id("Bucket")

    def watch(record: Record) -> None:
        if record.name == "Done":
            finished.set()

    def use() -> None:
        outside(cloud, "s3").put_object(Bucket=bucket, Key="raw/a", Body=b"1")
        finished.wait(60)
        stop.set()

    user = threading.Thread(target=use)
    began = cloud.now()
    user.start()
    cloud.serve(stop, watch)
    user.join()
    assert finished.is_set()
    assert cloud.now() > began
    assert cloud.client("s3").get_object(Bucket=bucket, Key="done/raw/a")


def test_an_error_of_our_own_ends_serving(cloud: Cloud) -> None:
    def broken() -> None:
        raise ZeroDivisionError("ours")

    cloud._world.clock.after(0, broken)
    with pytest.raises(ZeroDivisionError):
        cloud.serve(threading.Event())
    cloud._world.clock.after(0, broken)
    with pytest.raises(ZeroDivisionError):
        cloud.run_until_idle()


def test_the_journal_on_disk_is_the_journal(cloud: Cloud, tmp_path: Path) -> None:
    cloud.client("s3").put_object(Bucket=cloud.physical_id("Bucket"), Key="raw/bad", Body=b"1")
    cloud.run_until_idle()
    lines = (tmp_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    written = sorted((from_line(line) for line in lines), key=lambda record: record.id)
    assert written == list(cloud.journal)
    assert len(written) > 8


LOOP = (
    ROLE
    + """
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: own}}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
      Events:
        Rule: {Type: EventBridgeRule, Properties: {EventBusName: own, Pattern: {source: [loop]}}}
"""
)
LOOP_DOOR = """
import boto3
events = boto3.client("events")
def handler(event, context):
    events.put_events(Entries=[
        {"Source": "loop", "DetailType": "again", "Detail": "{}", "EventBusName": "own"}
    ])
"""


def test_a_chain_that_causes_itself_is_noticed(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = deploy(LOOP, {"Door/app.py": LOOP_DOOR})
    monkeypatch.setattr("localcloud.cloud._MOST_TASKS", 60)
    cloud.client("lambda").invoke(FunctionName=cloud.physical_id("Door"), InvocationType="Event")
    with pytest.raises(RestlessError, match="not idle after 60 tasks"):
        cloud.run_until_idle()
