"""Archives and replays, through boto3."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.deploy.limits import broken
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.test_bus import QUEUES, TO_QUEUE, bodies, put, rule

ARCHIVE = """
  Archive:
    Type: AWS::Events::Archive
    Properties: {SourceArn: !GetAtt Bus.Arn, RetentionDays: 2, Description: all of it}
"""


def deployed(deploy: Deploy, more: str = "") -> Cloud:
    return deploy(QUEUES + ARCHIVE + rule("Rule", TO_QUEUE) + more)


def replay(
    cloud: Cloud, start: datetime, end: datetime, name: str = "again", **destination: Any
) -> dict[str, Any]:
    answer: dict[str, Any] = cloud.client("events").start_replay(
        ReplayName=name,
        EventSourceArn=cloud.stack.attribute("Archive", "Arn"),
        EventStartTime=start,
        EventEndTime=end,
        Destination={"Arn": cloud.stack.attribute("Bus", "Arn"), **destination},
    )
    return answer


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return [json.loads(message["Body"]) for message in bodies(cloud)]


def numbers(cloud: Cloud) -> list[int]:
    return [event["detail"]["n"] for event in events(cloud)]


def put_at(cloud: Cloud, minutes: float, number: int) -> None:
    put(cloud, Detail=json.dumps({"n": number}), Time=START + timedelta(minutes=minutes))


def refused(cloud: Cloud, call: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        getattr(cloud.client("events"), call)(**request)
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def test_archived_events_come_again_with_the_name_of_the_replay(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    put(cloud)
    (first,) = events(cloud)
    answer = replay(cloud, START, START)
    assert answer["State"] == "STARTING"
    assert events(cloud) == [{**first, "replay-name": "again"}]
    described = cloud.client("events").describe_archive(ArchiveName="signalbox-Archive")
    assert described["EventCount"] == 1  # replayed events are not archived again
    assert described["SizeBytes"] > 100
    assert described["CreationTime"] == START


def test_only_the_asked_time_comes_in_its_order_minute_by_minute(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    for minutes, number in ((9, 4), (3.2, 2), (1, 0), (3.1, 1), (5, 3), (0, -1)):
        put_at(cloud, minutes, number)
    assert numbers(cloud) == [4, 2, 0, 1, 3, -1]
    replay(cloud, START + timedelta(minutes=1), START + timedelta(minutes=5))
    assert numbers(cloud) == [0, 1, 2, 3]
    told = cloud.client("events").describe_replay(ReplayName="again")
    assert told["State"] == "COMPLETED"
    assert told["EventLastReplayedTime"] == START + timedelta(minutes=5)
    assert told["ReplayStartTime"] == told["ReplayEndTime"] == START


def test_an_archive_keeps_what_its_pattern_lets_through(deploy: Deploy) -> None:
    cloud = deploy(
        QUEUES
        + ARCHIVE.replace("all of it", "large, EventPattern: {detail: {n: [{numeric: ['>', 1]}]}}")
        + rule("Rule", TO_QUEUE)
    )
    for number in range(4):
        put_at(cloud, number, number)
    put(cloud, EventBusName="default", Detail='{"n": 9}')
    assert numbers(cloud) == [0, 1, 2, 3]
    replay(cloud, START, START + timedelta(hours=1))
    assert numbers(cloud) == [2, 3]


def test_only_the_filtered_rules_see_the_replay(deploy: Deploy) -> None:
    cloud = deployed(deploy, rule("Other", TO_QUEUE))
    put(cloud)
    assert len(events(cloud)) == 2
    replay(cloud, START, START, FilterArns=[cloud.stack.attribute("Other", "Arn")])
    assert len(events(cloud)) == 1
    rules = [record.name for record in cloud.journal if record.kind == "rule"]
    assert rules[-1] == "signalbox-Other"


def test_a_rule_can_tell_replayed_events_apart(deploy: Deploy) -> None:
    first_time = "{source: [tests], replay-name: [{exists: false}]}"
    cloud = deploy(QUEUES + ARCHIVE + rule("Rule", TO_QUEUE, pattern=first_time))
    put(cloud)
    assert len(events(cloud)) == 1
    replay(cloud, START, START)
    assert events(cloud) == []
    assert [r.detail.get("replay") for r in cloud.journal if r.kind == "event"] == [None, "again"]


def test_events_are_forgotten_when_their_retention_is_over(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    put(cloud)
    cloud.run_for(timedelta(days=1))
    put(cloud, Detail='{"n": 2}')
    assert numbers(cloud)[-1] == 2
    cloud.run_for(timedelta(days=1, seconds=1))
    replay(cloud, START, cloud.now())
    replayed = [event for event in events(cloud) if "replay-name" in event]
    assert [event["detail"]["n"] for event in replayed] == [2]
    described = cloud.client("events").describe_archive(ArchiveName="signalbox-Archive")
    assert (described["EventCount"], described["RetentionDays"]) == (1, 2)


def test_a_replay_can_be_cancelled_until_it_is_done(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    for minute in range(5):
        put_at(cloud, minute, minute)
    numbers(cloud)
    replay(cloud, START, START + timedelta(hours=1))
    assert cloud.client("events").cancel_replay(ReplayName="again")["State"] == "CANCELLING"
    assert numbers(cloud) == []
    assert cloud.client("events").describe_replay(ReplayName="again")["State"] == "CANCELLED"
    replay(cloud, START, START + timedelta(hours=1), name="whole")
    assert len(numbers(cloud)) == 5
    assert refused(cloud, "cancel_replay", ReplayName="whole")[0] == "IllegalStatusException"
    assert refused(cloud, "cancel_replay", ReplayName="none")[0] == "ResourceNotFoundException"


def test_replays_are_listed_by_state_and_in_the_shapes_of_botocore(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    put(cloud)
    replay(cloud, START, START)
    client = cloud.client("events")
    assert client.list_replays(State="COMPLETED")["Replays"] == []
    cloud.run_until_idle()
    (listed,) = client.list_replays(State="COMPLETED")["Replays"]
    described = client.describe_replay(ReplayName="again")
    described.pop("ResponseMetadata")
    assert {key: described[key] for key in listed} == listed
    assert set(described) >= {"ReplayArn", "EventLastReplayedTime", "ReplayEndTime", "Destination"}
    assert broken("events", "DescribeReplayResponse", described) == []
    archive = client.describe_archive(ArchiveName="signalbox-Archive")
    assert broken("events", "DescribeArchiveResponse", archive) == []


def test_an_archive_is_changed_and_deleted_through_the_api(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    client, name = cloud.client("events"), "signalbox-Archive"
    client.update_archive(ArchiveName=name, EventPattern='{"detail": {"n": [2]}}')
    put(cloud)
    put(cloud, Detail='{"n": 2}')
    assert client.describe_archive(ArchiveName=name)["EventCount"] == 1
    bad = '{"detail": 1}'
    for call in ("update_archive", "create_archive"):
        request = {"ArchiveName": name, "EventPattern": bad}
        if call == "create_archive":
            request = {
                **request,
                "ArchiveName": "b",
                "EventSourceArn": cloud.stack.attribute("Bus", "Arn"),
            }
        assert refused(cloud, call, **request)[0] == "InvalidEventPatternException"
    client.delete_archive(ArchiveName=name)
    assert client.list_archives()["Archives"] == []
    put(cloud)
    assert len(numbers(cloud)) == 3


def test_a_replay_that_makes_no_sense_is_refused(deploy: Deploy) -> None:
    cloud = deployed(deploy)
    request: dict[str, Any] = {
        "ReplayName": "r",
        "EventSourceArn": cloud.stack.attribute("Archive", "Arn"),
        "EventStartTime": START,
        "EventEndTime": START,
        "Destination": {"Arn": cloud.stack.attribute("Bus", "Arn")},
    }
    other = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
    gone = request["EventSourceArn"].replace("signalbox-Archive", "gone")
    for change, words in (
        ({"Destination": {"Arn": other}}, "Cross event bus replay"),
        ({"EventSourceArn": gone}, "Archive gone does not exist"),
        ({"EventEndTime": START - timedelta(1)}, "EventStartTime must be before"),
        ({"Destination": {**request["Destination"], "FilterArns": ["x"]}}, "FilterArns"),
    ):
        code, message = refused(cloud, "start_replay", **{**request, **change})
        assert (code, words in message) == ("ValidationException", True), message
    for number in range(10):
        cloud.client("events").start_replay(**{**request, "ReplayName": f"r{number}"})
    assert refused(cloud, "start_replay", **request)[0] == "LimitExceededException"
    cloud.run_until_idle()
    cloud.client("events").start_replay(**request)
    assert refused(cloud, "start_replay", **request)[0] == "ResourceAlreadyExistsException"
