"""Asynchronous invocations: retries in virtual time, destinations, dead letters; and Invoke itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud import Cloud
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
