"""Queues that feed functions, in virtual time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from localcloud import Cloud
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import START, Deploy

DOOR = """
import json

seen = []

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    print(json.dumps(bodies))
    if "raise" in bodies:
        raise ValueError("asked to")
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]}
        for record in event["Records"] if record["body"].startswith("bad")
    ]}
"""


def chain(mapping: str = "", partial: bool = True, queue: str = "") -> str:
    report = "FunctionResponseTypes: [ReportBatchItemFailures]" if partial else ""
    return f"""
{ROLE}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
      {queue}
  Dead: {{Type: AWS::SQS::Queue}}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      {{Runtime: python3.11, Handler: app.handler, CodeUri: Door, Role: !GetAtt Role.Arn, Timeout: 60}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Queue.Arn
      FunctionName: !Ref Door
      {report}
      {mapping}
"""


def send(cloud: Cloud, *bodies: str, **options: Any) -> None:
    for body in bodies:
        cloud.client("sqs").send_message(
            QueueUrl=cloud.physical_id("Queue"), MessageBody=body, **options
        )


def batches(cloud: Cloud) -> list[tuple[float, list[str]]]:
    """(seconds since the start, bodies) of every invocation."""
    cloud.run_until_idle()
    return [
        ((record.at - START).total_seconds(), json.loads(record.detail["line"]))
        for record in cloud.journal
        if record.kind == "log" and record.detail["line"].startswith('["')
    ]


def waiting(cloud: Cloud, queue: str) -> list[str]:
    messages = cloud.client("sqs").receive_message(
        QueueUrl=cloud.physical_id(queue), MaxNumberOfMessages=10
    )
    return [message["Body"] for message in messages.get("Messages", [])]


def test_messages_come_in_batches_and_are_gone_when_done(deploy: Deploy) -> None:
    cloud = deploy(chain("BatchSize: 4"), {"Door/app.py": DOOR})
    send(cloud, *"abcdefghij")
    assert batches(cloud) == [(0, list("abcd")), (0, list("efgh")), (0, list("ij"))]
    assert waiting(cloud, "Queue") == waiting(cloud, "Dead") == []


def test_a_record_has_the_documented_shape(deploy: Deploy) -> None:
    door = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
    cloud = deploy(chain(), {"Door/app.py": door})
    attribute = {"k": {"DataType": "String", "StringValue": "v"}}
    send(cloud, "hello", MessageAttributes=attribute)
    cloud.run_until_idle()
    line = next(r.detail["line"] for r in cloud.journal if r.kind == "log")
    (record,) = json.loads(line)["Records"]
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    stamp = str(int(START.timestamp() * 1000))
    assert record == {
        "body": "hello",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": stamp,
            "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
            "ApproximateFirstReceiveTimestamp": stamp,
        },
        "messageAttributes": {
            "k": {
                "stringValue": "v",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": cloud.stack.attribute("Queue", "Arn"),
        "awsRegion": "eu-west-1",
    }


def test_a_binary_attribute_reaches_the_function_in_base64(deploy: Deploy) -> None:
    door = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
    cloud = deploy(chain(), {"Door/app.py": door})
    send(cloud, "hello", MessageAttributes={"k": {"DataType": "Binary", "BinaryValue": b"\0\xff"}})
    cloud.run_until_idle()
    line = next(r.detail["line"] for r in cloud.journal if r.kind == "log")
    assert json.loads(line)["Records"][0]["messageAttributes"]["k"] == {
        "binaryValue": "AP8=",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Binary",
    }


def test_only_what_failed_comes_again_when_it_is_visible_and_ends_as_a_dead_letter(
    deploy: Deploy,
) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    send(cloud, "good", "bad", "fine")
    assert [bodies for _, bodies in batches(cloud)] == [["good", "bad", "fine"], ["bad"], ["bad"]]
    assert [round(seconds) for seconds, _ in batches(cloud)] == [0, 60, 120]
    assert waiting(cloud, "Dead") == ["bad"]
    (dead,) = [record for record in cloud.journal if record.kind == "dead-letter"]
    assert dead.name == "signalbox-Dead"
    assert round((dead.at - START).total_seconds()) == 180
    assert cloud.journal[dead.cause or 0].name == "signalbox-Queue"


def test_a_function_that_raises_fails_the_whole_batch(deploy: Deploy) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    send(cloud, "one", "raise")
    assert [bodies for _, bodies in batches(cloud)] == [["one", "raise"]] * 3
    assert sorted(waiting(cloud, "Dead")) == ["one", "raise"]
    failed = [record for record in cloud.journal if record.kind == "invocation"]
    assert [record.status for record in failed] == ["failed"] * 3
    assert failed[0].detail["error"] == "ValueError"


def test_without_partial_failures_the_answer_counts_for_nothing(deploy: Deploy) -> None:
    cloud = deploy(chain(partial=False), {"Door/app.py": DOOR})
    send(cloud, "bad")
    assert len(batches(cloud)) == 1
    assert waiting(cloud, "Dead") == []


def test_a_window_gathers_until_it_is_over_or_the_batch_is_full(deploy: Deploy) -> None:
    cloud = deploy(
        chain("BatchSize: 3\n      MaximumBatchingWindowInSeconds: 20"), {"Door/app.py": DOOR}
    )
    send(cloud, *"ab")
    cloud._world.clock.after(5, lambda: send(cloud, *"cd"))
    assert batches(cloud) == [(5, ["a", "b", "c"]), (25, ["d"])]


def test_a_delayed_message_waits(deploy: Deploy) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    send(cloud, "later", DelaySeconds=30)
    ((seconds, bodies),) = batches(cloud)
    assert (round(seconds), bodies) == (30, ["later"])


def test_filters_delete_what_they_do_not_let_through(deploy: Deploy) -> None:
    pattern = '{"body": {"kind": ["wanted"]}}'
    mapping = f"FilterCriteria: {{Filters: [{{Pattern: '{pattern}'}}]}}"
    cloud = deploy(chain(mapping), {"Door/app.py": DOOR})
    wanted = json.dumps({"kind": "wanted"})
    send(cloud, wanted, json.dumps({"kind": "other"}), "no json")
    assert [bodies for _, bodies in batches(cloud)] == [[wanted]]
    assert waiting(cloud, "Queue") == []


def test_a_disabled_mapping_leaves_the_queue_alone(deploy: Deploy) -> None:
    cloud = deploy(chain("Enabled: false"), {"Door/app.py": DOOR})
    send(cloud, "a")
    assert batches(cloud) == []
    assert waiting(cloud, "Queue") == ["a"]


def test_a_batch_names_all_its_causes(deploy: Deploy) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    send(cloud, "a", "b")
    cloud.run_until_idle()
    deliveries = [record.id for record in cloud.journal if record.kind == "delivery"]
    (invocation,) = [record for record in cloud.journal if record.kind == "invocation"]
    assert invocation.detail["causes"] == deliveries
    assert invocation.cause == deliveries[0]


def test_a_reader_of_the_queue_sees_virtual_time_too(deploy: Deploy) -> None:
    cloud = deploy("  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 600}}")
    send(cloud, "a")
    assert waiting(cloud, "Queue") == ["a"]
    assert waiting(cloud, "Queue") == []
    cloud._world.clock.follow(START + timedelta(seconds=601))
    assert waiting(cloud, "Queue") == ["a"]


def test_long_polling_does_not_wait_while_time_stands_still(deploy: Deploy) -> None:
    cloud = deploy("  Queue: {Type: AWS::SQS::Queue}")
    answer = cloud.client("sqs").receive_message(
        QueueUrl=cloud.physical_id("Queue"), WaitTimeSeconds=20
    )
    assert "Messages" not in answer


ANSWERING = """
import json

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    print(json.dumps(bodies))
    return json.loads(bodies[0])
"""


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (None, False),
        ({}, False),
        ({"batchItemFailures": []}, False),
        ({"batchItemFailures": None}, False),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, True),
        ({"batchItemFailures": [{"itemIdentifer": "misspelt"}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": "of no message"}]}, True),
        ({"batchItemFailures": "all"}, True),
        ({"failures": []}, True),
        ("done", True),
        ([], True),
    ],
)
def test_answers_of_every_kind(deploy: Deploy, answer: Any, kept: bool) -> None:
    cloud = deploy(chain(), {"Door/app.py": ANSWERING})
    body = json.dumps(answer)
    send(cloud, body)
    assert batches(cloud) == [(0, [body])] if not kept else len(batches(cloud)) == 3
    assert waiting(cloud, "Dead") == ([body] if kept else [])


CONSUMING = """
import json
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    (record,) = event["Records"]
    print(json.dumps([record["body"]]))
    doing, _, after = record["body"].partition(" then ")
    which = {"QueueUrl": os.environ["URL"], "ReceiptHandle": record["receiptHandle"]}
    if doing == "delete":
        sqs.delete_message(**which)
    else:
        sqs.change_message_visibility(**which, VisibilityTimeout=int(doing))
    if after == "fail":
        raise ValueError("asked to")
"""


def consuming(deploy: Deploy) -> Cloud:
    resources = chain().replace(
        "Timeout: 60}", "Timeout: 60, Environment: {Variables: {URL: !Ref Queue}}}"
    )
    return deploy(resources, {"Door/app.py": CONSUMING})


@pytest.mark.parametrize("after", ["succeed", "fail"])
def test_a_message_deleted_by_another_during_the_work_is_gone(deploy: Deploy, after: str) -> None:
    cloud = consuming(deploy)
    send(cloud, f"delete then {after}")
    assert batches(cloud) == [(0, [f"delete then {after}"])]
    assert waiting(cloud, "Queue") == waiting(cloud, "Dead") == []


def test_a_visibility_changed_during_the_work_is_when_it_comes_again(deploy: Deploy) -> None:
    cloud = consuming(deploy)
    send(cloud, "5 then fail")
    assert [round(seconds) for seconds, _ in batches(cloud)] == [0, 5, 10]
    assert waiting(cloud, "Dead") == ["5 then fail"]


def test_a_message_given_back_by_another_consumer_is_taken_at_once(deploy: Deploy) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    sqs, url = cloud.client("sqs"), cloud.physical_id("Queue")
    send(cloud, "a")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)
    assert batches(cloud) == [(600.001, ["a"])]  # nobody gave it back
    send(cloud, "b")
    message = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"][0]
    cloud._world.clock.after(
        5,
        lambda: sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        ),
    )
    assert batches(cloud)[1:] == [(pytest.approx(605, abs=0.1), ["b"])]


def test_a_queue_deleted_before_its_message_is_taken_calls_nobody(deploy: Deploy) -> None:
    cloud = deploy(chain(), {"Door/app.py": DOOR})
    send(cloud, "a")
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Queue"))
    assert batches(cloud) == []


def test_a_batch_ends_where_the_payload_of_an_invocation_would(deploy: Deploy) -> None:
    door = "import json\ndef handler(event, context):\n    print(json.dumps([str(len(event['Records']))]))\n"
    cloud = deploy(chain(), {"Door/app.py": door})
    for _ in range(7):
        send(cloud, "a" * 1024 * 1024)
    assert [bodies for _, bodies in batches(cloud)] == [["5"], ["2"]]
