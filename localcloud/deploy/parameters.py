"""Template parameters: given values checked against what the template allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.errors import DeployError

_KNOWN = {
    "AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description",
    "MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type",
}  # fmt: skip


def parameter_values(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The value of every parameter: text, or a list of text for a CommaDelimitedList.

    Raises:
        DeployError: a value is missing, not allowed, or for a parameter that does not exist.
    """
    if unknown := sorted(set(given) - set(declared)):
        known = ", ".join(sorted(declared)) or "none"
        message = f"the template has no such parameter; it has: {known}"
        raise DeployError(message, logical_id=unknown[0])
    return {name: _value(name, spec, given) for name, spec in declared.items()}


def _value(name: str, spec: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    if odd := sorted(set(spec) - _KNOWN):
        raise DeployError("is not supported", logical_id=name, prop=odd[0])
    if name not in given and "Default" not in spec:
        raise DeployError("the parameter has no default and no value was given", logical_id=name)
    value = str(given.get(name, spec.get("Default")))
    kind = str(spec.get("Type"))
    if kind not in {"String", "Number", "CommaDelimitedList"}:
        raise DeployError(f"type {kind!r} is not supported", logical_id=name, prop="Type")
    reason = _refusal(value, kind, spec)
    if reason is not None:
        hint = f" ({spec['ConstraintDescription']})" if "ConstraintDescription" in spec else ""
        raise DeployError(f"{value!r} {reason}{hint}", logical_id=name)
    return [each.strip() for each in value.split(",")] if kind == "CommaDelimitedList" else value


def _refusal(value: str, kind: str, spec: Mapping[str, Any]) -> str | None:
    allowed = [str(each) for each in spec.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"is not one of {', '.join(allowed)}"
    if "AllowedPattern" in spec and re.fullmatch(str(spec["AllowedPattern"]), value) is None:
        return f"does not match {spec['AllowedPattern']!r}"
    if kind == "Number":
        return _number_refusal(value, spec)
    if not int(spec.get("MinLength", 0)) <= len(value) <= int(spec.get("MaxLength", len(value))):
        return f"has {len(value)} characters, which is not allowed"
    return None


def _number_refusal(value: str, spec: Mapping[str, Any]) -> str | None:
    if re.fullmatch(r"-?\d+(\.\d+)?", value) is None:
        return "is not a number"
    if float(value) < float(spec.get("MinValue", value)):
        return f"is less than {spec['MinValue']}"
    if float(value) > float(spec.get("MaxValue", value)):
        return f"is more than {spec['MaxValue']}"
    return None
