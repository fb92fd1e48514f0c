"""What EventBridge Scheduler sends when a schedule is due.

Citations: "Adding context attributes in EventBridge Scheduler" and "Configuring a schedule's dead-letter
queue" of its User Guide; the shapes Target, EventBridgeParameters of botocore's scheduler model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from localcloud.bus import Bus
from localcloud.deliveries import DeadLetter, Delivery
from localcloud.errors import DeliveryError
from localcloud.targets import Targets, service_of
from localcloud.wiring import StoredSchedule
from localcloud.world import World, iso_seconds


@dataclass(frozen=True)
class Invocation:
    """One occurrence of a schedule.

    Attributes:
        schedule: as it stood when it was due.
        due: the scheduled time.
        execution_id: of this occurrence.
        cause: the record of the occurrence.
    """

    schedule: StoredSchedule
    due: datetime
    execution_id: str
    cause: int


def delivery_of(invocation: Invocation, world: World, bus: Bus, targets: Targets) -> Delivery:
    """The delivery to the schedule's target, by the schedule's role."""
    schedule = invocation.schedule
    target, arn = schedule.target, str(schedule.target["Arn"])
    role, queue = str(target["RoleArn"]), str(target.get("DeadLetterConfig", {}).get("Arn", ""))
    text = payload(invocation, world)

    def hand_over(attempt: int) -> None:
        targets.check_schedule(schedule.arn, arn, role)
        filled = with_context(text, invocation, attempt)
        if service_of(arn) == "events":
            _put(bus, target, filled)
        else:
            targets.hand_over(arn, filled)

    return Delivery(
        target=arn,
        facts={"schedule": schedule.name},
        hand_over=hand_over,
        policy=target.get("RetryPolicy", {}),
        dead_letter=DeadLetter(
            queue,
            partial(targets.check_schedule, schedule.arn, queue, role),
            with_context(text, invocation, 1),
            {
                "SCHEDULE_ARN": schedule.arn,
                "SCHEDULED_TIME": iso_seconds(invocation.due),
                "EXECUTION_ID": invocation.execution_id,
                "IS_PAYLOAD_TRUNCATED": "false",
            },
        ),
        cause=invocation.cause,
        since=world.clock.now(),
    )


def payload(invocation: Invocation, world: World) -> str:
    """The target's Input, or the notification that Scheduler sends without one."""
    given = invocation.schedule.target.get("Input")
    if given is not None:
        return str(given)
    event = {
        "version": "0",
        "id": world.new_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": world.account,
        "time": iso_seconds(invocation.due),
        "region": world.region,
        "resources": [invocation.schedule.arn],
        "detail": "{}",
    }
    return json.dumps(event)


def with_context(text: str, invocation: Invocation, attempt: int) -> str:
    """The payload with every context attribute replaced by its value."""
    values = {
        "schedule-arn": invocation.schedule.arn,
        "scheduled-time": iso_seconds(invocation.due),
        "execution-id": invocation.execution_id,
        "attempt-number": str(attempt),
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _put(bus: Bus, target: Mapping[str, object], detail: str) -> None:
    parameters = target["EventBridgeParameters"]
    assert isinstance(parameters, Mapping)  # noqa: S101 - checked when the schedule was made
    entry = {
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": detail,
        "EventBusName": target["Arn"],
    }
    (answer,) = bus.put_events([entry])
    if "ErrorCode" in answer:
        raise DeliveryError(str(answer["ErrorCode"]), str(answer["ErrorMessage"]))
