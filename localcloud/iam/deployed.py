"""What AWS sees to when a resource is made: that the role it names may do what it will be used for.

Citations: "Lambda execution role", "Using Lambda with Amazon SQS" and "Capturing records of Lambda
asynchronous invocations" of the Lambda Developer Guide: Lambda refuses a role that it cannot
assume, a mapping whose role cannot read the queue, and a destination the role cannot send to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.deploy.stack import Resource
from localcloud.iam.errors import InvalidPolicy

if TYPE_CHECKING:
    from localcloud.world import World

POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
SENDING = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
_LAMBDA, _GLUE = "lambda.amazonaws.com", "glue.amazonaws.com"
_SAGEMAKER = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Missing:
    """A permission that a deployed resource lacks: where in the template, and what."""

    logical_id: str
    prop: str
    message: str


def missing(world: World) -> Iterator[Missing]:
    """Everything that AWS would refuse to deploy, or that could never work."""
    stack = world.stack
    for each in stack.of_type("AWS::IAM::Role"):
        try:
            world.guard.standing.of_role(each.attributes["Arn"])
        except InvalidPolicy as error:
            yield Missing(each.logical_id, "ManagedPolicyArns", str(error))
    for function in stack.of_type("AWS::Lambda::Function"):
        yield from _assumed(world, function, role_of(function), _LAMBDA)
        dead = function.facts["dead_letter_arn"]
        if dead:
            prop = "DeadLetterConfig.TargetArn"
            yield from _may(world, function, prop, role_of(function), SENDING, dead)
    for job in stack.of_type("AWS::Glue::Job"):
        yield from _assumed(world, job, job.facts["role"], _GLUE)
    for model in stack.of_type("AWS::SageMaker::Model"):
        yield from _assumed(world, model, model.facts["role"], _SAGEMAKER, "ExecutionRoleArn")
    for each in stack.of_type("AWS::SageMaker::Pipeline"):
        yield from _assumed(world, each, each.facts["role"], _SAGEMAKER, "RoleArn")
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        request = mapping.facts["request"]
        role = _role(world, request["FunctionName"])
        for action in POLLING if role else ():
            source = request["EventSourceArn"]
            yield from _may(world, mapping, "EventSourceArn", role, {"sqs": action}, source)
    for config in stack.of_type("AWS::Lambda::EventInvokeConfig"):
        role = _role(world, config.facts["function"])
        for outcome, each in config.facts["destinations"].items() if role else ():
            prop = f"DestinationConfig.{outcome}"
            yield from _may(world, config, prop, role, SENDING, each["Destination"])


def role_of(function: Resource) -> str:
    """ARN of a function's role."""
    return str(function.facts["request"]["Role"])


def _role(world: World, function: str) -> str:
    found = world.stack.find("AWS::Lambda::Function", function)
    return role_of(found) if found else ""


def _may(
    world: World,
    resource: Resource,
    prop: str,
    role: str,
    actions: dict[str, str],
    arn: str,
) -> Iterator[Missing]:
    action = actions[arn.split(":")[2]]
    decision = world.guard.judge_role(role, action, arn, use=False)
    if not decision.allowed:
        name = role.rpartition("/")[2]
        message = f"AccessDenied: role {name} may not {action} on {arn}; {decision.reason}"
        yield Missing(resource.logical_id, prop, message)


def _assumed(
    world: World, resource: Resource, role: str, service: str, prop: str = "Role"
) -> Iterator[Missing]:
    if not world.state.has_role(role):
        if role.split(":")[4:5] == [world.account]:
            message = f"there is no role {role}, so {service} cannot assume it"
            yield Missing(resource.logical_id, prop, message)
        return  # of another account: found out when it is used
    decision = world.guard.judge_service(service, "sts:AssumeRole", role)
    if not decision.allowed:
        message = (
            f"AccessDenied: {role} does not allow sts:AssumeRole to {service}; {decision.reason}"
        )
        yield Missing(resource.logical_id, prop, message)
