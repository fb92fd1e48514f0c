"""Policy documents: read, checked and brought to one form.

Citation: "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language" of the
IAM User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.iam.conditions import Condition, read_conditions
from localcloud.iam.errors import InvalidPolicy
from localcloud.iam.variables import check_variables

_STATEMENT_KEYS = {
    "Action", "Condition", "Effect", "NotAction", "NotPrincipal", "NotResource", "Principal",
    "Resource", "Sid",
}  # fmt: skip
_PRINCIPAL_KINDS = {"AWS", "CanonicalUser", "Federated", "Service"}
_DOCUMENT_KEYS = {"Id", "Statement", "Version"}
_VERSIONS = {"2008-10-17", "2012-10-17"}
_VARIABLES_SINCE = "2012-10-17"
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes:
        where: its place, as a person would look it up: `DoorRole.Policies[0].Statement[2]`.
        allow: True for Allow, False for Deny.
        actions, not_actions: patterns as written; case does not count; one of the two is empty.
        resources, not_resources: patterns; both empty where the policy names none (trust policies).
        principals: kind -> patterns, None in identity policies; `("AWS", "*")` stands for everyone.
        negated: whether `principals` come from NotPrincipal.
        conditions: all must hold.
        variables: whether `${...}` is replaced (Version 2012-10-17).
    """

    where: str
    allow: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...] | None
    negated: bool
    conditions: tuple[Condition, ...]
    variables: bool


def read_policy(document: Any, where: str, *, identity: bool = False) -> tuple[Statement, ...]:
    """The statements of a policy document.

    Args:
        document: the decoded document.
        where: what to call it in messages.
        identity: whether it hangs on a role, where no Principal may stand but a Resource must.

    Raises:
        InvalidPolicy: an element, operator, condition key or variable is not known here.
    """
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise InvalidPolicy(f"{where} is no policy document: it has no Statement")
    if odd := sorted(set(document) - _DOCUMENT_KEYS):
        raise InvalidPolicy(f"{where} has an unknown element {odd[0]}")
    version = str(document.get("Version", "2008-10-17"))
    if version not in _VERSIONS:
        raise InvalidPolicy(f"{where}.Version is {version!r}, not one of {sorted(_VERSIONS)}")
    statements = document["Statement"]
    statements = [statements] if isinstance(statements, Mapping) else statements
    return tuple(
        _statement(each, f"{where}.Statement[{place}]", version >= _VARIABLES_SINCE, identity)
        for place, each in enumerate(statements)
    )


def _statement(body: Mapping[str, Any], where: str, variables: bool, identity: bool) -> Statement:
    if odd := sorted(set(body) - _STATEMENT_KEYS):
        raise InvalidPolicy(f"{where} has an unknown element {odd[0]}")
    if body.get("Effect") not in {"Allow", "Deny"}:
        raise InvalidPolicy(f"{where}.Effect must be Allow or Deny, not {body.get('Effect')!r}")
    _one_of(body, where, "Action", "NotAction", needed=True)
    _one_of(body, where, "Resource", "NotResource", needed=identity)
    _one_of(body, where, "Principal", "NotPrincipal", needed=not identity)
    if identity and ("Principal" in body or "NotPrincipal" in body):
        raise InvalidPolicy(f"{where}.Principal may not stand in a role's policy")
    actions, not_actions = texts(body.get("Action", [])), texts(body.get("NotAction", []))
    for action in (*actions, *not_actions):
        if not _ACTION.fullmatch(action):
            raise InvalidPolicy(
                f"{where} names {action!r}, which is no action such as s3:GetObject"
            )
    principals = body.get("Principal", body.get("NotPrincipal"))
    conditions = read_conditions(body.get("Condition") or {}, where)
    if variables:
        values = [value for each in conditions for value in each.values]
        for text in (
            *texts(body.get("Resource", [])),
            *texts(body.get("NotResource", [])),
            *values,
        ):
            check_variables(text, where)
    return Statement(
        where,
        body["Effect"] == "Allow",
        tuple(actions),
        tuple(not_actions),
        tuple(texts(body.get("Resource", []))),
        tuple(texts(body.get("NotResource", []))),
        None if identity else _principals(principals, where),
        "NotPrincipal" in body,
        conditions,
        variables,
    )


def _one_of(body: Mapping[str, Any], where: str, one: str, other: str, *, needed: bool) -> None:
    there = [name for name in (one, other) if name in body]
    if len(there) > 1 or (needed and not there):
        raise InvalidPolicy(f"{where} needs one of {one} and {other}")


def _principals(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, Mapping) or not set(value) <= _PRINCIPAL_KINDS:
        raise InvalidPolicy(f"{where}.Principal must be '*' or name {sorted(_PRINCIPAL_KINDS)}")
    return tuple((kind, each) for kind, names in value.items() for each in texts(names))


def texts(value: Any) -> list[str]:
    """One value or several, as a list of text; truth values as JSON writes them."""
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
