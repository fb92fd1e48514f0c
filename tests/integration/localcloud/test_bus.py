"""PutEvents, rules, targets, retries and dead letters."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from localcloud import Cloud
from localcloud.deploy.limits import broken
from localcloud.errors import DeliveryError
from tests.integration.localcloud.conftest import START, Deploy


def rule(name: str, targets: str, extra: str = "", pattern: str = "{source: [tests]}") -> str:
    return f"""
  {name}:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {pattern}
      Targets: {targets}
{extra}
"""


QUEUES = """
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: own}}
  Queue: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue, !Ref Dead]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: [!GetAtt Queue.Arn, !GetAtt Dead.Arn]
            Condition: {ArnLike: {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {ArnLike: {"aws:SourceArn": !Sub "arn:aws:sns:*:${AWS::AccountId}:*"}}
"""
TO_QUEUE = "[{Id: q, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}]"


def put(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    entry = {
        "Source": "tests", "DetailType": "Done", "Detail": '{"n": 1}', "EventBusName": "own",
        **changes,
    }  # fmt: skip
    answer: dict[str, Any] = cloud.client("events").put_events(Entries=[entry])
    return answer


def bodies(cloud: Cloud, queue: str = "Queue") -> list[Any]:
    cloud.run_until_idle()
    sqs, url = cloud.client("sqs"), cloud.physical_id(queue)
    found = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        found += messages
    return found


def test_an_event_reaches_the_queue_in_the_shape_of_eventbridge(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + rule("Rule", TO_QUEUE))
    answer = put(cloud, Resources=["r1"], Time=START - timedelta(days=1))
    assert answer["FailedEntryCount"] == 0
    (message,) = bodies(cloud)
    assert json.loads(message["Body"]) == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Done",
        "source": "tests",
        "account": "123456789012",
        "time": "2025-12-31T00:00:00Z",
        "region": "eu-west-1",
        "resources": ["r1"],
        "detail": {"n": 1},
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Source": "aws.glue"}, "NotAuthorizedForSourceException"),
        ({"Detail": "no json"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": '{"n": NaN}'}, "MalformedDetail"),
        ({"Detail": '{"n":' * 5000 + "1" + "}" * 5000}, "MalformedDetail"),
        ({"Source": ""}, "InvalidArgument"),
        ({"EventBusName": "no-such-bus"}, "InvalidArgument"),
        ({"Detail": json.dumps({"x": "y" * 1024 * 1024})}, "ValidationException"),
    ],
)
def test_an_entry_is_refused_with_aws_code(
    deploy: Deploy, changes: dict[str, Any], code: str
) -> None:
    cloud = deploy(QUEUES + rule("Rule", TO_QUEUE))
    answer = put(cloud, **changes)
    assert answer["FailedEntryCount"] == 1
    assert broken("events", "PutEventsResponse", answer) == []
    assert answer["Entries"][0]["ErrorCode"] == code
    assert bodies(cloud) == []


def test_a_refused_entry_does_not_hold_up_the_others(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + rule("Rule", TO_QUEUE))
    good = {"Source": "tests", "DetailType": "Done", "Detail": "{}", "EventBusName": "own"}
    answer = cloud.client("events").put_events(Entries=[{**good, "Source": "aws.s3"}, good])
    assert [set(entry) for entry in answer["Entries"]] == [
        {"ErrorCode", "ErrorMessage"},
        {"EventId"},
    ]
    assert len(bodies(cloud)) == 1


def test_only_enabled_rules_of_the_bus_that_match_react(deploy: Deploy) -> None:
    other = "{source: [tests], detail: {n: [{numeric: ['>', 5]}]}}"
    on_default = rule("OnDefault", TO_QUEUE).replace("EventBusName: !Ref Bus", "")
    cloud = deploy(
        QUEUES
        + rule("Off", TO_QUEUE, "      State: DISABLED")
        + rule("Unmatched", TO_QUEUE, pattern=other)
        + on_default
    )
    put(cloud)
    assert bodies(cloud) == []
    assert [record.kind for record in cloud.journal] == ["event"]
    put(cloud, Detail='{"n": 6}')
    assert len(bodies(cloud)) == 1
    put(cloud, EventBusName="default")
    assert len(bodies(cloud)) == 1


def test_inputs_are_transformed_for_the_target(deploy: Deploy) -> None:
    targets = """
        - {Id: a, Arn: !GetAtt Queue.Arn, Input: '{"constant": 1}'}
        - {Id: b, Arn: !GetAtt Queue.Arn, InputPath: $.detail}
        - Id: c
          Arn: !GetAtt Queue.Arn
          InputTransformer:
            InputPathsMap: {n: $.detail.n}
            InputTemplate: '{"number": <n>}'
    """
    cloud = deploy(QUEUES + rule("Rule", targets))
    put(cloud)
    assert [json.loads(message["Body"]) for message in bodies(cloud)] == [
        {"constant": 1}, {"n": 1}, {"number": 1},
    ]  # fmt: skip


def test_a_target_that_vanished_sends_the_event_to_the_dead_letter_queue_at_once(
    deploy: Deploy,
) -> None:
    cloud = deploy(QUEUES + rule("Rule", TO_QUEUE))
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Queue"))
    put(cloud)
    (message,) = bodies(cloud, "Dead")
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    told = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert told.pop("ERROR_MESSAGE").startswith("there is no arn:aws:sqs")
    assert told == {
        "RULE_ARN": cloud.stack.attribute("Rule", "Arn"),
        "TARGET_ARN": "arn:aws:sqs:eu-west-1:123456789012:signalbox-Queue",
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
    }
    assert cloud.now() == START


def test_without_a_dead_letter_queue_the_loss_is_in_the_journal(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + rule("Rule", "[{Id: q, Arn: !GetAtt Queue.Arn}]"))
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Queue"))
    put(cloud)
    cloud.run_until_idle()
    assert [(record.kind, record.status) for record in cloud.journal] == [
        ("event", "ok"), ("rule", "ok"), ("delivery", "failed"), ("dead-letter", "lost"),
    ]  # fmt: skip


def throttle(cloud: Cloud, times: int) -> None:
    """Targets are too busy the first times."""
    left = iter(range(times))

    def fault(target_arn: str) -> None:
        if next(left, None) is not None:
            raise DeliveryError("THROTTLING", f"{target_arn} is too busy", retryable=True)

    cloud._world.faults.append(fault)


RETRIED = TO_QUEUE.replace("}}]", "}, RetryPolicy: {%s}}]")


def publish_throttled(deploy: Deploy, times: int, policy: str) -> Cloud:
    targets = RETRIED % policy if policy else TO_QUEUE
    cloud = deploy(QUEUES + rule("Rule", targets))
    throttle(cloud, times)
    put(cloud)
    return cloud


def test_a_busy_target_is_tried_again_later(deploy: Deploy) -> None:
    cloud = publish_throttled(deploy, 3, "")
    assert len(bodies(cloud)) == 1
    attempts = [r.detail["attempt"] for r in cloud.journal if r.kind == "delivery"]
    assert attempts == [1, 2, 3, 4]
    assert cloud.now() > START


@pytest.mark.parametrize(
    ("policy", "retries", "exhausted"),
    [
        ("MaximumRetryAttempts: 2", 2, "MaximumRetryAttempts"),
        ("MaximumRetryAttempts: 0", 0, "MaximumRetryAttempts"),
        ("MaximumEventAgeInSeconds: 60", 5, "MaximumEventAgeInSeconds"),
        ("", 185, "MaximumRetryAttempts"),
    ],
)
def test_a_target_that_stays_busy_ends_in_the_dead_letter_queue(
    deploy: Deploy, policy: str, retries: int, exhausted: str
) -> None:
    cloud = publish_throttled(deploy, 10_000, policy)
    (message,) = bodies(cloud, "Dead")
    told = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert told["EXHAUSTED_RETRY_CONDITION"] == exhausted
    assert int(told["RETRY_ATTEMPTS"]) == retries
    assert told["ERROR_CODE"] == "THROTTLING"
    assert cloud.now() - START <= timedelta(hours=24)


def test_a_topic_hands_on_to_its_queue(deploy: Deploy) -> None:
    topic = """
  Topic: {Type: AWS::SNS::Topic}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn, RawMessageDelivery: true}
"""
    cloud = deploy(QUEUES + topic + rule("Rule", "[{Id: t, Arn: !Ref Topic, InputPath: $.detail}]"))
    put(cloud)
    assert [json.loads(message["Body"]) for message in bodies(cloud)] == [{"n": 1}]
