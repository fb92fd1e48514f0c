"""Subscription filter policies: which messages of a topic a subscription takes.

Citations: "Amazon SNS subscription filter policies", "String value matching", "Numeric value
matching", "Attribute key matching", "AND/OR logic" and "Filter policy constraints" of the Amazon
SNS Developer Guide. The operators are event-ruler's, so that `localcloud.pattern` matches; what
SNS knows less of, or bounds more narrowly, is refused here.

Where SNS would silently treat a malformed `$or` as the name of an attribute, it is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.limits import FILTER_KEYS, FILTER_VALUES
from localcloud.pattern import InvalidPattern, Pattern
from localcloud.pattern import compile as compile_pattern

_OPERATORS = frozenset(
    {"prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "exists", "cidr"}
)
_TEXT_OPERATORS = frozenset({"prefix", "suffix", "equals-ignore-case"})
_MOST_KEYS = FILTER_KEYS.most
_MOST_COMBINATIONS = FILTER_VALUES.most
_MOST_BYTES = 256 * 1024
_LARGEST_NUMBER = 10**9
SCOPES = ("MessageAttributes", "MessageBody")


@dataclass(frozen=True)
class Filter:
    """A compiled filter policy.

    Attributes:
        pattern: what must match.
        scope: MessageAttributes or MessageBody.
    """

    pattern: Pattern
    scope: str

    def matches(self, attributes: Mapping[str, Mapping[str, str]], message: str) -> bool:
        """Whether a message passes.

        Args:
            attributes: message attributes by name, each with Type and Value (text).
            message: the message body; for the scope MessageBody a JSON object, or nothing passes.
        """
        if self.scope == "MessageAttributes":
            return self.pattern.matches(dict(_comparable(attributes)))
        try:
            body = json.loads(message)
        except json.JSONDecodeError:
            return False
        return isinstance(body, dict) and self.pattern.matches(body)


def compile_filter(policy: Mapping[str, Any], scope: str = "MessageAttributes") -> Filter:
    """Compile a filter policy.

    Raises:
        InvalidPattern: SNS would refuse it, or it lacks meaning here; the message names the place.
    """
    if scope not in SCOPES:
        raise InvalidPattern(f"FilterPolicyScope is one of {', '.join(SCOPES)}, not {scope!r}")
    if not isinstance(policy, Mapping):
        raise InvalidPattern("filter policy: takes an object of fields")
    if len(json.dumps(policy).encode()) > _MOST_BYTES:
        raise InvalidPattern(f"filter policy: longer than {_MOST_BYTES:,} bytes")
    if len(policy) > _MOST_KEYS:
        raise InvalidPattern(f"filter policy: has {len(policy)} keys, {_MOST_KEYS} are allowed")
    if _combinations(policy, 1, "filter policy", nested=scope == "MessageBody") > (
        _MOST_COMBINATIONS
    ):
        raise InvalidPattern(
            f"filter policy: its values combine to more than {_MOST_COMBINATIONS}; split it"
        )
    return Filter(compile_pattern(dict(policy)), scope)


def _comparable(attributes: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Any]]:
    """Attributes as JSON values: String, String.Array and Number; SNS ignores Binary.

    A String.Array that is no JSON array matches nothing, as if it were not there.
    """
    for name, attribute in attributes.items():
        kind, value = attribute["Type"], attribute["Value"]
        if kind.split(".")[0] == "Number":
            yield name, float(value)
        elif kind == "String.Array":
            try:
                yield name, json.loads(value)
            except json.JSONDecodeError:
                continue
        elif kind.split(".")[0] == "String":
            yield name, value


def _combinations(node: Mapping[str, Any], depth: int, where: str, *, nested: bool) -> int:
    """The number of combinations: every list's length times its depth, multiplied; members of
    `$or` added. Checks operators on the way.
    """
    product = 1
    for key, value in node.items():
        spot = f"{where}.{key}"
        if isinstance(value, Mapping):
            if not nested:
                raise InvalidPattern(
                    f"{spot}: the scope MessageAttributes does not nest; use MessageBody"
                )
            product *= _combinations(value, depth + 1, spot, nested=nested)
        elif key == "$or" and isinstance(value, list):
            if not all(isinstance(each, Mapping) for each in value):
                raise InvalidPattern(f"{spot}: takes a list of objects")
            product *= sum(
                _combinations(each, depth, f"{spot}[{at}]", nested=nested)
                for at, each in enumerate(value)
            )
        elif isinstance(value, list):
            for at, each in enumerate(value):
                _check(each, f"{spot}[{at}]")
            product *= len(value) * depth
        # anything else is refused, with its place, when the pattern is compiled
    return product


def _check(value: Any, where: str) -> None:
    """See that SNS knows an operator: fewer than EventBridge does."""
    if isinstance(value, Mapping):
        for name, operand in value.items():
            if name not in _OPERATORS:
                known = ", ".join(sorted(_OPERATORS))
                raise InvalidPattern(f"{where}: Amazon SNS has no operator {name!r}; use {known}")
            if name in _TEXT_OPERATORS and not isinstance(operand, str):
                raise InvalidPattern(f"{where}.{name}: takes one string")
            if name == "anything-but" and isinstance(operand, Mapping):
                _check_anything_but(operand, where)
            if name == "numeric" and isinstance(operand, list):
                for each in operand:
                    _bounded(each, f"{where}.numeric")
    else:
        _bounded(value, where)


def _check_anything_but(operand: Mapping[str, Any], where: str) -> None:
    if set(operand) != {"prefix"} or not isinstance(operand["prefix"], str):
        raise InvalidPattern(
            f"{where}.anything-but: takes values, or prefix with one string; Amazon SNS "
            "negates no other operator"
        )


def _bounded(value: Any, where: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and abs(value) > _LARGEST_NUMBER:
        raise InvalidPattern(f"{where}: numbers go from -1,000,000,000 to 1,000,000,000")
