"""Template parameters: given values checked against what the template allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import DeployError

_KNOWN = {
    "AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description",
    "MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type",
}  # fmt: skip


_STORED = re.compile(r"AWS::SSM::Parameter::Value<(String|List<String>|CommaDelimitedList)>")


def parameter_values(
    declared: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Any],
    stored: Callable[[str], str],
) -> dict[str, Any]:
    """The value of every parameter: text, or a list of text for a CommaDelimitedList.

    Args:
        declared: the Parameters section.
        given: values by name; others have their defaults.
        stored: the value of a Parameter Store parameter, for parameters whose type says that their
            value is the name of one ("CloudFormation-supplied parameter types").

    Raises:
        DeployError: a value is missing, not allowed, or for a parameter that does not exist.
    """
    if unknown := sorted(set(given) - set(declared)):
        known = ", ".join(sorted(declared)) or "none"
        message = f"the template has no such parameter; it has: {known}"
        raise DeployError(message, logical_id=unknown[0])
    return {name: _value(name, spec, given, stored) for name, spec in declared.items()}


def _value(
    name: str, spec: Mapping[str, Any], given: Mapping[str, Any], stored: Callable[[str], str]
) -> Any:
    if odd := sorted(set(spec) - _KNOWN):
        raise DeployError("is not supported", logical_id=name, prop=odd[0])
    if name not in given and "Default" not in spec:
        raise DeployError("the parameter has no default and no value was given", logical_id=name)
    value = str(given.get(name, spec.get("Default")))
    kind = str(spec.get("Type"))
    looked_up = _STORED.fullmatch(kind)
    if kind not in {"String", "Number", "CommaDelimitedList"} and looked_up is None:
        raise DeployError(f"type {kind!r} is not supported", logical_id=name, prop="Type")
    reason = _refusal(value, kind, spec)
    if reason is not None:
        hint = f" ({spec['ConstraintDescription']})" if "ConstraintDescription" in spec else ""
        shown = "the value" if str(spec.get("NoEcho")).lower() == "true" else repr(value)
        raise DeployError(f"{shown} {reason}{hint}", logical_id=name)
    if looked_up is not None:
        kind = looked_up[1]
        try:
            value = stored(value)
        except DeployError as error:
            raise DeployError(error.message, logical_id=name) from error
    return value if kind in {"String", "Number"} else [each.strip() for each in value.split(",")]


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
