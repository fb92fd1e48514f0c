"""The stock AWS CLI, from an environment of its own, against a real `signalbox up`."""

from __future__ import annotations

import io
import json
import os
import subprocess

import pyarrow.parquet as pq
import pytest

from localcloud.journal import from_line
from tests.conftest import ROOT
from tests.e2e.served import up

AWS = ROOT / ".venv-awscli" / "bin" / "aws"


@pytest.fixture(scope="module")
def cloud(build, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with up(home=home) as running:
        yield running


@pytest.fixture
def aws(cloud, tmp_path):
    def run(*arguments: str):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_DEFAULT_OUTPUT": "json",
        }
        ran = subprocess.run(
            [str(AWS), "--endpoint-url", cloud.endpoint, *arguments],
            capture_output=True, text=True, check=False, env=environment, cwd=tmp_path,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout) if ran.stdout.strip().startswith(("{", "[")) else ran.stdout

    if not AWS.is_file():
        pytest.fail("no AWS CLI: run `make test`, which installs it into .venv-awscli")
    return run


def records(cloud):
    with (cloud.home / "trace.jsonl").open(encoding="utf-8") as file:
        return [from_line(line) for line in file]


def events_of(cloud, key):
    return [
        record.detail["detail"]
        for record in records(cloud)
        if record.kind == "event"
        and record.name == "Object Created"
        and record.detail["detail"]["object"]["key"] == key
    ]


def ready(cloud, key):
    return [
        record
        for record in records(cloud)
        if record.name == "CycleFeaturesReady" and record.detail["detail"]["source"]["key"] == key
    ]


def test_a_file_copied_in_is_processed_and_its_output_copied_out(cloud, aws, tmp_path, hvac_file):
    bucket = cloud.note()["bucket"]
    (tmp_path / "day.parquet").write_bytes(hvac_file())
    key = "raw/hvac/unit=A1/day.parquet"
    aws("s3", "cp", "day.parquet", f"s3://{bucket}/{key}")
    cloud.until(f"CycleFeaturesReady   {key}")
    listing = aws("s3", "ls", "--recursive", f"s3://{bucket}/fragments/{key}/")
    fragment = listing.split()[3]
    aws("s3", "cp", f"s3://{bucket}/{fragment}", "fragment.parquet")
    assert pq.read_table(tmp_path / "fragment.parquet").num_rows > 0

    items = aws("dynamodb", "scan", "--table-name", "signalbox-IdempotencyTable")
    assert items["Count"] == 1
    told = aws("logs", "filter-log-events", "--log-group-name",
               cloud.note()["log_groups"]["OnSensorFile"])  # fmt: skip
    assert any("day.parquet" in event["message"] for event in told["events"])


def test_a_large_file_in_parts_is_one_event_and_one_processing(cloud, aws, tmp_path, hvac_file):
    bucket, key = cloud.note()["bucket"], "raw/hvac/unit=B1/large.parquet"
    table = pq.read_table(io.BytesIO(hvac_file(of="B1", rows=60_000)))
    pq.write_table(table, tmp_path / "large.parquet", compression="none", use_dictionary=False)
    assert (tmp_path / "large.parquet").stat().st_size > 8 * 1024 * 1024

    aws("s3", "cp", "large.parquet", f"s3://{bucket}/{key}", "--no-progress")
    cloud.until(f"CycleFeaturesReady   {key}")
    (event,) = events_of(cloud, key)
    assert event["reason"] == "CompleteMultipartUpload"
    assert event["object"]["size"] == (tmp_path / "large.parquet").stat().st_size
    assert len(ready(cloud, key)) == 1


def test_events_are_put_and_messages_received(cloud, aws, tmp_path):
    entry = [{"Source": "signalbox", "DetailType": "Hello", "Detail": "{}",
              "EventBusName": "signalbox-signalbox"}]  # fmt: skip
    put = aws("events", "put-events", "--entries", json.dumps(entry))
    assert put["FailedEntryCount"] == 0
    assert put["Entries"][0]["EventId"] in {r.detail.get("event_id") for r in records(cloud)}

    url = aws("sqs", "create-queue", "--queue-name", "by-hand")["QueueUrl"]
    aws("sqs", "send-message", "--queue-url", url, "--message-body", "hello")
    received = aws("sqs", "receive-message", "--queue-url", url)
    assert [message["Body"] for message in received["Messages"]] == ["hello"]


def test_a_door_is_invoked_and_its_log_comes_with_the_answer(cloud, aws, tmp_path):
    sample = ROOT / "events" / "aws.s3" / "object-created.manifest.json"
    answer = aws(
        "lambda", "invoke", "--function-name", "signalbox-OnBackfill", "--log-type", "Tail",
        "--payload", f"file://{sample}", "answer.json",
    )  # fmt: skip
    assert answer["StatusCode"] == 200
    assert answer["LogResult"]
    assert json.loads((tmp_path / "answer.json").read_text()) is None
