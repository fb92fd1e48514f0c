"""Targets of rules and schedules: who can be reached, and handing over.

Citations: "Event bus targets" and "Using resource-based policies for Amazon EventBridge" of the
EventBridge User Guide: functions, queues, topics and log groups are reached through their own
policies, with the rule as aws:SourceArn; another event bus through the target's role ("Sending
and receiving events between event buses in the same account and Region"). "Setting up the
execution role" of the Scheduler User Guide: a schedule reaches everything through its role.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError
from localcloud.log_groups import LogGroups
from localcloud.world import World

EVENTS, SCHEDULER = "events.amazonaws.com", "scheduler.amazonaws.com"
_ACTIONS = {
    "lambda": ("lambda:InvokeFunction",),
    "sns": ("sns:Publish",),
    "sqs": ("sqs:SendMessage",),
    "logs": ("logs:CreateLogStream", "logs:PutLogEvents"),
    "events": ("events:PutEvents",),
}
_RETRYABLE = {"InternalError", "InternalFailure", "ServiceUnavailable", "Throttling"}

Forward = Callable[[str, Mapping[str, Any]], None]


def service_of(arn: str) -> str | None:
    """lambda, sns, sqs, logs (a log group) or events (a bus); None for anything else."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    if service not in _ACTIONS or arn.endswith(".fifo"):
        return None
    kind = {"logs": "log-group", "events": "event-bus"}.get(service, "")
    return service if parts[5].startswith(kind) else None


class Targets:
    """Hands events to targets.

    Args:
        world: the cloud.
        invoke_later: puts an asynchronous invocation in the function's queue: (name, payload).
        forward: puts an event on another bus: (bus name, event).
    """

    def __init__(
        self, world: World, invoke_later: Callable[[str, Any], None], forward: Forward
    ) -> None:
        self._world = world
        self._invoke_later = invoke_later
        self._forward = forward
        self._logs = LogGroups(world)

    def check(
        self,
        source_arn: str,
        target_arn: str,
        service_principal: str = EVENTS,
        *,
        role_arn: str | None = None,
    ) -> None:
        """Find out whether a rule may reach a target, without handing anything over.

        Args:
            source_arn: the rule; or what another service delivers for, such as a topic.
            target_arn: the target.
            service_principal: the service that delivers.
            role_arn: the target's role, which only an event bus needs and takes.

        Raises:
            DeliveryError: there is no such target, or its policy does not let the source in.
        """
        service = service_of(target_arn)
        if service is None:
            raise DeliveryError("NO_RESOURCE", f"{target_arn} is no target that can be reached")
        if not self._world.state.has_target(target_arn):
            raise DeliveryError("NO_RESOURCE", f"there is no {target_arn}")
        if service == "events":
            role, action = str(role_arn or ""), "events:PutEvents"
            self.check_role(role, service_principal, action, target_arn, source_arn)
            return
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": self._world.account}
        resource = f"{target_arn}:log-stream:*" if service == "logs" else target_arn
        for action in _ACTIONS[service]:
            decision = self._world.guard.judge_service(service_principal, action, resource, context)
            if not decision.allowed:
                message = (
                    f"{target_arn} does not allow {action} to {service_principal} "
                    f"with aws:SourceArn {source_arn}; {decision.reason}"
                )
                raise DeliveryError("NO_PERMISSIONS", message)

    def check_schedule(self, schedule_arn: str, target_arn: str, role_arn: str) -> None:
        """Find out whether a schedule may reach a target (or its dead-letter queue) by its role.

        Raises:
            DeliveryError: there is no such target, or the role does not let it be reached.
        """
        service = service_of(target_arn)
        if service is None or service == "logs":
            raise DeliveryError("NO_RESOURCE", f"{target_arn} is no target that can be reached")
        if not self._world.state.has_target(target_arn):
            raise DeliveryError("NO_RESOURCE", f"there is no {target_arn}")
        action = _ACTIONS[service][0]
        self.check_role(role_arn, SCHEDULER, action, target_arn, schedule_arn)

    def check_role(
        self, role_arn: str, service: str, action: str, resource: str, source_arn: str
    ) -> None:
        """The one place that judges what a service may do with a role.

        Raises:
            DeliveryError: there is no such role, it does not trust the service, or its policies
                do not allow the action.
        """
        guard = self._world.guard
        if not self._world.state.has_role(role_arn):
            raise DeliveryError("NO_PERMISSIONS", f"there is no role {role_arn or 'given'}")
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": self._world.account}
        if not guard.judge_service(service, "sts:AssumeRole", role_arn, context).allowed:
            message = f"{role_arn} does not allow sts:AssumeRole to {service}"
            raise DeliveryError("NO_PERMISSIONS", message)
        decision = guard.judge_role(role_arn, action, resource)
        if not decision.allowed:
            message = f"{role_arn} does not allow {action} {resource}; {decision.reason}"
            raise DeliveryError("NO_PERMISSIONS", message)

    def deliver(
        self, rule_arn: str, target: Mapping[str, Any], text: str, event: Mapping[str, Any]
    ) -> None:
        """Hand a rule's payload to a target; a bus gets the event itself.

        Raises:
            DeliveryError: the target did not take it.
        """
        arn = str(target["Arn"])
        self.check(rule_arn, arn, role_arn=target.get("RoleArn"))
        if service_of(arn) == "events":
            self._faults(arn)
            self._forward(arn.rsplit("/", 1)[-1], event)
        else:
            self.hand_over(arn, text)

    def hand_over(self, target_arn: str, text: str) -> None:
        """Hand a payload over: to a function's queue of invocations, a queue, a topic, a log group.

        Raises:
            DeliveryError: the target did not take it.
        """
        self._faults(target_arn)
        service = service_of(target_arn)
        try:
            if service == "lambda":
                self._invoke_later(target_arn.split(":")[6], _parsed(text))
            elif service == "sqs":
                self._world.send(target_arn, text)
            elif service == "logs":
                self._logs.write(target_arn, text)
            else:
                self._world.client("sns").publish(TopicArn=target_arn, Message=text)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DeliveryError(code, str(error), retryable=code in _RETRYABLE) from error

    def _faults(self, target_arn: str) -> None:
        for fault in self._world.faults:
            fault(target_arn)


def _parsed(text: str) -> Any:
    """A function receives JSON; plain text from a template reaches it as a JSON string."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
