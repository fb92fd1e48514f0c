"""What a request of SageMaker may hold, after botocore's model: lengths, patterns, words, numbers.

Clients check little of it, moto nothing. The wording is the services' own ("Common Errors",
ValidationException).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape, StructureShape

from localcloud.wiring import Refused


@cache
def model() -> Any:
    """botocore's model of SageMaker."""
    return botocore.session.get_session().get_service_model("sagemaker")


def input_shape(operation: str) -> StructureShape:
    """What an operation takes."""
    shape: StructureShape = model().operation_model(operation).input_shape
    return shape


def check(operation: str, params: Mapping[str, Any]) -> None:
    """See that a request keeps to the model.

    Raises:
        Refused: ValidationException that names the first member that does not.
    """
    for path, value, constraint in _broken(input_shape(operation), params, ""):
        raise Refused(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy "
            f"constraint: Member must {constraint}",
        )


def _broken(shape: Any, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, member in shape.members.items():
            inside = f"{path}.{_first_low(name)}".lstrip(".")
            if value.get(name) is not None:
                yield from _broken(member, value[name], inside)
            elif name in shape.required_members:
                yield inside, None, "not be null"
    elif shape.type_name == "list":
        yield from _sized(shape, value, path, "length")
        for place, each in enumerate(value):
            yield from _broken(shape.member, each, f"{path}.{place + 1}.member")
    elif shape.type_name == "map":
        yield from _sized(shape, value, path, "length")
    elif shape.type_name == "string":
        yield from _sized(shape, value, path, "length")
        words, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern", "")
        if words and value not in words:
            yield path, value, f"satisfy enum value set: [{', '.join(words)}]"
        if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield path, value, f"satisfy regular expression pattern: {pattern}"
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _bounded(shape, value, path)


def _sized(shape: Shape, value: Any, path: str, what: str) -> Iterator[tuple[str, Any, str]]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield path, value, f"have {what} greater than or equal to {least}"
    if most is not None and len(value) > most:
        yield path, str(value)[:100], f"have {what} less than or equal to {most}"


def _bounded(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield path, value, f"have value greater than or equal to {least}"
    if most is not None and value > most:
        yield path, value, f"have value less than or equal to {most}"


def _first_low(name: str) -> str:
    return name[0].lower() + name[1:]
