"""A topic on moto: what arrives, and what becomes of refusals."""

import json

import boto3
import pytest
from botocore.stub import Stubber

from signalbox.adapters.topics import Topic
from signalbox.contracts.alerts import Message
from signalbox.errors import Misconfigured, Transient

MESSAGE = Message(subject="a unit", body="größer\nals", attributes={"dealer": "north"})


def filtered(policy):
    """A topic, and what it delivers to a queue that asks for some of its messages."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="dealer")["QueueUrl"]
    of_queue = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(
        TopicArn=arn, Protocol="sqs", Endpoint=of_queue["Attributes"]["QueueArn"],
        Attributes={"FilterPolicy": json.dumps(policy)},
    )  # fmt: skip

    def received():
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        return [json.loads(each["Body"]) for each in found]

    return Topic(arn), received


def test_a_message_arrives_with_subject_and_attributes(aws):
    topic, received = filtered({"dealer": ["north"]})
    topic.publish(MESSAGE)
    topic.publish(MESSAGE.model_copy(update={"attributes": {"dealer": "south"}}))
    (body,) = received()
    assert (body["Subject"], body["Message"]) == (MESSAGE.subject, MESSAGE.body)
    assert body["MessageAttributes"]["dealer"]["Value"] == "north"


def test_whoever_a_mail_is_for_can_ask_for_it_by_a_filter_policy(aws):
    topic, received = filtered({"recipients": ["line@x.org"]})
    topic.publish(MESSAGE.model_copy(update={"recipients": ("owner@x.org", "line@x.org")}))
    topic.publish(MESSAGE.model_copy(update={"recipients": ("owner@x.org",)}))
    (body,) = received()
    told = body["MessageAttributes"]["recipients"]
    assert told == {"Type": "String.Array", "Value": '["owner@x.org", "line@x.org"]'}


def test_a_topic_that_is_not_there_is_a_wrong_deployment_and_no_reason_to_give_up_the_file(aws):
    with pytest.raises(Misconfigured, match="does not exist"):
        Topic("arn:aws:sns:eu-west-1:123456789012:nowhere").publish(MESSAGE)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AuthorizationError", Misconfigured),
        ("KMSAccessDenied", Misconfigured),
        ("InternalError", Transient),
        ("Throttled", Transient),
    ],
)
def test_refusals_are_told_apart(aws, code, error):
    sns = boto3.client("sns")
    with Stubber(sns) as stub:
        stub.add_client_error("publish", code)
        with pytest.raises(error, match=f"sns:Publish on topic t answered {code}"):
            Topic("t", sns).publish(MESSAGE)
