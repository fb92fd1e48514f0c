"""Condition blocks: operators, set operators, keys.

Citation: "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys
or values" of the IAM User Guide. A value list is any-of for plain operators and none-of for negated
ones; several keys and operators must all hold.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from localcloud.iam.errors import InvalidPolicy

Context = Mapping[str, str | Sequence[str]]
"""Condition keys in lower case, with one value or several."""

GLOBAL_KEYS = {
    "aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalarn",
    "aws:principaltype", "aws:principalisawsservice", "aws:principalservicename",
    "aws:requestedregion", "aws:resourceaccount", "aws:securetransport", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceip", "aws:sourceowner", "aws:userid", "aws:username",
    "aws:viaawsservice",
}  # fmt: skip
SERVICE_KEYS = {
    "events:detail-type", "events:source", "iam:passedtoservice", "kms:calleraccount",
    "kms:encryptioncontext:aws:sagemaker:model-card-arn", "kms:grantisforawsresource",
    "kms:viaservice", "s3:delimiter", "s3:max-keys", "s3:prefix", "s3:resourceaccount",
    "s3:versionid", "s3:x-amz-acl", "s3:x-amz-copy-source", "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One operator on one key.

    Attributes:
        operator: base name, such as StringLike.
        key: lower case.
        values: what the policy wants.
        if_exists: holds also where the request has no such key.
        over: "", "any" (ForAnyValue) or "all" (ForAllValues).
    """

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool
    over: str


def read_conditions(block: Mapping[str, Any], where: str) -> tuple[Condition, ...]:
    """The conditions of a statement.

    Raises:
        InvalidPolicy: an operator or a key that is not played here, or a value it cannot take.
    """
    found = []
    for written, keys in block.items():
        over, _, bare = str(written).rpartition(":")
        if over not in {"", "ForAnyValue", "ForAllValues"}:
            raise InvalidPolicy(f"{where}.Condition has an unknown set operator {written!r}")
        operator = bare.removesuffix("IfExists")
        if operator not in _OPERATORS and (operator != "Null" or bare != "Null"):
            raise InvalidPolicy(f"{where}.Condition has an unknown operator {written!r}")
        for key, wanted in keys.items():
            if key.lower() not in GLOBAL_KEYS | SERVICE_KEYS:
                raise InvalidPolicy(f"{where}.Condition key {key!r} is not known here")
            values = _values(wanted)
            _try(operator, values, f"{where}.Condition.{written}.{key}")
            short = {"": "", "ForAnyValue": "any", "ForAllValues": "all"}[over]
            found.append(Condition(operator, key.lower(), values, bare != operator, short))
    return tuple(found)


def _values(wanted: Any) -> tuple[str, ...]:
    each = wanted if isinstance(wanted, list) else [wanted]
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in each)


def _try(operator: str, values: Sequence[str], where: str) -> None:
    """A value the operator cannot read is found now rather than at the first request."""
    if operator == "Null":
        if not set(values) <= {"true", "false"}:
            raise InvalidPolicy(f"{where} must be true or false")
        return
    for value in values:
        if "${" in value:
            continue
        try:
            _OPERATORS[operator][0](value, value)
        except ValueError as error:
            raise InvalidPolicy(f"{where}: {error}") from error


def holds(condition: Condition, context: Context, fill: Callable[[str], str | None]) -> bool:
    """Whether a condition holds.

    Args:
        condition: the condition.
        context: what the request carries.
        fill: replaces policy variables in a wanted value; None where one has no value.
    """
    value = context.get(condition.key)
    if condition.operator == "Null":
        return any((value is None) == (each == "true") for each in condition.values)
    compare, negated = _OPERATORS[condition.operator]
    given = [] if value is None else [value] if isinstance(value, str) else list(value)
    if not given:  # a negated operator holds without the key, and so does ForAllValues
        return condition.if_exists or condition.over == "all" or (negated and not condition.over)
    wanted = [filled for each in condition.values if (filled := fill(each)) is not None]

    def one(each: str) -> bool:
        return any(_compared(compare, each, want) for want in wanted) != negated

    return all(map(one, given)) if condition.over == "all" else any(map(one, given))


def _compared(compare: Callable[[str, str], bool], given: str, wanted: str) -> bool:
    try:
        return compare(given, wanted)
    except ValueError:  # the request's value is of another kind: no match, as on AWS
        return False


@cache
def wildcard(pattern: str, *, folded: bool = False) -> re.Pattern[str]:
    """`*` and `?` of the policy language as a regular expression."""
    parts = ("." if each == "?" else ".*" if each == "*" else re.escape(each) for each in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if folded else 0))


def matches(pattern: str, text: str) -> bool:
    """Whether text matches a pattern with `*` and `?`, in the case written."""
    return wildcard(pattern).fullmatch(text) is not None


def _arn(given: str, wanted: str) -> bool:
    """Each of the six parts of an ARN is matched by itself: `*` does not cross a colon."""
    have, want = given.split(":", 5), wanted.split(":", 5)
    return len(have) == len(want) == 6 and all(map(matches, want, have))


def _instant(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _inside(given: str, wanted: str) -> bool:
    if "/" in given:  # only when a policy's own value is tried
        ipaddress.ip_network(given, strict=False)
        return True
    return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)


def _truth(given: str, wanted: str) -> bool:
    if wanted.lower() not in {"true", "false"}:
        raise ValueError(f"{wanted!r} is neither true nor false")
    return given.lower() == wanted.lower()


def _binary(given: str, wanted: str) -> bool:
    return base64.b64decode(given, validate=True) == base64.b64decode(wanted, validate=True)


_PLAIN: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn,  # takes wildcards too
    "ArnLike": _arn,
    "BinaryEquals": _binary,
    "Bool": _truth,
    "DateEquals": lambda a, b: _instant(a) == _instant(b),
    "DateGreaterThan": lambda a, b: _instant(a) > _instant(b),
    "DateGreaterThanEquals": lambda a, b: _instant(a) >= _instant(b),
    "DateLessThan": lambda a, b: _instant(a) < _instant(b),
    "DateLessThanEquals": lambda a, b: _instant(a) <= _instant(b),
    "IpAddress": _inside,
    "NumericEquals": lambda a, b: float(a) == float(b),
    "NumericGreaterThan": lambda a, b: float(a) > float(b),
    "NumericGreaterThanEquals": lambda a, b: float(a) >= float(b),
    "NumericLessThan": lambda a, b: float(a) < float(b),
    "NumericLessThanEquals": lambda a, b: float(a) <= float(b),
    "StringEquals": lambda a, b: a == b,
    "StringEqualsIgnoreCase": lambda a, b: a.lower() == b.lower(),
    "StringLike": lambda a, b: matches(b, a),
}
_NEGATED = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}
_OPERATORS = {name: (compare, False) for name, compare in _PLAIN.items()} | {
    name: (_PLAIN[plain], True) for name, plain in _NEGATED.items()
}
