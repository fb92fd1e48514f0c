"""Lengths, ranges, patterns and words that AWS's own API description allows.

boto3 checks types, required members and the lower ends; the rest AWS refuses when asked. The source
is botocore's service model: `min`, `max`, `pattern` and `enum` of each shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session

from localcloud.deploy.props import Props


def hold(
    props: Props,
    service: str,
    shape: str,
    value: Mapping[str, Any],
    renamed: Mapping[str, str] | None = None,
) -> None:
    """Hold a request, or a part of it, to its shape.

    Args:
        props: the properties it was made from.
        service: botocore's name of the service.
        shape: botocore's name of the structure.
        value: the structure.
        renamed: properties that CloudFormation calls otherwise.

    Raises:
        DeployError: a member breaks a constraint; names the property.
    """
    for path, problem in broken(service, shape, value):
        name = path.split(".")[0].split("[")[0]
        place = (renamed or {}).get(name, name) + path[len(name) :]
        raise props.error(place, problem)


def broken(service: str, shape: str, value: Any) -> list[tuple[str, str]]:
    """Every constraint that a value of a shape breaks: (dotted path, what is wrong)."""
    return list(_broken(_model(service).shape_for(shape), value, ""))


@cache
def _model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


def _broken(shape: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _broken(member, value[name], f"{path}.{name}" if path else name)
        return
    yield from _bounds(shape, value, path)
    if shape.type_name == "list":
        for place, item in enumerate(value):
            yield from _broken(shape.member, item, f"{path}[{place}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _broken(shape.key, key, path)
            yield from _broken(shape.value, item, f"{path}.{key}")


def _bounds(shape: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    rules = shape.metadata
    number = shape.type_name in {"integer", "long", "float", "double"}
    size = value if number else len(value) if hasattr(value, "__len__") else 0
    what = "is" if number else "has length"
    if "max" in rules and size > rules["max"]:
        yield path, f"{what} {size}, at most {rules['max']} is allowed"
    if "min" in rules and size < rules["min"] and (number or size):
        yield path, f"{what} {size}, at least {rules['min']} is needed"
    if shape.type_name != "string" or not value:
        return
    if "pattern" in rules and not re.fullmatch(rules["pattern"], value):
        yield path, f"{value!r} does not match {rules['pattern']}"
    if "enum" in rules and value not in rules["enum"]:
        yield path, f"{value!r} is none of {', '.join(rules['enum'])}"
