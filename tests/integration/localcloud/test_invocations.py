"""Asynchronous invocations: retries in virtual time, destinations, dead letters; and Invoke itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from localcloud import Cloud
from localcloud.errors import DeployError
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import START, Deploy

DOOR = """
attempts = []

def handler(event, context):
    attempts.append(context.aws_request_id)
    if len(attempts) <= event.get("fail", 0):
        raise RuntimeError(f"attempt {len(attempts)}")
    return {"attempts": len(attempts), "id": context.aws_request_id}
"""


def function(properties: str = "") -> str:
    return f"""
{ROLE}
  Dead: {{Type: AWS::SQS::Queue}}
  Told: {{Type: AWS::SQS::Queue}}
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: own}}}}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
      Timeout: 30
{properties}
"""


def invoke(cloud: Cloud, payload: dict[str, Any], kind: str = "Event") -> dict[str, Any]:
    answer: dict[str, Any] = cloud.client("lambda").invoke(
        FunctionName=cloud.physical_id("Door"),
        InvocationType=kind,
        Payload=json.dumps(payload).encode(),
    )
    return answer


def attempts(cloud: Cloud) -> list[tuple[float, str]]:
    cloud.run_until_idle()
    return [
        ((record.at - START).total_seconds(), record.status)
        for record in cloud.journal
        if record.kind == "invocation"
    ]


def messages(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("sqs").receive_message(
        QueueUrl=cloud.physical_id(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])  # fmt: skip
    return found


def test_a_failing_function_is_tried_after_one_and_two_minutes_more(deploy: Deploy) -> None:
    cloud = deploy(function(), {"Door/app.py": DOOR})
    assert invoke(cloud, {"fail": 9})["StatusCode"] == 202
    assert attempts(cloud) == [(0, "failed"), (60, "failed"), (180, "failed")]
    (dead,) = [record for record in cloud.journal if record.kind == "dead-letter"]
    assert dead.status == "lost"  # nobody was named to take it


def test_a_retry_that_works_ends_it(deploy: Deploy) -> None:
    cloud = deploy(function(), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 1})
    assert attempts(cloud) == [(0, "failed"), (60, "ok")]
    assert not [record for record in cloud.journal if record.kind == "dead-letter"]


def test_the_failure_destination_gets_the_record_of_the_invocation(deploy: Deploy) -> None:
    config = """
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Told.Arn}}
"""
    cloud = deploy(function(config), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    assert attempts(cloud) == [(0, "failed"), (60, "failed")]
    (message,) = messages(cloud, "Told")
    told = json.loads(message["Body"])
    assert told["version"] == "1.0"
    assert told["timestamp"] == "2026-01-01T00:01:00.000Z"
    context = told["requestContext"]
    assert context["condition"] == "RetriesExhausted"
    assert context["approximateInvokeCount"] == 2
    assert context["functionArn"].endswith(":function:signalbox-Door:$LATEST")
    assert told["requestPayload"] == {"fail": 9}
    assert told["responseContext"] == {
        "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
    }  # fmt: skip
    assert told["responsePayload"]["errorType"] == "RuntimeError"
    assert told["responsePayload"]["errorMessage"] == "attempt 2"


def test_the_dead_letter_queue_gets_the_event_itself(deploy: Deploy) -> None:
    cloud = deploy(
        function("      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}"),
        {"Door/app.py": DOOR},
    )
    invoke(cloud, {"fail": 9})
    assert len(attempts(cloud)) == 3
    (message,) = messages(cloud, "Dead")
    assert json.loads(message["Body"]) == {"fail": 9}
    assert set(message["MessageAttributes"]) == {"RequestID", "ErrorCode", "ErrorMessage"}


def test_an_event_too_old_for_another_try_ends_early(deploy: Deploy) -> None:
    config = """
      EventInvokeConfig:
        MaximumEventAgeInSeconds: 90
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Told.Arn}}
"""
    cloud = deploy(function(config), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    assert attempts(cloud) == [(0, "failed"), (60, "failed")]
    told = json.loads(messages(cloud, "Told")[0]["Body"])
    assert told["requestContext"]["condition"] == "EventAgeExceeded"


def test_success_can_be_told_to_a_bus(deploy: Deploy) -> None:
    config = """
      EventInvokeConfig:
        DestinationConfig: {OnSuccess: {Type: EventBridge, Destination: !GetAtt Bus.Arn}}
"""
    cloud = deploy(function(config), {"Door/app.py": DOOR})
    invoke(cloud, {})
    cloud.run_until_idle()
    (event,) = [record for record in cloud.journal if record.kind == "event"]
    assert event.name == "Lambda Function Invocation Result - Success"
    assert event.detail["source"] == "lambda"
    assert event.detail["bus"] == "own"
    assert event.detail["detail"]["responsePayload"]["attempts"] == 1


def test_a_synchronous_call_answers_at_once_and_is_never_repeated(deploy: Deploy) -> None:
    cloud = deploy(function(), {"Door/app.py": DOOR})
    failed = invoke(cloud, {"fail": 1}, "RequestResponse")
    assert failed["FunctionError"] == "Unhandled"
    error = json.loads(failed["Payload"].read())
    assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "attempt 1")
    worked = invoke(cloud, {"fail": 1}, "RequestResponse")
    assert "FunctionError" not in worked
    assert json.loads(worked["Payload"].read())["attempts"] == 2
    assert len(attempts(cloud)) == 2


def test_a_dry_run_runs_nothing(deploy: Deploy) -> None:
    cloud = deploy(function(), {"Door/app.py": DOOR})
    assert invoke(cloud, {}, "DryRun")["StatusCode"] == 204
    assert attempts(cloud) == []


def test_every_attempt_is_caused_by_the_same_delivery(deploy: Deploy) -> None:
    rule = """
      Events:
        Rule:
          Type: EventBridgeRule
          Properties: {EventBusName: !Ref Bus, Pattern: {source: [tests]}}
"""
    cloud = deploy(function(rule), {"Door/app.py": DOOR})
    entry = {"Source": "tests", "DetailType": "x", "Detail": '{"fail": 9}', "EventBusName": "own"}
    # the payload of the function is the whole event, which asks for no failure
    cloud.client("events").put_events(Entries=[entry])
    assert attempts(cloud) == [(0, "ok")]
    delivery = next(record for record in cloud.journal if record.kind == "delivery")
    invocation = next(record for record in cloud.journal if record.kind == "invocation")
    assert invocation.cause == delivery.id


@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
def test_a_function_that_was_never_deployed_is_refused(deploy: Deploy, kind: str) -> None:
    cloud = deploy(function(), {"Door/app.py": DOOR})
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="elsewhere", InvocationType=kind, Payload=b"{}")


def config(outcome: str, kind: str, arn: str, more: str = "") -> str:
    return f"""
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        {more}
        DestinationConfig: {{{outcome}: {{Type: {kind}, Destination: {arn}}}}}
"""


def measured(cloud: Cloud, metric: str) -> float:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=metric, Period=86_400, Statistics=["Sum"],
        Dimensions=[{"Name": "FunctionName", "Value": cloud.physical_id("Door")}],
        StartTime=START - timedelta(hours=1), EndTime=START + timedelta(hours=23),
    )  # fmt: skip
    return sum(point["Sum"] for point in answer["Datapoints"])


TOPIC = """
  Topic: {Type: AWS::SNS::Topic}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Told]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Told.Arn
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Told.Arn, RawMessageDelivery: true}
"""


def test_a_topic_can_be_a_destination(deploy: Deploy) -> None:
    to_topic = config("OnFailure", "SNS", "!Ref Topic")
    cloud = deploy(function(to_topic) + TOPIC, {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    assert attempts(cloud) == [(0, "failed")]
    (message,) = messages(cloud, "Told")
    assert json.loads(message["Body"])["requestContext"]["condition"] == "RetriesExhausted"


def test_a_topic_can_take_dead_letters(deploy: Deploy) -> None:
    dead = "      DeadLetterQueue: {Type: SNS, TargetArn: !Ref Topic}"
    cloud = deploy(function(dead) + TOPIC, {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    assert len(attempts(cloud)) == 3
    (message,) = messages(cloud, "Told")
    assert json.loads(message["Body"]) == {"fail": 9}
    attributes = message["MessageAttributes"]
    assert attributes["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}
    assert attributes["ErrorMessage"]["StringValue"] == "attempt 3"


def test_another_function_can_be_a_destination(deploy: Deploy) -> None:
    other = """
  Other:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: Other, Role: !GetAtt Role.Arn}
"""
    listener = "def handler(event, context):\n    print(event['responsePayload']['attempts'])\n"
    cloud = deploy(
        function(config("OnSuccess", "Lambda", "!GetAtt Other.Arn")) + other,
        {"Door/app.py": DOOR, "Other/app.py": listener},
    )
    invoke(cloud, {})
    assert attempts(cloud) == [(0, "ok"), (0, "ok")]
    assert [r.detail["line"] for r in cloud.journal if r.kind == "log"] == ["1"]
    told = next(r for r in cloud.journal if r.kind == "delivery")
    second = [r for r in cloud.journal if r.kind == "invocation"][1]
    assert second.cause == told.id


def test_failure_can_be_told_to_a_bus(deploy: Deploy) -> None:
    to_bus = config("OnFailure", "EventBridge", "!GetAtt Bus.Arn")
    cloud = deploy(function(to_bus), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    cloud.run_until_idle()
    (event,) = [r for r in cloud.journal if r.kind == "event"]
    assert event.name == "Lambda Function Invocation Result - Failure"
    assert event.detail["resources"] == [
        cloud.stack.attribute("Bus", "Arn"),
        cloud.stack.attribute("Door", "Arn") + ":$LATEST",
    ]


def test_destination_and_dead_letter_queue_are_both_served(deploy: Deploy) -> None:
    both = config("OnFailure", "SQS", "!GetAtt Told.Arn")
    both += "      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}"
    cloud = deploy(function(both), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    cloud.run_until_idle()
    assert len(messages(cloud, "Told")) == len(messages(cloud, "Dead")) == 1
    assert measured(cloud, "AsyncEventsReceived") == measured(cloud, "AsyncEventsDropped") == 1


@pytest.mark.parametrize(
    ("properties", "gone", "metric"),
    [
        (config("OnFailure", "SQS", "!GetAtt Told.Arn"), "Told", "DestinationDeliveryFailures"),
        (
            "      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}",
            "Dead",
            "DeadLetterErrors",
        ),
    ],
)
def test_what_cannot_be_handed_over_is_visibly_lost_and_counted(
    deploy: Deploy, properties: str, gone: str, metric: str
) -> None:
    cloud = deploy(function(properties), {"Door/app.py": DOOR})
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id(gone))
    invoke(cloud, {"fail": 9})
    cloud.run_until_idle()
    (lost,) = [r for r in cloud.journal if r.kind == "dead-letter"]
    assert lost.status == "lost"
    assert "NonExistentQueue" in lost.detail["message"]
    assert measured(cloud, metric) == 1


def test_a_destination_larger_than_its_service_takes_is_lost(deploy: Deploy) -> None:
    door = "def handler(event, context):\n    return 'x' * 1_100_000\n"
    cloud = deploy(function(config("OnSuccess", "SQS", "!GetAtt Told.Arn")), {"Door/app.py": door})
    invoke(cloud, {})
    cloud.run_until_idle()
    (lost,) = [r for r in cloud.journal if r.kind == "delivery"]
    assert lost.status == "lost"
    assert measured(cloud, "DestinationDeliveryFailures") == 1


def test_the_youngest_age_ends_before_the_second_retry(deploy: Deploy) -> None:
    aged = """
      EventInvokeConfig:
        MaximumEventAgeInSeconds: 60
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Told.Arn}}
"""
    cloud = deploy(function(aged), {"Door/app.py": DOOR})
    invoke(cloud, {"fail": 9})
    assert attempts(cloud) == [(0, "failed"), (60, "failed")]
    context = json.loads(messages(cloud, "Told")[0]["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 2)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("      EventInvokeConfig: {MaximumRetryAttempts: 3}", "must be from 0 to 2, not 3"),
        ("      EventInvokeConfig: {MaximumEventAgeInSeconds: 59}", "must be from 60 to 21600"),
        ("      EventInvokeConfig: {MaximumEventAgeInSeconds: 21601}", "must be from 60 to 21600"),
        (config("OnFailure", "SQS", "arn:aws:s3:::bucket"), "is not a supported destination"),
        (
            "      DeadLetterQueue: {Type: SQS, TargetArn: 'arn:aws:sqs:eu-west-1:1:q.fifo'}",
            "is no standard queue or topic",
        ),
    ],
)
def test_what_lambda_would_refuse_is_refused(deploy: Deploy, properties: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(function(properties), {"Door/app.py": DOOR})
