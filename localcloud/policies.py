"""Whether a resource policy lets a service do something.

Citation: "Policy evaluation logic" and "IAM JSON policy elements" of the IAM User Guide. Only what
policies of queues, topics and functions need: a service principal, a few condition operators. An
operator that is not known raises, since skipping it would allow too much or too little.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.errors import LocalCloudError


def allows(
    statements: Iterable[Mapping[str, Any]],
    service: str,
    action: str,
    resource: str,
    context: Mapping[str, str],
) -> bool:
    """Explicit deny over allow over nothing, for one service principal.

    Args:
        statements: the policy's statements.
        service: principal such as events.amazonaws.com.
        action: such as sqs:SendMessage.
        resource: ARN.
        context: condition keys and their values, keys in any case.
    """
    low = {key.lower(): value for key, value in context.items()}
    effects = {
        str(statement.get("Effect"))
        for statement in statements
        if _applies(statement, service, action, resource, low)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(
    statement: Mapping[str, Any],
    service: str,
    action: str,
    resource: str,
    context: Mapping[str, str],
) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, Mapping) else []
    everyone = principal == "*" or (isinstance(principal, Mapping) and principal.get("AWS") == "*")
    if not everyone and service not in _list(services):
        return False
    actions = [each.lower() for each in _list(statement.get("Action", []))]
    if not any(fnmatch.fnmatchcase(action.lower(), each) for each in actions):
        return False
    if not any(
        fnmatch.fnmatchcase(resource, each) for each in _list(statement.get("Resource", "*"))
    ):
        return False
    conditions: Mapping[str, Mapping[str, Any]] = statement.get("Condition") or {}
    return all(
        _holds(operator, context.get(key.lower()), _list(wanted))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    name = operator.removesuffix("IfExists")
    if value is None:
        return operator.endswith("IfExists")
    if name in {"ArnEquals", "ArnLike", "StringLike"}:  # ArnEquals takes wildcards too
        return any(fnmatch.fnmatchcase(value, each) for each in wanted)
    if name == "StringEquals":
        return value in wanted
    if name == "Bool":
        return value.lower() in [each.lower() for each in wanted]
    raise LocalCloudError(f"policy condition operator {operator!r} is not supported")


def _list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
