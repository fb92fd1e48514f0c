"""A strict, small CloudFormation over boto3 into moto.

Every resource type, property, function and reference is either honoured, or stands in
`localcloud.exceptions`, or is a `DeployError` that names it. moto's own CloudFormation only warns
of a missing type and drops properties silently, so a template that works there may do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud import limits
from localcloud.clients import admin_client
from localcloud.deploy import dynamic
from localcloud.deploy.intrinsics import NO_VALUE, Scope, references
from localcloud.deploy.maker import Maker
from localcloud.deploy.parameters import parameter_values
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource_types
from localcloud.deploy.stack import Resource, Stack
from localcloud.deploy.template import Lines, read_template
from localcloud.errors import DeployError
from localcloud.exceptions import excused
from localcloud.images import Image, declared_images
from localcloud.package import Artefact, package, translate
from localcloud.seams import State

_RESOURCE_KEYS = {
    "Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type",
    "UpdateReplacePolicy",
}  # fmt: skip
_OUTPUT_KEYS = {"Condition", "Description", "Value"}


class Deployment:
    """One deployment of one built template.

    Args:
        build: folder with the built `template.yaml` and the folders it names.
        parameters: template parameters.
        stack_name: prefix of physical names.
        account: account id.
        region: region.
        packages: bucket the artefacts go to.

    Attributes:
        stack: what was made.
        images: the images that the template declares, by URI.
    """

    def __init__(
        self,
        build: Path,
        parameters: Mapping[str, Any],
        *,
        stack_name: str,
        account: str,
        region: str,
        packages: str,
    ) -> None:
        self._build = build
        self._account = account
        self._region = region
        self._packages = packages
        self._given = parameters
        self.stack = Stack(stack_name)
        self.images: dict[str, Image] = {}
        self._artefacts: dict[str, Artefact] = {}
        self._lines = Lines(None)

    def run(self) -> Stack:
        """Deploy everything.

        Raises:
            DeployError: something in the template cannot be honoured.
        """
        try:
            path = self._build / "template.yaml"
            template, self._lines = read_template(path)
            _check_counts(path.stat().st_size, limits.TEMPLATE, "the template has")
            for section, limit in (
                ("Parameters", limits.PARAMETERS),
                ("Outputs", limits.OUTPUTS),
            ):
                _check_counts(len(template.get(section, {})), limit, f"{section} has")
            values = parameter_values(
                template.get("Parameters", {}),
                self._given,
                partial(dynamic.parameter, client=self._client),
            )
            self.images = declared_images(template, values, self._build)
            s3 = admin_client("s3", self._region)
            self._artefacts = package(template, self._build, s3, self._packages)
            texts = {
                name: ",".join(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
            plain = translate(template, texts, self._region)
            _check_counts(len(plain["Resources"]), limits.RESOURCES, "the stack has")
            scope = self._scope(plain, values)
            self._create(plain["Resources"], scope)
            self._output(plain.get("Outputs", {}), scope)
        except DeployError as error:
            raise self._placed(error) from error
        return self.stack

    def _scope(self, template: Mapping[str, Any], values: Mapping[str, Any]) -> Scope:
        stack_id = f"arn:aws:cloudformation:{self._region}:{self._account}:stack/{self.stack.name}"
        pseudo = {
            "AWS::AccountId": self._account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": self._region,
            "AWS::StackId": f"{stack_id}/local",
            "AWS::StackName": self.stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        return Scope(
            self._region,
            {**pseudo, **values},
            template.get("Mappings", {}),
            template.get("Conditions", {}),
            self.stack.ref,
            self.stack.attribute,
        )

    def _create(self, resources: Mapping[str, Any], scope: Scope) -> None:
        for logical_id, body in resources.items():
            if odd := sorted(set(body) - _RESOURCE_KEYS):
                raise DeployError("is not supported", logical_id=logical_id, prop=odd[0])
        there = {
            logical_id: body
            for logical_id, body in resources.items()
            if "Condition" not in body or scope.condition(body["Condition"])
        }
        for logical_id in order(there, set(resources)):
            self._make(logical_id, there[logical_id], scope)

    def _make(self, logical_id: str, body: Mapping[str, Any], scope: Scope) -> None:
        known = resource_types().get(str(body.get("Type")))
        if known is None:
            message = f"resource type {body.get('Type')!r} is not supported"
            raise DeployError(message, logical_id=logical_id)
        if "*" in known.kept and not excused(known.name, "*"):
            raise DeployError(f"{known.name} is not excused", logical_id=logical_id)
        values: dict[str, Any] = {}
        for prop, value in (body.get("Properties") or {}).items():
            if prop not in known.properties or (
                prop in known.kept and not excused(known.name, prop)
            ):
                message = f"is not supported for {known.name}"
                raise DeployError(message, logical_id=logical_id, prop=prop)
            resolved = self._resolved(logical_id, prop, value, scope, self._looked_up)
            if resolved is not NO_VALUE:
                values[prop] = resolved
        state = State(self._account, self._region)
        maker = Maker(logical_id, self._account, self._region, self.stack, self._artefacts, state)
        props = Props(values, logical_id)
        made = self._made(known.make, props, maker)
        if untaken := props.untaken():
            message = f"is not supported for {known.name}"
            raise DeployError(message, logical_id=logical_id, prop=untaken[0])
        self.stack.resources[logical_id] = Resource(
            logical_id, known.name, made.ref, made.attributes, made.facts
        )

    def _made(self, make: Any, props: Props, maker: Maker) -> Made:
        try:
            made: Made = make(props, maker)
        except (ClientError, BotoCoreError) as error:
            raise DeployError(str(error), logical_id=maker.logical_id) from error
        return made

    def _resolved(
        self, logical_id: str, prop: str, value: Any, scope: Scope, after: Callable[[Any], Any]
    ) -> Any:
        try:
            return after(scope.resolve(value))
        except DeployError as error:
            raise DeployError(error.message, logical_id=logical_id, prop=prop) from error

    def _looked_up(self, value: Any) -> Any:
        return dynamic.resolved(value, self._client)

    def _client(self, service: str) -> Any:
        return admin_client(service, self._region)

    def _output(self, outputs: Mapping[str, Any], scope: Scope) -> None:
        for name, body in outputs.items():
            if odd := sorted(set(body) - _OUTPUT_KEYS):
                raise DeployError("is not supported", logical_id=name, prop=odd[0])
            if "Condition" in body and not scope.condition(body["Condition"]):
                continue
            value = self._resolved(name, "Value", body["Value"], scope, _plain)
            self.stack.outputs[name] = str(value)

    def error(self, message: str, logical_id: str, prop: str | None = None) -> DeployError:
        """An error about a resource, with the line where it stands."""
        return self._placed(DeployError(message, logical_id=logical_id, prop=prop))

    def _placed(self, error: DeployError) -> DeployError:
        line = self._lines.of(error.logical_id, error.prop) if error.logical_id else None
        return DeployError(error.message, logical_id=error.logical_id, prop=error.prop, line=line)


def _plain(value: Any) -> Any:
    dynamic.refuse(value, "outputs")
    return value


def _check_counts(number: int, limit: limits.Limit, subject: str) -> None:
    if not limit.allows(number):
        unit = limit.unit or "entries"
        raise DeployError(f"{subject} {number:,} {unit}; {limit.most:,} are allowed ({limit.what})")


def order(resources: Mapping[str, Any], declared: set[str]) -> list[str]:
    """Logical ids so that each comes after what it refers to or depends on.

    Args:
        resources: those to be created.
        declared: all in the template, conditional ones too.

    Raises:
        DeployError: a dependency is not in the template, or goes in a circle.
    """
    graph: dict[str, list[str]] = {}
    for logical_id, body in resources.items():
        depends = body.get("DependsOn", [])
        depends = [depends] if isinstance(depends, str) else depends
        for name in depends:
            if name not in declared:
                message = f"depends on {name!r}, which is not in the template"
                raise DeployError(message, logical_id=logical_id, prop="DependsOn")
        needs = [*depends, *references(body.get("Properties"))]
        graph[logical_id] = [name for name in needs if name in resources]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise DeployError(f"resources refer to each other in a circle: {circle}") from error
