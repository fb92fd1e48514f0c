"""Topics: envelopes, filter policies, retries, dead letters, and what is refused."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.errors import DeployError
from localcloud.topics import MOST_RETRIES, wait_before
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import START, Deploy

DOOR = {"Door/app.py": "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"}
TO_QUEUE = "Protocol: sqs, Endpoint: !GetAtt Queue.Arn"
BASE = """
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Queue: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue, !Ref Dead]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: [!GetAtt Queue.Arn, !GetAtt Dead.Arn]
            Condition: {ArnEquals: {"aws:SourceArn": !Ref Topic}}
"""


def subscribed(properties: str, name: str = "Subscription") -> str:
    return f"""
  {name}:
    Type: AWS::SNS::Subscription
    Properties: {{TopicArn: !Ref Topic, {properties}}}
"""


def publish(cloud: Cloud, message: str = "hello", **options: Any) -> str:
    answer = cloud.client("sns").publish(
        TopicArn=cloud.physical_id("Topic"), Message=message, **options
    )
    cloud.run_until_idle()
    return str(answer["MessageId"])


def received(cloud: Cloud, queue: str = "Queue") -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(
        QueueUrl=cloud.physical_id(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def text(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}


def test_a_queue_receives_the_documented_envelope_in_its_order(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    message_id = publish(cloud, "größer", Subject="News", MessageAttributes={"kind": text("a")})
    (message,) = received(cloud)
    envelope = json.loads(message["Body"])
    assert list(envelope) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion",
        "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes",
    ]  # fmt: skip
    assert envelope["Type"] == "Notification"
    assert envelope["MessageId"] == message_id
    assert envelope["TopicArn"] == cloud.physical_id("Topic")
    assert envelope["Message"] == "größer"
    assert envelope["Timestamp"] == "2026-01-01T00:00:00.000Z"
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    assert envelope["UnsubscribeURL"].endswith(cloud.physical_id("Subscription"))
    assert '"Type" : "Notification",\n' in message["Body"]
    assert "MessageAttributes" not in message


def test_what_a_message_lacks_its_envelope_lacks(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    publish(cloud)
    envelope = json.loads(received(cloud)[0]["Body"])
    assert {"Subject", "MessageAttributes"}.isdisjoint(envelope)


def test_raw_delivery_keeps_body_and_attributes(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE + ", RawMessageDelivery: true"))
    attributes = {
        "kind": text("a"),
        "n": text("2", "Number"),
        "blob": {"DataType": "Binary", "BinaryValue": b"\0x"},
    }
    publish(cloud, "bare", MessageAttributes=attributes)
    (message,) = received(cloud)
    assert message["Body"] == "bare"
    assert message["MessageAttributes"] == attributes


def test_a_raw_message_with_too_many_attributes_is_a_client_side_error(deploy: Deploy) -> None:
    redrive = ", RawMessageDelivery: true, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}"
    cloud = deploy(BASE + subscribed(TO_QUEUE + redrive))
    publish(cloud, MessageAttributes={f"a{n}": text("v") for n in range(11)})
    assert received(cloud) == []
    (delivery,) = [r for r in cloud.journal if r.kind == "delivery" and r.status == "failed"]
    assert delivery.detail["error"] == "InvalidParameterValue"
    assert [r.status for r in cloud.journal if r.kind == "dead-letter"] == ["lost"]


def test_a_function_receives_the_documented_event(deploy: Deploy) -> None:
    function = """
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
      Events: {News: {Type: SNS, Properties: {Topic: !Ref Topic}}}
"""
    cloud = deploy(BASE + ROLE + function, DOOR)
    message_id = publish(cloud, MessageAttributes={"kind": text("a")})
    line = next(r.detail["line"] for r in cloud.journal if r.kind == "log")
    (record,) = json.loads(line)["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventVersion"] == "1.0"
    assert record["EventSubscriptionArn"].startswith(cloud.physical_id("Topic") + ":")
    sns = record["Sns"]
    assert {key: sns[key] for key in ("Type", "MessageId", "Subject", "Message")} == {
        "Type": "Notification", "MessageId": message_id, "Subject": None, "Message": "hello",
    }  # fmt: skip
    assert sns["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    assert {"SigningCertUrl", "UnsubscribeUrl", "SignatureVersion", "Signature"} <= set(sns)
    invocation = next(r for r in cloud.journal if r.kind == "invocation")
    delivery = cloud.journal[invocation.cause or 0]
    assert (delivery.kind, delivery.detail["protocol"]) == ("delivery", "lambda")
    assert cloud.journal[delivery.cause or 0].detail["message_id"] == message_id


def test_message_structure_gives_each_protocol_its_text(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE + ", RawMessageDelivery: true"))
    parts = json.dumps({"default": "all", "sqs": "queues"})
    publish(cloud, parts, MessageStructure="json")
    assert received(cloud)[0]["Body"] == "queues"
    with pytest.raises(ClientError, match="No default entry in JSON message body"):
        publish(cloud, "{}", MessageStructure="json")


def test_filters_on_attributes_and_on_the_body(deploy: Deploy) -> None:
    by_attribute = ", RawMessageDelivery: true, FilterPolicy: {kind: [{prefix: a}]}"
    by_body = """
  Second:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Dead.Arn
      RawMessageDelivery: true
      FilterPolicyScope: MessageBody
      FilterPolicy: {detail: {n: [{numeric: [">", 1]}]}}
"""
    cloud = deploy(BASE + subscribed(TO_QUEUE + by_attribute) + by_body)
    publish(cloud, '{"detail": {"n": 2}}', MessageAttributes={"kind": text("b")})
    publish(cloud, "no json", MessageAttributes={"kind": text("abc")})
    assert [each["Body"] for each in received(cloud)] == ["no json"]
    assert [each["Body"] for each in received(cloud, "Dead")] == ['{"detail": {"n": 2}}']


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{kind: [{wildcard: a*}]}", "Amazon SNS has no operator 'wildcard'"),
        ("{kind: {deep: [a]}}", "the scope MessageAttributes does not nest"),
        ("{a: [1], b: [1], c: [1], d: [1], e: [1], f: [1]}", "has 6 keys, 5 are allowed"),
        ('"no json"', "Expecting value"),
    ],
)
def test_an_invalid_filter_policy_fails_at_deploy(
    deploy: Deploy, policy: str, message: str
) -> None:
    with pytest.raises(DeployError) as raised:
        deploy(BASE + subscribed(f"{TO_QUEUE}, FilterPolicy: {policy}"))
    assert raised.value.logical_id == "Subscription"
    assert raised.value.prop == "FilterPolicy"
    assert raised.value.line is not None
    assert message in str(raised.value)


def test_a_filter_policy_set_through_the_api_is_judged_alike(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    sns, arn = cloud.client("sns"), cloud.physical_id("Subscription")
    change = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
    with pytest.raises(ClientError, match="no operator 'wildcard'"):
        sns.set_subscription_attributes(**change, AttributeValue='{"a": [{"wildcard": "b"}]}')
    sns.set_subscription_attributes(**change, AttributeValue='{"ip": [{"cidr": "10.0.0.0/8"}]}')
    publish(cloud, MessageAttributes={"ip": text("11.1.1.1")})
    assert received(cloud) == []
    publish(cloud, MessageAttributes={"ip": text("10.1.1.1")})
    assert len(received(cloud)) == 1


@pytest.mark.parametrize(
    "properties",
    [
        "Protocol: sqs, Endpoint: !GetAtt Other.Arn",
        f"{TO_QUEUE}, RedrivePolicy: {{deadLetterTargetArn: !GetAtt Other.Arn}}",
    ],
)
def test_a_queue_without_a_policy_for_the_topic_fails_at_deploy(
    deploy: Deploy, properties: str
) -> None:
    open_queue = "  Other: {Type: AWS::SQS::Queue}\n"
    with pytest.raises(DeployError, match="-Other does not allow sqs:SendMessage") as raised:
        deploy(BASE + open_queue + subscribed(properties))
    assert (raised.value.logical_id, raised.value.prop) == ("Subscription", "Endpoint")
    assert raised.value.line is not None


def test_protocols_that_reach_people_are_told_and_have_no_effect(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed("Protocol: email, Endpoint: ops@example.com"))
    publish(cloud)
    (told,) = [r for r in cloud.journal if r.detail.get("protocol") == "email"]
    assert (told.kind, told.status) == ("delivery", "ok")
    assert told.detail["target"] == "ops@example.com"


@pytest.mark.parametrize("protocol", ["https", "http", "firehose", "application"])
def test_other_protocols_are_refused(deploy: Deploy, protocol: str) -> None:
    with pytest.raises(DeployError, match=r"Subscription\.Protocol: must be one of"):
        deploy(BASE + subscribed(f"Protocol: {protocol}, Endpoint: https://example.com"))


def test_a_fifo_topic_is_refused(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match=r"Topic\.FifoTopic"):
        deploy("  Topic: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}")


def test_a_queue_that_is_gone_is_a_client_side_error_and_goes_to_the_dead_letters(
    deploy: Deploy,
) -> None:
    redrive = ", RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}"
    cloud = deploy(BASE + subscribed(TO_QUEUE + redrive))
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Queue"))
    message_id = publish(cloud)
    (dead,) = received(cloud, "Dead")
    assert json.loads(dead["Body"])["MessageId"] == message_id
    assert cloud.now() == START  # not tried again
    (record,) = [r for r in cloud.journal if r.kind == "dead-letter"]
    assert (record.name, record.detail["error"]) == ("signalbox-Dead", "NO_RESOURCE")


def test_without_a_dead_letter_queue_it_is_visibly_lost(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Queue"))
    publish(cloud)
    assert [r.status for r in cloud.journal if r.kind == "dead-letter"] == ["lost"]


def test_server_side_errors_are_tried_again_by_the_delivery_policy(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    real, left = type(cloud._world).send, [18]

    def busy(*arguments: Any, **named: Any) -> None:
        left[0] -= 1
        if left[0] > 0:
            answer = {
                "Error": {"Code": "ServiceUnavailable", "Message": "busy"},
                "ResponseMetadata": {"HTTPStatusCode": 503},
            }
            raise ClientError(answer, "SendMessage")
        real(*arguments, **named)

    monkeypatch.setattr(type(cloud._world), "send", busy)
    publish(cloud)
    assert len(received(cloud)) == 1
    tries = [r for r in cloud.journal if r.kind == "delivery" and "attempt" in r.detail]
    waits = [(after.at - before.at).total_seconds() for before, after in pairwise(tries)]
    assert waits[:6] == [0, 0, 0, 1, 1, 1]
    assert waits == [pytest.approx(wait_before(n), abs=1e-5) for n in range(1, 18)]


def test_the_delivery_policy_is_a_hundred_thousand_and_fifteen_tries_over_23_days() -> None:
    assert MOST_RETRIES == 100_015
    days = sum(wait_before(retry) for retry in range(1, MOST_RETRIES + 1)) / 86_400
    assert 23 < days < 24
    assert wait_before(15) == wait_before(16) == wait_before(MOST_RETRIES) == 20


def test_limits_of_publish(deploy: Deploy) -> None:
    cloud = deploy(BASE)
    largest = "ü" * (128 * 1024)
    assert publish(cloud, largest)
    for message, options in (
        (largest + "a", {}),
        ("a" * (256 * 1024), {"MessageAttributes": {"k": text("v")}}),
    ):
        with pytest.raises(ClientError, match="Message too long"):
            publish(cloud, message, **options)
    for subject in ("two\nlines", "s" * 101, "grün", " blank", "bell\a"):
        with pytest.raises(ClientError, match="Subject"):
            publish(cloud, Subject=subject)
    with pytest.raises(ClientError, match="Empty message"):
        publish(cloud, "")
    with pytest.raises(ClientError, match="sends no text messages"):
        cloud.client("sns").publish(PhoneNumber="+491701234567", Message="hello")


def test_publish_batch(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE + ", RawMessageDelivery: true"))
    sns, arn = cloud.client("sns"), cloud.physical_id("Topic")

    def batch(*messages: str, **options: str) -> dict[str, Any]:
        entries = [
            {"Id": str(n), "Message": message, **options} for n, message in enumerate(messages)
        ]
        answer: dict[str, Any] = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
        cloud.run_until_idle()
        return answer

    assert [each["Id"] for each in batch("a", "b")["Successful"]] == ["0", "1"]
    assert [each["Body"] for each in received(cloud)] == ["a", "b"]
    (failed,) = batch("a", Subject="two\nlines")["Failed"]
    assert (failed["Code"], failed["SenderFault"]) == ("InvalidParameter", True)
    with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
        batch(*"abcdefghijk")
    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        batch("a" * 200_000, "b" * 100_000)
    with pytest.raises(ClientError, match="EmptyBatchRequest"):
        batch()


def test_the_signature_is_text_that_names_the_local_cloud(deploy: Deploy) -> None:
    cloud = deploy(BASE + subscribed(TO_QUEUE))
    message_id = publish(cloud)
    envelope = json.loads(received(cloud)[0]["Body"])
    assert base64.b64decode(envelope["Signature"]).decode() == f"local cloud {message_id}"
