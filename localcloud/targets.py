"""Rule targets: who can be reached, and handing over.

Citations: "Event bus targets" and "Using resource-based policies for Amazon EventBridge" of the
EventBridge User Guide: functions, queues and topics are reached through their own policies, with
the rule as aws:SourceArn.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError
from localcloud.policies import allows
from localcloud.world import World

_EVENTS = "events.amazonaws.com"
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}


def service_of(arn: str) -> str | None:
    """lambda, sns or sqs; None for what the local cloud does not deliver to."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    return service if service in _ACTIONS and not arn.endswith(".fifo") else None


class Targets:
    """Hands events to targets.

    Args:
        world: the cloud.
        invoke_later: puts an asynchronous invocation in the function's queue: (name, payload).
    """

    def __init__(self, world: World, invoke_later: Callable[[str, Any], None]) -> None:
        self._world = world
        self._invoke_later = invoke_later

    def check(self, source_arn: str, target_arn: str, service_principal: str = _EVENTS) -> None:
        """Find out whether a rule may reach a target, without handing anything over.

        Args:
            source_arn: the rule; or what another service delivers for, such as a topic.
            target_arn: the target.
            service_principal: the service that delivers.

        Raises:
            DeliveryError: there is no such target, or its policy does not let the source in.
        """
        service = service_of(target_arn)
        if service is None:
            raise DeliveryError("NO_RESOURCE", f"{target_arn} is no target that can be reached")
        statements = self._policy(service, target_arn)
        if statements is None:
            raise DeliveryError("NO_RESOURCE", f"there is no {target_arn}")
        context = {
            "aws:SourceArn": source_arn,
            "aws:SourceAccount": self._world.account,
            "aws:SecureTransport": "true",
        }
        if not allows(statements, service_principal, _ACTIONS[service], target_arn, context):
            message = (
                f"{target_arn} does not allow {_ACTIONS[service]} to {service_principal} "
                f"with aws:SourceArn {source_arn}"
            )
            raise DeliveryError("NO_PERMISSIONS", message)

    def deliver(self, rule_arn: str, target_arn: str, text: str) -> None:
        """Hand a payload to a target: a function's queue of invocations, a queue, a topic.

        Raises:
            DeliveryError: the target did not take it.
        """
        self.check(rule_arn, target_arn)
        service = service_of(target_arn)
        try:
            if service == "lambda":
                self._invoke_later(target_arn.split(":")[6], _parsed(text))
            elif service == "sqs":
                self._world.send(target_arn, text)
            else:
                self._world.client("sns").publish(TopicArn=target_arn, Message=text)
        except ClientError as error:
            raise DeliveryError(error.response["Error"]["Code"], str(error)) from error

    def _policy(self, service: str, arn: str) -> list[dict[str, Any]] | None:
        state = self._world.state
        if service == "lambda":
            return state.function_policy(arn.split(":")[6])
        return state.queue_policy(arn) if service == "sqs" else state.topic_policy(arn)


def _parsed(text: str) -> Any:
    """A function receives JSON; plain text from a template reaches it as a JSON string."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
