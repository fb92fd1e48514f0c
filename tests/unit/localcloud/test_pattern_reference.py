"""Event patterns against a second, slow reading of their semantics, and more of their invariants.

The reading: of every array, look at its scalars and at one of the objects or arrays in it; a pattern matches
if there is a way to choose so that every field finds a value it accepts in what is then to be seen.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from localcloud import pattern

checked = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

NAMES = "abc"
names = st.sampled_from(NAMES)
texts = st.sampled_from(["", "x", "y", "xy", "X", "xyz"])
numbers = st.sampled_from([-1, 0, 1, 2, 2.0, 2.5])
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=9,
)
events = st.dictionaries(names, values, min_size=1, max_size=3)
flat_events = st.dictionaries(
    names,
    st.recursive(scalars, lambda inner: st.dictionaries(names, inner, max_size=3)),
    max_size=3,
)
operators = st.one_of(
    scalars,
    st.fixed_dictionaries({"prefix": texts.filter(bool)}),
    st.fixed_dictionaries({"suffix": texts.filter(bool)}),
    st.fixed_dictionaries({"equals-ignore-case": texts}),
    st.fixed_dictionaries({"anything-but": st.lists(texts, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"anything-but": st.fixed_dictionaries({"prefix": texts.filter(bool)})}),
    st.fixed_dictionaries(
        {"numeric": st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), numbers).map(list)}
    ),
    st.just({"exists": True}),
)


def patterns(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.lists(leaves, min_size=1, max_size=2)
    node = st.recursive(
        leaf, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3), max_leaves=4
    )
    return st.dictionaries(names, node, min_size=1, max_size=3)


def views(value: Any) -> Iterator[Any]:
    """Everything that may be seen of a value, one element of every array at a time."""
    if isinstance(value, dict):
        for chosen in itertools.product(*(list(views(item)) for item in value.values())):
            yield dict(zip(value, chosen, strict=True))
    elif isinstance(value, list):
        plain = [item for item in value if not isinstance(item, dict | list)]
        nested = [item for item in value if isinstance(item, dict | list)]
        if not nested:
            yield plain
        for item in nested:
            for seen in views(item):
                yield [*plain, seen]
    else:
        yield value


def scalars_at(value: Any, path: tuple[str, ...]) -> list[Any]:
    if isinstance(value, list):
        return [found for item in value for found in scalars_at(item, path)]
    if not path:
        return [] if isinstance(value, dict) else [value]
    return (
        scalars_at(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []
    )


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def accepts(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, dict):
        same_kind = (
            is_number(wanted) and is_number(found)
            if is_number(wanted) or is_number(found)
            else type(wanted) is type(found)
        )
        return same_kind and wanted == found
    ((name, operand),) = wanted.items()
    if name == "exists":
        return bool(operand)
    if name == "anything-but":
        members = [operand] if isinstance(operand, dict) else operand
        return not any(accepts(member, found) for member in members)
    if name == "numeric":
        signs = {"<": -1, "=": 0, ">": 1}
        sign, bound = operand
        return is_number(found) and ((found > bound) - (found < bound)) in {
            signs[each] for each in sign
        }
    if not isinstance(found, str):
        return False
    if name == "equals-ignore-case":
        return found.lower() == operand.lower()
    return found.startswith(operand) if name == "prefix" else found.endswith(operand)


def fields(
    rule: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in rule.items():
        if isinstance(value, dict):
            yield from fields(value, (*path, name))
        else:
            yield (*path, name), value


def reference(rule: dict[str, Any], happened: dict[str, Any]) -> bool:
    def holds(seen: Any, path: tuple[str, ...], leaf: list[Any]) -> bool:
        found = scalars_at(seen, path)
        if {"exists": False} in leaf and not found:
            return True
        present = [wanted for wanted in leaf if wanted != {"exists": False}]
        return any(accepts(wanted, value) for wanted in present for value in found)

    asked = list(fields(rule))
    return any(all(holds(seen, *field) for field in asked) for seen in views(happened))


def asked_of(value: Any, data: st.DataObject, leaves: st.SearchStrategy[Any]) -> Any:
    """A pattern along the paths of a value, so that it may match; None for nothing to ask."""
    if isinstance(value, dict):
        asked = {
            name: below
            for name, item in value.items()
            if (below := asked_of(item, data, leaves)) is not None
        }
        return asked or None
    if isinstance(value, list):
        return asked_of(data.draw(st.sampled_from(value)), data, leaves) if value else None
    return [value] if data.draw(st.booleans()) else [data.draw(leaves)]


def rule_for(
    happened: dict[str, Any], data: st.DataObject, leaves: st.SearchStrategy[Any] = operators
) -> dict[str, Any]:
    rule = asked_of(happened, data, leaves) if data.draw(st.integers(0, 2)) else None
    return rule or data.draw(patterns(leaves))


def matches(rule: dict[str, Any], happened: dict[str, Any]) -> bool:
    return pattern.compile(rule).matches(happened)


@checked
@given(happened=events, data=st.data())
def test_both_readings_agree_on_arrays_of_objects(
    happened: dict[str, Any], data: st.DataObject
) -> None:
    rule = rule_for(happened, data)
    verdict = reference(rule, happened)
    event(f"matches: {verdict}")
    assert matches(rule, happened) == verdict


@checked
@given(happened=flat_events, data=st.data())
def test_both_readings_agree_on_absence_without_arrays(
    happened: dict[str, Any], data: st.DataObject
) -> None:
    rule = rule_for(happened, data, st.one_of(operators, st.just({"exists": False})))
    assert matches(rule, happened) == reference(rule, happened)


@checked
@given(happened=events, added=values, data=st.data())
def test_another_element_of_an_array_never_loses_a_match(
    happened: dict[str, Any], added: Any, data: st.DataObject
) -> None:
    rule = rule_for(happened, data)
    before = matches(rule, happened)
    larger = copy.deepcopy(happened)

    def arrays(value: Any) -> Iterator[list[Any]]:
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, list):
            yield value
        if isinstance(value, dict | list):
            for item in inside:
                yield from arrays(item)

    there = list(arrays(larger))
    if there:
        data.draw(st.sampled_from(there)).insert(0, added)
    assert matches(rule, larger) or not before


@checked
@given(happened=flat_events, path=st.lists(names, min_size=1, max_size=3))
def test_there_or_not_there_are_complements(happened: dict[str, Any], path: list[str]) -> None:
    def at_path(leaf: Any) -> dict[str, Any]:
        for name in reversed(path):
            leaf = {name: leaf}
        return dict(leaf)

    there = matches(at_path([{"exists": True}]), happened)
    assert there != matches(at_path([{"exists": False}]), happened)
    assert matches(at_path([{"exists": True}, {"exists": False}]), happened)


plain = st.text(alphabet="xyX .é", max_size=5)


@checked
@given(part=plain.filter(bool), found=plain)
def test_affixes_are_wildcards_and_exactness_is_a_plain_value(part: str, found: str) -> None:
    def leaf(wanted: Any) -> bool:
        return matches({"a": [wanted]}, {"a": found})

    assert leaf({"prefix": part}) == leaf({"wildcard": f"{part}*"}) == found.startswith(part)
    assert leaf({"suffix": part}) == leaf({"wildcard": f"*{part}"}) == found.endswith(part)
    assert leaf({"exactly": part}) == leaf(part) == leaf({"wildcard": part}) == (found == part)
    assert leaf({"equals-ignore-case": part}) or not leaf(part)
    assert leaf({"prefix": {"equals-ignore-case": part}}) or not leaf({"prefix": part})


@checked
@given(
    low=st.integers(-5, 5), width=st.integers(1, 5), found=st.integers(-12, 12),
    over=st.sampled_from([">", ">="]), under=st.sampled_from(["<", "<="]),
)  # fmt: skip
def test_a_range_is_both_its_bounds(
    low: int, width: int, found: int, over: str, under: str
) -> None:
    def leaf(*operand: Any) -> bool:
        return matches({"a": [{"numeric": list(operand)}]}, {"a": found / 2})

    both = leaf(over, low) and leaf(under, low + width)
    assert leaf(over, low, under, low + width) == both


@st.composite
def broken_patterns(draw: st.DrawFn) -> Any:
    """A good pattern in which one thing was replaced, removed, wrapped or doubled."""
    rule = copy.deepcopy(draw(patterns(operators)))
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                collect(node[key])

    collect(rule)
    node, key = draw(st.sampled_from(places))
    odd = st.one_of(
        scalars, st.just([]), st.just({}), st.just([[]]), st.just({"$or": []}), operators
    )
    match draw(st.integers(0, 3)):
        case 0:
            node[key] = copy.deepcopy(draw(odd))
        case 1:
            del node[key]
        case 2:
            node[key] = [node[key]] if draw(st.booleans()) else {"a": node[key]}
        case _:
            extra = copy.deepcopy(draw(odd))
            if isinstance(node, dict):
                node[draw(st.sampled_from(["prefix", "$or", "numeric", "a", "cidr", ""]))] = extra
            else:
                node.append(extra)
    return rule


@checked
@given(rule=broken_patterns(), happened=events)
def test_a_damaged_pattern_is_refused_or_works_and_nothing_else(
    rule: Any, happened: dict[str, Any]
) -> None:
    try:
        compiled = pattern.compile(rule)
    except pattern.InvalidPattern as refused:
        event("refused")
        assert ": " in str(refused)  # noqa: PT017 - either outcome is right
    else:
        assert compiled.matches(happened) in {True, False}
