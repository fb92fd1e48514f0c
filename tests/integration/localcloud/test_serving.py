"""The endpoint for other processes, real time, and the journal on disk."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localcloud import Cloud, Record
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
