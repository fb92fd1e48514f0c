"""Conditions of a Condition step: what they may be, and whether they hold.

Citation: "Condition step" of the SageMaker Developer Guide and "ConditionStep" of the definition
schema; the list of a step is a conjunction.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.engines.base import RunError
from localcloud.wiring import RefusedError

Resolve = Callable[[Any], Any]
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "Equals": ("LeftValue", "RightValue"),
    **dict.fromkeys(_ORDERS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}


def check(step: str, arguments: Mapping[str, Any]) -> None:
    """See that a Condition step's arguments are well formed.

    Raises:
        RefusedError: they are not.
    """
    given = arguments.get("Conditions")
    if not isinstance(given, list) or not given:
        raise RefusedError(f"step {step}: a Condition step needs a list of Conditions")
    if odd := sorted(set(arguments) - {"Conditions", "IfSteps", "ElseSteps"}):
        raise RefusedError(f"step {step}: {odd[0]} is not known")
    for each in given:
        _check(step, each)


def _check(step: str, condition: Any) -> None:
    kind = condition.get("Type") if isinstance(condition, Mapping) else None
    if kind not in _MEMBERS:
        known = ", ".join(_MEMBERS)
        raise RefusedError(f"step {step}: condition type {kind!r} is none of {known}")
    wanted = {"Type", *_MEMBERS[str(kind)]}
    if set(condition) != wanted:
        raise RefusedError(
            f"step {step}: a condition {kind} has exactly {', '.join(sorted(wanted))}"
        )
    if kind == "Not":
        _check(step, condition["Condition"])
    for name in {"In": ("Values",), "Or": ("Conditions",)}.get(str(kind), ()):
        if not isinstance(condition[name], list) or not condition[name]:
            raise RefusedError(f"step {step}: {name} of a condition {kind} must be a list")
    for each in condition["Conditions"] if kind == "Or" else ():
        _check(step, each)


def holds(condition: Mapping[str, Any], resolve: Resolve) -> bool:
    """Whether a condition holds.

    Args:
        condition: as `check` let it pass.
        resolve: gives values for references.

    Raises:
        RunError: it compares what has no order.
    """
    kind = str(condition["Type"])
    if kind == "Not":
        return not holds(condition["Condition"], resolve)
    if kind == "Or":
        return any(holds(each, resolve) for each in condition["Conditions"])
    if kind == "In":
        wanted = resolve(condition["QueryValue"])
        return any(_same(wanted, resolve(each)) for each in condition["Values"])
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    if kind == "Equals":
        return _same(left, right)
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RunError(f"ClientError: {kind} compares numbers, not {value!r}")
    return _ORDERS[kind](left, right)


def _same(left: Any, right: Any) -> bool:
    """Equal, and both or neither a truth value: 1 is not true."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
