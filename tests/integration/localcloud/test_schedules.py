"""Rules with schedules and EventBridge Scheduler, in virtual time and in real."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, DeployError
from localcloud.deploy.limits import broken
from localcloud.errors import DeliveryError, RestlessError
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.test_bus import QUEUES, TO_QUEUE, bodies

MINUTE = timedelta(minutes=1)


def every(expression: str, extra: str = "", targets: str = TO_QUEUE) -> str:
    return f"""
  Tick:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: {expression}
      Targets: {targets}
{extra}
"""


def found(cloud: Cloud) -> list[Any]:
    return [json.loads(message["Body"]) for message in bodies(cloud)]


def occurrences(cloud: Cloud) -> list[datetime]:
    return [r.at for r in cloud.journal if r.name == "Scheduled Event" or r.kind == "schedule"]


def test_a_rule_on_a_schedule_sends_the_scheduled_event(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + every("cron(0 6 * * ? *)"))
    cloud.run_for(timedelta(hours=6))
    (event,) = found(cloud)
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-01T06:00:00Z",
        "region": "eu-west-1",
        "resources": [cloud.stack.attribute("Tick", "Arn")],
        "detail": {},
    }
    assert cloud.now() == START + timedelta(hours=6)


def test_a_rate_runs_period_after_period_and_input_is_honoured(deploy: Deploy) -> None:
    constant = "[{Id: q, Arn: !GetAtt Queue.Arn, Input: '{\"wake\": true}'}]"
    cloud = deploy(QUEUES + every("rate(5 minutes)", targets=constant))
    cloud.run_until(START + timedelta(minutes=17))
    assert found(cloud) == [{"wake": True}] * 3
    assert occurrences(cloud) == [START + n * 5 * MINUTE for n in (1, 2, 3)]


def test_nobody_waits_for_a_schedule_but_time_that_passes_lets_it_fire(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + every("rate(1 minute)"))
    cloud.run_until_idle()
    assert cloud.now() == START
    failures = iter([True, True, True, False])

    def fault(target_arn: str) -> None:
        if next(failures, False):
            raise DeliveryError("THROTTLING", target_arn, retryable=True)

    cloud._world.faults.append(fault)
    cloud.run_until(START + MINUTE)  # fires, and is refused until 7 s later
    cloud.run_until_idle()
    assert START + MINUTE < cloud.now() < START + 2 * MINUTE
    cloud._world.clock.after(180, lambda: None)  # work that takes three minutes
    cloud.run_until_idle()
    assert len(occurrences(cloud)) == 4


def test_time_that_passes_may_do_any_number_of_things_and_a_standstill_may_not(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localcloud.cloud._MOST_TASKS", 20)
    cloud = deploy(QUEUES + every("rate(1 minute)"))
    cloud.run_for(timedelta(hours=1))
    assert len(occurrences(cloud)) == 60
    clock = cloud._world.clock

    def again() -> None:
        clock.after(0, again)

    again()
    with pytest.raises(RestlessError, match="some reaction causes itself"):
        cloud.run_for(MINUTE)


def test_a_disabled_rule_rests_and_goes_on_when_enabled(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + every("rate(1 minute)", "      State: DISABLED"))
    cloud.run_for(5 * MINUTE)
    assert occurrences(cloud) == []
    cloud.client("events").enable_rule(Name="signalbox-Tick")
    cloud.run_for(2 * MINUTE)
    assert occurrences(cloud) == [START + 6 * MINUTE, START + 7 * MINUTE]


def test_a_rule_that_is_changed_or_deleted_leaves_no_old_schedule(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + every("rate(1 minute)"))
    events = cloud.client("events")
    cloud.run_for(MINUTE)
    events.put_rule(Name="signalbox-Tick", ScheduleExpression="rate(1 hour)")
    cloud.run_for(timedelta(hours=2))
    assert occurrences(cloud) == [START + MINUTE, START + 61 * MINUTE, START + 121 * MINUTE]
    events.remove_targets(Rule="signalbox-Tick", Ids=["q"])
    events.delete_rule(Name="signalbox-Tick")
    cloud.run_for(timedelta(days=1))
    assert len(occurrences(cloud)) == 3


SCHEDULER = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: scheduler.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: reach
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: sqs:SendMessage, Resource: [!GetAtt Queue.Arn, !GetAtt Dead.Arn]}
              - {Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn}
  Group: {Type: AWS::Scheduler::ScheduleGroup, Properties: {Name: nightly}}
"""


def schedule(
    expression: str, extra: str = "", target: str = "", to: str = "!GetAtt Queue.Arn"
) -> str:
    return SCHEDULER + f"""
  Wake:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: {expression}
      FlexibleTimeWindow: {{Mode: "OFF"}}
      Target: {{Arn: {to}, RoleArn: !GetAtt Role.Arn{target}}}
{extra}
"""  # fmt: skip


def test_a_schedule_sends_its_notification_by_its_role(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + schedule("cron(30 2 * * ? *)", "      GroupName: !Ref Group"))
    cloud.run_for(timedelta(days=1))
    (event,) = found(cloud)
    arn = cloud.stack.attribute("Wake", "Arn")
    assert arn == "arn:aws:scheduler:eu-west-1:123456789012:schedule/nightly/signalbox-Wake"
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-01-01T02:30:00Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": "{}",
    }
    answer = cloud.client("scheduler").get_schedule(Name="signalbox-Wake", GroupName="nightly")
    assert answer["CreationDate"] == START
    assert broken("scheduler", "GetScheduleOutput", answer) == []


def test_a_rate_begins_at_once_or_at_its_start_date(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + schedule("rate(10 minutes)"))
    cloud.run_for(25 * MINUTE)
    assert occurrences(cloud) == [START + n * MINUTE for n in (0, 10, 20)]
    cloud.close()


def test_start_and_end_date_bound_a_schedule(deploy: Deploy) -> None:
    bounds = "      StartDate: '2026-01-01T00:07:00Z'\n      EndDate: '2026-01-01T00:30:00Z'"
    cloud = deploy(QUEUES + schedule("rate(10 minutes)", bounds))
    cloud.run_for(timedelta(hours=2))
    assert occurrences(cloud) == [START + n * MINUTE for n in (7, 17, 27)]


def test_cron_runs_in_the_time_zone_of_the_schedule(deploy: Deploy) -> None:
    zone = "      ScheduleExpressionTimezone: America/New_York"
    cloud = deploy(QUEUES + schedule("cron(0 9 ? * MON-FRI *)", zone))
    cloud.run_for(timedelta(days=1))
    assert occurrences(cloud) == [START + timedelta(hours=14)]


def test_a_flexible_window_begins_at_the_scheduled_time(deploy: Deploy) -> None:
    made = schedule("cron(0 3 * * ? *)").replace('"OFF"', "FLEXIBLE, MaximumWindowInMinutes: 15")
    cloud = deploy(QUEUES + made)
    cloud.run_for(timedelta(hours=4))
    assert occurrences(cloud) == [START + timedelta(hours=3)]


def test_one_time_and_then_deleted_if_asked_for(deploy: Deploy) -> None:
    once = schedule("at(2026-01-01T03:00:00)", "      ActionAfterCompletion: DELETE")
    cloud = deploy(QUEUES + once)
    scheduler = cloud.client("scheduler")
    cloud.run_for(timedelta(hours=2))
    assert [each["Name"] for each in scheduler.list_schedules()["Schedules"]] == ["signalbox-Wake"]
    cloud.run_for(timedelta(days=9))
    assert occurrences(cloud) == [START + timedelta(hours=3)]
    assert scheduler.list_schedules()["Schedules"] == []


def test_context_attributes_are_filled_in_for_every_attempt(deploy: Deploy) -> None:
    given = (
        ', Input: \'{"at": "<aws.scheduler.scheduled-time>", '
        '"of": "<aws.scheduler.schedule-arn>", "n": <aws.scheduler.attempt-number>, '
        '"id": "<aws.scheduler.execution-id>"}\''
    )
    cloud = deploy(QUEUES + schedule("cron(0 1 * * ? *)", target=given))
    busy = iter([True])

    def fault(target_arn: str) -> None:
        if next(busy, False):
            raise DeliveryError("THROTTLING", target_arn, retryable=True)

    cloud._world.faults.append(fault)
    cloud.run_for(timedelta(hours=2))
    (payload,) = found(cloud)
    assert payload.pop("id")
    assert payload == {
        "at": "2026-01-01T01:00:00Z",
        "of": cloud.stack.attribute("Wake", "Arn"),
        "n": 2,
    }


def test_a_schedule_puts_events_on_a_bus(deploy: Deploy) -> None:
    target = ", Input: '{\"n\": 5}', EventBridgeParameters: {DetailType: Due, Source: tests}"
    catch = f"""
  Catch:
    Type: AWS::Events::Rule
    Properties: {{EventBusName: !Ref Bus, EventPattern: {{source: [tests]}}, Targets: {TO_QUEUE}}}
"""
    made = schedule("cron(0 1 * * ? *)", target=target, to="!GetAtt Bus.Arn")
    cloud = deploy(QUEUES + made + catch)
    cloud.run_for(timedelta(hours=1))
    (event,) = found(cloud)
    assert (event["detail-type"], event["detail"]) == ("Due", {"n": 5})
    kinds = [(record.kind, record.cause) for record in cloud.journal]
    assert kinds == [
        ("schedule", None), ("delivery", 1), ("event", 2), ("rule", 3), ("delivery", 4),
    ]  # fmt: skip


def test_a_schedule_that_fails_for_good_ends_in_its_dead_letter_queue(deploy: Deploy) -> None:
    policy = ", RetryPolicy: {MaximumRetryAttempts: 1}, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}"
    cloud = deploy(QUEUES + schedule("at(2026-01-01T01:00:00)", target=policy + ", Input: hi"))

    def fault(target_arn: str) -> None:
        raise DeliveryError("INTERNAL", target_arn, retryable=True)

    cloud._world.faults.append(fault)
    cloud.run_for(timedelta(hours=2))
    (message,) = bodies(cloud, "Dead")
    assert message["Body"] == "hi"
    told = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert told.pop("EXECUTION_ID")
    assert told == {
        "SCHEDULE_ARN": cloud.stack.attribute("Wake", "Arn"),
        "SCHEDULED_TIME": "2026-01-01T01:00:00Z",
        "IS_PAYLOAD_TRUNCATED": "false",
        "TARGET_ARN": cloud.stack.attribute("Queue", "Arn"),
        "ERROR_CODE": "INTERNAL",
        "ERROR_MESSAGE": cloud.stack.attribute("Queue", "Arn"),
        "RETRY_ATTEMPTS": "1",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    }


def test_an_update_replaces_what_a_schedule_was(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + schedule("rate(1 minute)"))
    scheduler = cloud.client("scheduler")
    cloud.run_for(MINUTE)
    request = scheduler.get_schedule(Name="signalbox-Wake")
    names = ("Name", "GroupName", "FlexibleTimeWindow", "Target")
    kept = {name: request[name] for name in names}
    scheduler.update_schedule(**kept, ScheduleExpression="at(2026-01-01T05:00:00)")
    cloud.run_for(timedelta(days=1))
    assert occurrences(cloud) == [START, START + MINUTE, START + timedelta(hours=5)]
    once = {"ScheduleExpression": "at(2026-01-02T12:00:00)", "ActionAfterCompletion": "DELETE"}
    scheduler.update_schedule(**kept, **once)
    assert scheduler.get_schedule(Name="signalbox-Wake")["ActionAfterCompletion"] == "DELETE"
    scheduler.update_schedule(**kept, ScheduleExpression="rate(1 hour)", State="DISABLED")
    assert "ActionAfterCompletion" not in scheduler.get_schedule(Name="signalbox-Wake")
    cloud.run_for(timedelta(days=1))
    assert len(occurrences(cloud)) == 3
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        scheduler.update_schedule(**kept, ScheduleExpression="cron(0 0 1 1 1 *)")


DOOR = """
import json, os

def handler(event, context):
    print(json.dumps(event))
"""
SAM = """
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Events:
        Nightly:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 hour), Input: '{"from": "scheduler"}'}
        Ticking:
          Type: Schedule
          Properties: {Schedule: rate(1 hour), Input: '{"from": "rule"}'}
"""


def test_both_of_sams_schedules_invoke_their_function(deploy: Deploy) -> None:
    cloud = deploy(SAM, files={"Door/app.py": DOOR})
    cloud.run_for(timedelta(hours=1))
    lines = [record.detail["line"] for record in cloud.journal if record.kind == "log"]
    assert lines == ['{"from": "scheduler"}', '{"from": "rule"}', '{"from": "scheduler"}']


def test_a_served_cloud_lets_schedules_fire_in_real_time(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + schedule("rate(1 minute)"))
    stop = threading.Event()
    # the first occurrence of such a rate is at once
    cloud.serve(stop, lambda record: stop.set() if record.kind == "delivery" else None)
    assert [record.kind for record in cloud.journal] == ["schedule", "delivery"]


REFUSED = {
    "a schedule on another bus": (
        every("rate(1 day)", "      EventBusName: !Ref Bus"),
        r"Tick\.ScheduleExpression: is for rules of the default bus only",
    ),
    "a bad cron": (
        every("cron(0 0 * * * *)"),
        r"Tick\.ScheduleExpression: .*one of day-of-month and day-of-week is \?",
    ),
    "a rule for one time": (
        every("at(2026-01-01T00:00:00)"),
        r"Tick\.ScheduleExpression: .*a rule takes cron",
    ),
    "a bad expression of a schedule": (
        schedule("every day"),
        r"Wake\.ScheduleExpression: 'every day' is none of cron",
    ),
    "a time zone that is not": (
        schedule("rate(1 day)", "      ScheduleExpressionTimezone: Mars/Base"),
        r"Wake\.ScheduleExpressionTimezone: 'Mars/Base' is no time zone",
    ),
    "a window without a length": (
        schedule("rate(1 day)").replace('"OFF"', "FLEXIBLE"),
        r"Wake\.FlexibleTimeWindow\.MaximumWindowInMinutes: is required",
    ),
    "too long a window": (
        schedule("rate(1 day)").replace('"OFF"', "FLEXIBLE, MaximumWindowInMinutes: 1441"),
        r"Wake\.FlexibleTimeWindow\.MaximumWindowInMinutes: is 1441, at most 1440",
    ),
    "a window that is off and has a length": (
        schedule("rate(1 day)").replace('"OFF"', '"OFF", MaximumWindowInMinutes: 5'),
        r"Wake\.FlexibleTimeWindow\.MaximumWindowInMinutes: is not supported",
    ),
    "a universal target": (
        schedule("rate(1 day)", to="arn:aws:scheduler:::aws-sdk:sqs:sendMessage"),
        r"Wake\.Target\.Arn: .*universal target",
    ),
    "a bus without parameters": (
        schedule("rate(1 day)", to="!GetAtt Bus.Arn"),
        r"Wake\.Target\.Arn: an event bus needs EventBridgeParameters and an Input",
    ),
    "a bus and no JSON": (
        schedule("rate(1 day)", to="!GetAtt Bus.Arn", target=", Input: hello,"
                 " EventBridgeParameters: {DetailType: a, Source: b}"),
        r"Wake\.Target\.Arn: Input is not JSON",
    ),
    "a reserved source": (
        schedule("rate(1 day)", to="!GetAtt Bus.Arn", target=", Input: '{}',"
                 " EventBridgeParameters: {DetailType: a, Source: aws.b}"),
        r"Wake\.Target\.EventBridgeParameters\.Source: 'aws\.b' does not match",
    ),
    "parameters of other targets": (
        schedule("rate(1 day)", target=", KinesisParameters: {PartitionKey: a}"),
        r"Wake\.Target\.KinesisParameters: is not supported",
    ),
    "a role that Scheduler may not take": (
        schedule("rate(1 day)").replace("scheduler.amazonaws", "events.amazonaws"),
        r"Wake\.Target\.Arn: .*does not allow sts:AssumeRole to scheduler",
    ),
    "a role that does not reach the queue": (
        schedule("rate(1 day)").replace("sqs:SendMessage", "sqs:ReceiveMessage"),
        r"Wake\.Target\.Arn: .*does not allow sqs:SendMessage",
    ),
    "a dead-letter queue that is not there": (
        schedule("rate(1 day)", target=", DeadLetterConfig:"
                 " {Arn: 'arn:aws:sqs:eu-west-1:123456789012:gone'}"),
        r"Wake\.Target\.DeadLetterConfig: there is no arn:aws:sqs",
    ),
    "a date that is none": (
        schedule("rate(1 day)", "      StartDate: tomorrow"),
        r"Wake\.StartDate: must be a time such as",
    ),
    "a key": (
        schedule("rate(1 day)", "      KmsKeyArn: arn"),
        r"Wake\.KmsKeyArn: is not supported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_schedule_cannot_be_is_an_error_at_deploy(deploy: Deploy, case: str) -> None:
    resources, message = REFUSED[case]
    with pytest.raises(DeployError, match=message + r".*\(template line \d+\)"):
        deploy(QUEUES + resources)
