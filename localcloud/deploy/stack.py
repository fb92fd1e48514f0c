"""A deployed template: what was created, under which names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import DeployError


@dataclass(frozen=True)
class Resource:
    """One created resource.

    Attributes:
        logical_id: its name in the template.
        type: CloudFormation type.
        physical_id: what Ref gives.
        attributes: what GetAtt gives.
        facts: what the local cloud itself keeps of it.
    """

    logical_id: str
    type: str
    physical_id: str
    attributes: Mapping[str, str]
    facts: Mapping[str, Any]


@dataclass
class Stack:
    """All resources and outputs of one deployment."""

    name: str
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        """The resources of one type, in creation order."""
        return (each for each in self.resources.values() if each.type == resource_type)

    def find(self, resource_type: str, physical_id: str) -> Resource | None:
        """The resource of a type that has this physical id."""
        found = (each for each in self.of_type(resource_type) if each.physical_id == physical_id)
        return next(found, None)

    def logical_id(self, resource_type: str, physical_id: str) -> str:
        """The template's name of a resource; "" if it is not of the template."""
        found = self.find(resource_type, physical_id)
        return found.logical_id if found else ""

    def policy_of(self, arn: str) -> str:
        """Where in the template the policy of a resource stands; "" if nowhere.

        A resource that carries policies has their ARNs and property in its fact "policy_of".
        """
        for each in self.resources.values():
            prop, arns = each.facts.get("policy_of", ("", ()))
            if arn.partition("/")[0] in arns or arn in arns:
                return f"{each.logical_id}.{prop}"
        return ""

    def ref(self, logical_id: str) -> str:
        """What Ref gives.

        Raises:
            DeployError: there is no such resource.
        """
        return self._known(logical_id).physical_id

    def attribute(self, logical_id: str, attribute: str) -> str:
        """What GetAtt gives.

        Raises:
            DeployError: there is no such resource, or it has no such attribute.
        """
        resource = self._known(logical_id)
        if attribute not in resource.attributes:
            has = ", ".join(sorted(resource.attributes)) or "none"
            message = (
                f"{logical_id} ({resource.type}) has no attribute {attribute!r}; it has: {has}"
            )
            raise DeployError(message)
        return resource.attributes[attribute]

    def _known(self, logical_id: str) -> Resource:
        if logical_id not in self.resources:
            raise DeployError(f"refers to {logical_id!r}, which is not in the template")
        return self.resources[logical_id]
