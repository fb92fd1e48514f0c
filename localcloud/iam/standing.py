"""The policies as they stand, read once for as long as they stay the same."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from localcloud.iam.documents import Statement, read_policy
from localcloud.seams import Permissions

if TYPE_CHECKING:
    from localcloud.world import World


class Standing:
    """Statements of roles and resources, named by their places in the template.

    Args:
        world: the cloud.
        known: moto's state of policies.
    """

    def __init__(self, world: World, known: Permissions) -> None:
        self._world = world
        self._known = known

    def of_role(self, role_arn: str) -> tuple[Statement, ...] | None:
        """A role's statements; None if there is no such role."""
        role = self._known.role(role_arn)
        if role is None:
            return None
        name = self._world.stack.logical_id("AWS::IAM::Role", role.name) or role.name
        inline = [
            _read(text, f"{name}.Policies[{place}]", identity=True)
            for place, (_, text) in enumerate(role.inline)
        ]
        managed = [
            _read(text, f"{name}.ManagedPolicyArns[{title}]", identity=True)
            for title, text in role.managed
        ]
        return tuple(each for statements in (*inline, *managed) for each in statements)

    def of_resource(self, arn: str) -> tuple[Statement, ...]:
        """The statements of a resource's policy; empty if it has none."""
        if ":model-card/" in arn:  # what AWS RAM makes of the shares that hold it
            shared = self._world.shares.policy_of(arn)
            return () if shared is None else _read(shared, f"the shares of {arn}")
        text = self._known.resource_policy(arn) if arn.startswith("arn:") else None
        if text is None:
            return ()
        statements = _read(text, self._world.stack.policy_of(arn) or f"the policy of {arn}")
        if ":lambda:" in arn:  # each statement is a resource of its own: AWS::Lambda::Permission
            sids = [str(each.get("Sid")) for each in json.loads(text)["Statement"]]
            return tuple(map(_named, statements, sids))
        return statements


@lru_cache(maxsize=4096)
def _read(text: str, where: str, *, identity: bool = False) -> tuple[Statement, ...]:
    """The statements of a policy kept as JSON; read once for as long as it stays the same.

    Raises:
        InvalidPolicy: it says something that cannot be judged here.
    """
    return read_policy(json.loads(text), where, identity=identity)


def _named(statement: Statement, where: str) -> Statement:
    return replace(statement, where=where)
