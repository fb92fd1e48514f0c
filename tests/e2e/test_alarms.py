"""The template's own alarms: what ends in a dead-letter queue is told, and so is its removal."""

from __future__ import annotations

import json


def states(chain) -> dict[str, str]:
    alarms = chain.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {each["AlarmName"].removeprefix("signalbox-"): each["StateValue"] for each in alarms}


def empty(chain, queue: str) -> int:
    """Take everything out of a queue; returns how many messages there were."""
    sqs, url = chain.cloud.client("sqs"), chain.cloud.physical_id(queue)
    taken = 0
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        taken += len(found)
    return taken


def told(chain, alarm: str) -> list[str]:
    """The states of an alarm that went to the operations topic, in order."""
    return [
        record.detail["state"]
        for record in chain.cloud.journal
        if record.detail.get("alarm") == f"signalbox-{alarm}" and record.status == "ok"
    ]


def test_a_file_that_fails_again_and_again_sets_off_the_alarm_until_it_is_removed(chain, hvac_file):
    table = chain.cloud.physical_id("IdempotencyTable")  # without it the door does nothing
    chain.cloud.client("dynamodb").delete_table(TableName=table)
    chain.bucket.write("raw/hvac/unit=A1/day.parquet", hvac_file())
    chain.run()
    assert states(chain) == {"RawFileDeadLettersAlarm": "ALARM", "EventDeadLettersAlarm": "OK"}
    assert told(chain, "RawFileDeadLettersAlarm") == ["ALARM"]
    event = next(
        record
        for record in chain.cloud.journal
        if record.name == "CloudWatch Alarm State Change"
        and record.detail["detail"]["state"]["value"] == "ALARM"
    )
    assert event.detail["source"] == "aws.cloudwatch"
    assert event.detail["detail"]["alarmName"] == "signalbox-RawFileDeadLettersAlarm"
    assert event.cause is not None
    assert chain.cloud.journal[event.cause].kind == "dead-letter"
    data = json.loads(event.detail["detail"]["state"]["reasonData"])
    assert data["recentDatapoints"] == [1.0]
    assert empty(chain, "RawFileDeadLetters") == 1
    chain.run()
    assert states(chain)["RawFileDeadLettersAlarm"] == "OK"


def test_whoever_subscribes_to_the_operations_topic_hears_of_it(chain):
    topic = chain.cloud.physical_id("OperationsTopic")
    chain.cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.com"
    )
    queue = chain.cloud.physical_id("EventDeadLetters")
    chain.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    chain.run()
    assert states(chain)["EventDeadLettersAlarm"] == "ALARM"
    (heard,) = [r for r in chain.cloud.journal if r.detail.get("target") == "ops@example.com"]
    assert (heard.kind, heard.detail["protocol"], heard.detail["topic"]) == (
        "delivery", "email", topic,
    )  # fmt: skip
