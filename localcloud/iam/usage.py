"""What the template grants, and what of it was made use of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.deploy.stack import Resource
from localcloud.iam.deployed import role_of
from localcloud.iam.documents import Statement
from localcloud.iam.evaluate import Grant
from localcloud.journal import Record

if TYPE_CHECKING:
    from localcloud.world import World


@dataclass(frozen=True)
class Used:
    """A grant that calls in the journal made use of."""

    role: str
    action: str
    grant: Grant
    times: int


def granted(world: World) -> list[Grant]:
    """All that roles, resource policies and permissions of the deployed template allow."""
    return [grant for statement in _statements(world) for grant in _grants(statement)]


def used(records: Iterable[Record]) -> list[Used]:
    """What the calls of roles rested on, by role, action and grant."""
    counts: dict[tuple[str, str, Grant], int] = {}
    for record in records:
        if record.kind == "call":
            for where, action, resource in record.detail["grants"]:
                name = record.name if "*" in action or "?" in action else action
                key = (str(record.detail["role"]), name, Grant(where, action, resource))
                counts[key] = counts.get(key, 0) + 1
    return [Used(*key, times) for key, times in counts.items()]


def owners(world: World) -> dict[str, list[str]]:
    """Logical id of each role -> those of what runs under it: functions, jobs, models, pipelines."""
    answer: dict[str, list[str]] = {}
    for role, resource in _users(world):
        name = world.stack.logical_id("AWS::IAM::Role", role.rpartition("/")[2])
        answer.setdefault(name, []).append(resource.logical_id)
    return answer


def _users(world: World) -> Iterator[tuple[str, Resource]]:
    for function in world.stack.of_type("AWS::Lambda::Function"):
        yield role_of(function), function
    for kind in ("AWS::Glue::Job", "AWS::SageMaker::Model", "AWS::SageMaker::Pipeline"):
        for each in world.stack.of_type(kind):
            yield each.facts["role"], each


def _statements(world: World) -> Iterator[Statement]:
    guard, seen = world.guard, set()
    for resource in list(world.stack.resources.values()):
        found: list[Statement] = []
        if resource.type == "AWS::IAM::Role":
            found += guard.standing.of_role(resource.attributes["Arn"]) or ()
        if resource.type == "AWS::Lambda::Function":
            found += guard.standing.of_resource(resource.attributes["Arn"])
        for arn in resource.facts.get("policy_of", ("", ()))[1]:
            found += guard.standing.of_resource(arn)
        for statement in found:  # one policy may hang on several queues
            if statement not in seen:
                seen.add(statement)
                yield statement


def _grants(statement: Statement) -> Iterator[Grant]:
    if statement.allow:
        for action in statement.actions or ("*",):
            for resource in statement.resources or ("*",):
                yield Grant(statement.where, action, resource)
