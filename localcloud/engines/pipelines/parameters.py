"""Parameters of a pipeline: what is declared, and what an execution is given.

Citation: "Pipeline parameters" of the SageMaker Developer Guide; StartPipelineExecution of its API
Reference, where every value is text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.wiring import RefusedError

_KEYS = {"Name", "Type", "DefaultValue", "EnumValues"}


@dataclass(frozen=True)
class Parameter:
    """A declared parameter.

    Attributes:
        name: its name.
        kind: String, Integer, Float or Boolean.
        default: its typed default; None if it must be given.
        allowed: the only values it may have; empty for any.
    """

    name: str
    kind: str
    default: Any
    allowed: tuple[Any, ...]


def declared(given: Any) -> dict[str, Parameter]:
    """The parameters of a definition, by name.

    Raises:
        RefusedError: one is malformed.
    """
    found: dict[str, Parameter] = {}
    for each in given or []:
        if not isinstance(each, Mapping) or not each.get("Name"):
            raise RefusedError(f"parameter {each!r} has no Name")
        name, kind = str(each["Name"]), str(each.get("Type"))
        if odd := sorted(set(each) - _KEYS):
            raise RefusedError(f"parameter {name}: {odd[0]} is not known")
        if name in found:
            raise RefusedError(f"parameter {name} is declared twice")
        if kind not in _READ:
            raise RefusedError(f"parameter {name}: type {kind!r} is none of {', '.join(_READ)}")
        allowed = tuple(_typed(name, kind, value) for value in each.get("EnumValues") or [])
        default = each.get("DefaultValue")
        default = default if default is None else _typed(name, kind, default)
        found[name] = Parameter(name, kind, default, allowed)
        if default is not None:
            _allowed(found[name], default)
    return found


def values(known: Mapping[str, Parameter], given: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The typed values of an execution.

    Args:
        known: what the definition declares.
        given: Name and Value of each, as StartPipelineExecution has them.

    Raises:
        RefusedError: a value is missing, not declared, given twice or of another type.
    """
    found = {name: each.default for name, each in known.items() if each.default is not None}
    seen: set[str] = set()
    for each in given:
        name = each["Name"]
        if name not in known:
            raise RefusedError(f"Parameter [{name}] is not declared by the pipeline definition")
        if name in seen:
            raise RefusedError(f"Parameter [{name}] is given twice")
        seen.add(name)
        found[name] = _typed(name, known[name].kind, each["Value"])
        _allowed(known[name], found[name])
    for name in known:
        if name not in found:
            raise RefusedError(f"Parameter [{name}] has no default and must be given")
    return found


def text_of(value: Any) -> str:
    """A value as the API tells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allowed(parameter: Parameter, value: Any) -> None:
    if parameter.allowed and value not in parameter.allowed:
        words = ", ".join(text_of(each) for each in parameter.allowed)
        raise RefusedError(f"Parameter [{parameter.name}]: {text_of(value)!r} is none of {words}")


def _typed(name: str, kind: str, value: Any) -> Any:
    try:
        return _READ[kind](value)
    except (TypeError, ValueError) as error:
        raise RefusedError(f"Parameter [{name}]: {value!r} is no {kind}") from error


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError(value)
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _boolean(value: Any) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(value)
    return str(value).lower() == "true"


_READ: Mapping[str, Callable[[Any], Any]] = {
    "String": _string, "Integer": _integer, "Float": _float, "Boolean": _boolean,
}  # fmt: skip
