"""Commands beside a running `signalbox up`: invoke, logs, trace, dead-letters, redrive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import boto3
import pytest

from tests.conftest import ROOT
from tests.e2e.served import signalbox, up

SAMPLES = ROOT / "events" / "aws.s3"


@pytest.fixture(scope="module")
def cloud(build, tmp_path_factory):
    with up(home=tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def ask(cloud):
    return lambda *arguments, **more: signalbox(*arguments, home=cloud.home, **more)


@pytest.fixture
def client(cloud):
    return lambda service: boto3.client(service, endpoint_url=cloud.endpoint)


def test_a_door_is_invoked_by_its_folders_name_and_answers_as_json(ask):
    by_file = ask("invoke", "on_backfill", SAMPLES / "object-created.manifest.json", "--logs")
    assert by_file.returncode == 0, by_file.stderr
    assert json.loads(by_file.stdout) is None
    assert "does not exist (any more)" in by_file.stderr  # its log: the sample names no object here

    event = (SAMPLES / "object-created.json").read_text()
    by_stdin = ask("invoke", "OnSensorFile", "-", text=event)
    assert by_stdin.returncode == 0, by_stdin.stderr
    assert json.loads(by_stdin.stdout) == {"batchItemFailures": []}
    assert "RawFileQueue" in by_stdin.stderr  # wrapped as its queue would


def test_a_function_that_fails_is_exit_code_1_with_the_end_of_its_log(ask):
    ran = ask("invoke", "on_sensor_file", "-", "--raw", text="{}")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["errorType"]
    assert "failed (Unhandled)" in ran.stderr
    assert "RequestId" in ran.stderr


def test_an_asynchronous_invocation_is_only_queued(cloud, ask):
    sample = SAMPLES / "object-created.manifest.json"
    before = sum("FileRejected" in line for line in cloud.said)
    ran = ask("invoke", "on_backfill", sample, "--async")
    assert ran.returncode == 0
    assert "signalbox trace" in ran.stdout
    cloud.until("FileRejected", before + 1)


@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        (
            ("invoke", "on_nothing", "-"),
            "{}",
            "no door 'on_nothing'; there are: find_model, judge_predictions",
        ),
        (("invoke", "on_backfill", "-"), '{"a":\n 1,}', "not JSON: Expecting property name"),
        (("invoke", "on_backfill", "-"), '{"a":\n 1,}', "at line 2, column 4"),
        (("invoke", "on_backfill", "nowhere.json"), None, "nowhere.json"),
        (("logs", "on_nothing"), None, "no door 'on_nothing'"),
        (("logs", "--since", "soon"), None, "such as 90s, 10m"),
        (("redrive", "nobody"), None, "event_dead_letters, raw_file_dead_letters"),
        (("redrive", "--max", "0"), None, "--max"),
    ],
)
def test_bad_use_is_one_message_and_exit_code_2(ask, arguments, text, words):
    ran = ask(*arguments, text=text)
    assert ran.returncode == 2
    assert words in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("invoke", "on_backfill", "-"),
        ("logs",),
        ("dead-letters",),
        ("redrive",),
        ("upload", "README.md", "--workload", "hvac"),
    ],
)
@pytest.mark.parametrize("note", [None, {"endpoint": "http://127.0.0.1:9", "pid": 2**22 + 1}])
def test_without_a_cloud_the_way_out_is_named(tmp_path, arguments, note):
    if note is not None:  # of a cloud that was killed
        (tmp_path / "up.json").write_text(json.dumps(note))
    ran = signalbox(*arguments, home=tmp_path, text="{}")
    assert ran.returncode == 2
    assert "start one with `signalbox up`" in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def test_logs_are_shown_by_door_and_followed_until_ctrl_c(cloud, ask):
    ask("invoke", "on_backfill", SAMPLES / "object-created.manifest.json")
    shown = ask("logs", "on_backfill", "--since", "5m")
    assert shown.returncode == 0
    assert "on_backfill" in shown.stdout
    assert "no-such-object" in shown.stdout
    assert "on_sensor_file " not in shown.stdout
    command = [sys.executable, "-u", "-m", "cli.main", "logs", "on_glue_job_change", "--follow"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "SIGNALBOX_HOME": str(cloud.home), "COLUMNS": "200"},
    ) as following:  # fmt: skip
        ask("invoke", "on_glue_job_change", ROOT / "events/aws.glue/glue-job-state-change.json")
        assert "on_glue_job_change" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 0


def test_an_event_that_no_rule_could_deliver_is_shown_and_sent_back(cloud, ask, client):
    lambdas, s3 = client("lambda"), client("s3")
    bucket, function = cloud.note()["bucket"], "signalbox-OnBackfill"
    policy = json.loads(lambdas.get_policy(FunctionName=function)["Policy"])
    (statement,) = policy["Statement"]
    lambdas.remove_permission(FunctionName=function, StatementId=statement["Sid"])
    assert ask("dead-letters").returncode == 0
    s3.put_object(Bucket=bucket, Key="backfill/x.json", Body=b"{}")
    cloud.until("dead-letter signalbox-EventDeadLetters")

    for _ in range(2):  # looking consumes nothing
        shown = ask("dead-letters")
        assert shown.returncode == 1
        words = " ".join(shown.stdout.split())
        assert "EventDeadLetters: 1 message" in words
        assert "NO_PERMISSIONS" in words
        assert "backfill/x.json" in words
    queue = cloud.note()["queues"]["EventDeadLetters"]
    (message,) = client("sqs").receive_message(
        QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"], VisibilityTimeout=0
    )["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"

    lambdas.add_permission(
        FunctionName=function, StatementId="again", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
    )  # fmt: skip
    back = ask("redrive", "event_dead_letters", "--max", "1")
    assert back.returncode == 0, back.stdout
    assert "1 back to OnBackfill" in back.stdout
    cloud.until("FileRejected         backfill/x.json")
    assert ask("dead-letters").returncode == 0
    assert "Nothing to send back" in ask("redrive").stdout

    traced = ask("trace", "backfill/x.json")
    lines = traced.stdout.splitlines()
    order = ["dead-letter", "redrive", "delivery", "invocation", "FileRejected"]
    places = [next(k for k, line in enumerate(lines) if word in line) for word in order[1:]]
    assert next(k for k, line in enumerate(lines) if "dead-letter" in line) < places[0]
    # more may have come of it meanwhile
    assert ask("trace", message["MessageId"]).stdout.splitlines()[0] == lines[0]


def test_a_message_goes_back_to_its_queue_as_a_new_message(cloud, ask, client):
    event = json.loads((SAMPLES / "object-created.json").read_text())
    key = "raw/hvac/unit=Z9/lost.csv"
    bucket = cloud.note()["bucket"]
    event["detail"]["bucket"]["name"], event["detail"]["object"]["key"] = bucket, key
    dead = cloud.note()["queues"]["RawFileDeadLetters"]
    sent = client("sqs").send_message(QueueUrl=dead, MessageBody=json.dumps(event))["MessageId"]
    assert key in " ".join(ask("dead-letters").stdout.split())
    back = ask("redrive", "raw_file_dead_letters")
    assert "1 back to RawFileQueue" in back.stdout, back.stdout
    traced = ask("trace", sent)
    assert traced.returncode == 0
    assert "redrive RawFileDeadLetters" in traced.stdout


def test_the_trace_lists_what_came_in_and_writes_a_page(cloud, ask, tmp_path):
    listed = ask("trace")
    assert listed.returncode == 0
    assert "OnBackfill" in listed.stdout
    number = next(
        line.split("│")[1].strip() for line in listed.stdout.splitlines() if "OnBackfill" in line
    )
    assert f"#{number}" in ask("trace", number).stdout
    page = tmp_path / "deep" / "trace.html"
    written = ask("trace", number, "--html", page)
    assert written.returncode == 0
    assert "OnBackfill" in page.read_text()
    assert ask("trace", "no-such-thing").returncode == 1
