"""Answers and event details against botocore's models, member by member."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import botocore.session
from botocore.model import Shape, StructureShape

_SESSION = botocore.session.get_session()
_SCALARS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "double": (float, int),
    "float": (float, int),
    "integer": (int,),
    "long": (int,),
    "string": (str,),
    "timestamp": (datetime,),
}


def assert_shape(service: str, shape: str, value: Any, *, epoch_ms: bool = False) -> None:
    """Fail where a value has a member the shape lacks, lacks one it needs, or has a wrong type.

    Args:
        service: such as "glue".
        shape: name of the shape in botocore's model.
        value: what is checked.
        epoch_ms: whether times are milliseconds since the epoch, as in events.
    """
    found = _SESSION.get_service_model(service).shape_for(shape)
    wrong = list(_wrong(found, value, shape, (int,) if epoch_ms else (datetime,)))
    assert not wrong, wrong


def _wrong(shape: Shape, value: Any, path: str, times: tuple[type, ...]) -> Any:
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield f"{path} is {value!r}"
            return
        yield from (f"{path}.{name} is unknown" for name in value if name not in shape.members)
        yield from (f"{path}.{name} lacks" for name in shape.required_members if name not in value)
        for name, member in shape.members.items():
            if name in value:
                yield from _wrong(member, value[name], f"{path}.{name}", times)
    elif shape.type_name == "list":
        for place, each in enumerate(value):
            yield from _wrong(shape.member, each, f"{path}[{place}]", times)  # type: ignore[attr-defined]
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _wrong(shape.value, each, f"{path}.{key}", times)  # type: ignore[attr-defined]
    else:
        allowed = times if shape.type_name == "timestamp" else _SCALARS[shape.type_name]
        if not isinstance(value, allowed):
            yield f"{path} is {value!r}"
        words = getattr(shape, "enum", None)
        if words and value not in words:
            yield f"{path} is {value!r}, not one of {words}"
