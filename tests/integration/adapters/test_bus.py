import boto3
import pytest

from signalbox.adapters.bus import EventBus
from signalbox.contracts.own import OWN_EVENTS
from signalbox.errors import Misconfigured, Transient
from tests.fakes import sample

EVENT = OWN_EVENTS["FileRejected"].model_validate(sample("signalbox/FileRejected.json")["detail"])


class Answering:
    """A client that takes entries and answers as told."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.calls = []

    def put_events(self, Entries):  # noqa: N803 - botocore's spelling
        self.calls.append(Entries)
        codes = [self.codes.pop(0) if self.codes else None for _ in Entries]
        failed = [
            {"ErrorCode": code, "ErrorMessage": ""} if code else {"EventId": "1"} for code in codes
        ]
        return {"FailedEntryCount": sum(map(bool, codes)), "Entries": failed}


def test_events_reach_the_queue_behind_a_rule(aws):
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="house")
    queue = sqs.create_queue(QueueName="ears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    events.put_rule(Name="all", EventBusName="house", EventPattern='{"source": ["signalbox"]}')
    events.put_targets(Rule="all", EventBusName="house", Targets=[{"Id": "q", "Arn": arn}])
    EventBus("house").emit(EVENT, EVENT)
    heard = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(heard) == 2
    assert '"FileRejected"' in heard[0]["Body"]


def test_ten_at_a_time_in_order():
    client = Answering()
    EventBus("house", client).emit(*[EVENT] * 21)
    assert [len(call) for call in client.calls] == [10, 10, 1]
    assert {entry["Source"] for call in client.calls for entry in call} == {"signalbox"}


def test_nothing_to_say_is_no_call():
    client = Answering()
    EventBus("house", client).emit()
    assert client.calls == []


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        ([None, "ThrottlingException"], Transient),
        (["InternalFailure"], Transient),
        (["NotAuthorizedForSourceException"], Misconfigured),
        (["ThrottlingException", "AccessDeniedException"], Misconfigured),
    ],
)
def test_an_entry_not_taken_is_an_error_although_the_call_succeeded(codes, problem):
    with pytest.raises(problem, match="bus house"):
        EventBus("house", Answering(*codes)).emit(EVENT, EVENT)


def test_a_bus_that_is_not_there_is_a_wrong_deployment(aws):
    client = boto3.client("events")
    with pytest.raises((Misconfigured, Transient)):
        EventBus("nowhere", client).emit(EVENT)
