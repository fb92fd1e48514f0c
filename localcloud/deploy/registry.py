"""Which resource types the local cloud knows, and with which properties."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from localcloud.deploy.props import Props

if TYPE_CHECKING:
    from localcloud.deploy.maker import Maker

_SERVICES = (
    "cloudwatch",
    "dynamodb",
    "events",
    "glue",
    "iam",
    "kms",
    "lambdas",
    "logs",
    "ram",
    "s3",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
)


@dataclass(frozen=True)
class Made:
    """A created resource.

    Attributes:
        ref: what Ref gives, CloudFormation's physical id.
        attributes: what GetAtt gives.
        facts: what the local cloud itself keeps of it.
    """

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


Make = Callable[[Props, "Maker"], Made]


@dataclass(frozen=True)
class ResourceType:
    """A supported type.

    Attributes:
        name: CloudFormation's name of it.
        properties: its supported properties, as CloudFormation names them.
        make: who makes it.
        kept: those of its properties that are stored without their effect ("*": all of them); each
            must stand in `localcloud.exceptions`, or it is an error like any other.
    """

    name: str
    properties: tuple[str, ...]
    make: Make
    kept: tuple[str, ...] = ()


_TYPES: dict[str, ResourceType] = {}


def resource(name: str, *properties: str, kept: tuple[str, ...] = ()) -> Callable[[Make], Make]:
    """Declare that a function makes resources of this type from exactly these properties."""

    def register(make: Make) -> Make:
        everything = tuple(sorted({*properties, *kept} - {"*"}))
        _TYPES[name] = ResourceType(name, everything, make, kept)
        return make

    return register


@cache
def resource_types() -> Mapping[str, ResourceType]:
    """Every supported type by name."""
    for service in _SERVICES:
        importlib.import_module(f"localcloud.deploy.types.{service}")
    return dict(sorted(_TYPES.items()))


def supported() -> dict[str, tuple[str, ...]]:
    """Supported resource types and, for each, the properties that are honoured."""
    return {name: known.properties for name, known in resource_types().items()}
