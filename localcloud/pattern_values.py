"""What an event pattern asks of the values of one field: the leaves of `localcloud.pattern`.

The meaning is the one that aws/event-ruler (Apache-2.0) documents and EventBridge publishes at
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html; the
code is our own.

- Types are JSON's: `"5"`, `5` and `true` never equal each other; `5` equals `5.0`.
- `anything-but` matches every scalar that it does not name, of whatever type.
- A string that is an IP address matches every spelling of that address.
"""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import AddressValueError, IPv6Address
from typing import TypeGuard

from localcloud.pattern_text import (
    Compiler,
    InvalidPattern,
    Test,
    equals_ignore_case,
    exactly,
    expression,
    kind,
    prefix,
    string,
    suffix,
    wildcard,
)

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Beyond it a double skips integers, and the service refuses to compare with one.
_LARGEST_EXACT_INTEGER = 2**53
_IPV4 = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){3}")
# Neither a zone (fe80::1%eth0) nor a dotted tail (::ffff:10.0.0.1): event-ruler reads neither.
_IPV6 = re.compile(r"[0-9a-fA-F:]{2,39}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """The alternatives that a pattern lists for one field.

    `absence` is true where one of them is `{"exists": false}`.
    """

    tests: tuple[Test, ...]
    absence: bool

    def accepts(self, value: object) -> bool:
        """Whether any alternative matches this scalar (str, int, float, bool or None)."""
        return any(test(value) for test in self.tests)


def leaf(values: list[object], where: str) -> Leaf:
    """Compile the list of one field; raises `InvalidPattern` that names the entry of `where`."""
    if not values:
        raise InvalidPattern(f"{where}: the list is empty; name at least one value")
    absent = [isinstance(value, dict) and _asks_for_absence(value) for value in values]
    tests = [
        _alternative(value, f"{where}[{index}]")
        for index, value in enumerate(values)
        if not absent[index]
    ]
    return Leaf(tuple(tests), any(absent))


def _asks_for_absence(node: dict[str, object]) -> bool:
    return len(node) == 1 and node.get("exists") is False


def _alternative(value: object, where: str) -> Test:
    """An expression, or a plain value: JSON equality, and address equality for IP addresses."""
    if isinstance(value, dict):
        return expression(_OPERATORS, value, where)
    if isinstance(value, str):
        address = _address(value)
        if address is None:
            return partial(operator.eq, value)
        return lambda found: isinstance(found, str) and _address(found) == address
    if value is None or isinstance(value, bool):
        return partial(operator.is_, value)
    if _is_number(value):
        return partial(_same_number, value)
    raise InvalidPattern(
        f"{where}: a value is a string, a finite number, true, false or null, not {kind(value)}; "
        "list plain values, nest fields as objects"
    )


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _same_number(expected: float, found: object) -> bool:
    return _is_number(found) and found == expected


def _number(operand: object, where: str) -> float:
    if not _is_number(operand):
        raise InvalidPattern(f"{where}: takes a finite number, not {kind(operand)}; write one")
    if isinstance(operand, int) and abs(operand) > _LARGEST_EXACT_INTEGER:
        raise InvalidPattern(
            f"{where}: integers beyond 2^53 do not compare exactly; list them as plain values"
        )
    return operand


def _numeric(operand: object, where: str) -> Test:
    """`numeric`: one comparison, or a lower and then an upper bound: `[">", 0, "<=", 5]`."""
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise InvalidPattern(f'{where}: takes an array; write [">", 0] or [">", 0, "<=", 5]')
    signs = [string(sign, where) for sign in operand[::2]]
    bounds = [_number(bound, where) for bound in operand[1::2]]
    if unknown := [sign for sign in signs if sign not in _COMPARISONS]:
        raise InvalidPattern(f"{where}: {unknown[0]!r} compares nothing; use = < <= > or >=")
    if len(bounds) == 2 and not (
        signs[0] in {">", ">="} and signs[1] in {"<", "<="} and bounds[0] < bounds[1]
    ):
        raise InvalidPattern(
            f"{where}: a range is > or >= the smaller number, then < or <= the larger; reorder it"
        )
    checks = [(_COMPARISONS[sign], bound) for sign, bound in zip(signs, bounds, strict=True)]
    return lambda found: _is_number(found) and all(check(found, bound) for check, bound in checks)


def _address(text: str) -> tuple[int, int] | None:
    """The width in bits and the number of an IP address; None for any other text."""
    if _IPV4.fullmatch(text):
        # Leading zeros are decimal here: 010.0.0.1 is 10.0.0.1, not octal.
        octets = [int(octet) for octet in text.split(".")]
        return (32, int.from_bytes(octets)) if max(octets) < 256 else None
    if not _IPV6.fullmatch(text):
        return None
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    mapped = address.ipv4_mapped
    return (128, int(address)) if mapped is None else (32, int(mapped))


def _cidr(operand: object, where: str) -> Test:
    """`cidr`: the addresses of one network; the host bits of the operand do not count."""
    base, _, mask = string(operand, where).partition("/")
    address = _address(base)
    if address is None or not re.fullmatch(r"[0-9]{1,3}", mask):
        raise InvalidPattern(f"{where}: {operand!r} is no network; write one like 10.0.0.0/24")
    width, number = address
    host_bits = width - int(mask)
    if host_bits < 1:
        raise InvalidPattern(
            f"{where}: the mask must be below /{width}; list a single address as a plain value"
        )

    def test(found: object) -> bool:
        candidate = _address(found) if isinstance(found, str) else None
        return candidate is not None and (
            candidate[0] == width and candidate[1] >> host_bits == number >> host_bits
        )

    return test


def _exists(operand: object, where: str) -> Test:
    """`{"exists": true}`: any scalar will do. Its opposite is `Leaf.absence`."""
    if operand is not True:
        raise InvalidPattern(f"{where}: takes true or false, not {kind(operand)}; write one")
    return lambda _: True


def _anything_but(operand: object, where: str) -> Test:
    """`anything-but`: the complement of values of one type, or of operators on text."""
    if isinstance(operand, dict):
        named = expression(_NEGATABLE, operand, where)
        return lambda found: not named(found)
    values = operand if isinstance(operand, list) else [operand]
    tests: list[Test]
    if values and all(isinstance(value, str) for value in values):
        tests = [partial(operator.eq, value) for value in values]
    elif values and all(_is_number(value) for value in values):
        tests = [partial(_same_number, _number(value, where)) for value in values]
    else:
        raise InvalidPattern(
            f"{where}: takes strings only or numbers only, at least one; "
            "list the values that shall match instead"
        )
    return lambda found: not any(test(found) for test in tests)


def _any_of(compiler: Compiler, operand: object, where: str) -> Test:
    """Inside `anything-but` an operator takes a list of strings too."""
    texts = operand if isinstance(operand, list) else [operand]
    if not texts:
        raise InvalidPattern(f"{where}: the list is empty; name at least one string")
    tests = [compiler(string(text, where), where) for text in texts]
    return lambda found: any(test(found) for test in tests)


def _not_empty(compiler: Compiler, operand: object, where: str) -> Test:
    if operand == "":
        raise InvalidPattern(f"{where}: every string has the empty affix; name a longer one")
    return compiler(operand, where)


_OPERATORS: dict[str, Compiler] = {
    "prefix": prefix,
    "suffix": suffix,
    "equals-ignore-case": equals_ignore_case,
    "wildcard": wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "exactly": exactly,
}
_NEGATABLE: dict[str, Compiler] = {
    "prefix": partial(_any_of, partial(_not_empty, prefix)),
    "suffix": partial(_any_of, partial(_not_empty, suffix)),
    "equals-ignore-case": partial(_any_of, equals_ignore_case),
    "wildcard": partial(_any_of, wildcard),
}
