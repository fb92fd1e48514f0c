"""Subscription filter policies, by the examples of the SNS Developer Guide and beyond."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.filters import compile_filter
from localcloud.pattern import InvalidPattern

STRING, ARRAY, NUMBER = "String", "String.Array", "Number"


def attributes(**values: tuple[str, Any]) -> dict[str, dict[str, str]]:
    return {
        name: {"Type": kind, "Value": value if isinstance(value, str) else json.dumps(value)}
        for name, (kind, value) in values.items()
    }


@pytest.mark.parametrize(
    ("wanted", "kind", "value", "expected"),
    [
        (["rugby", "tennis"], STRING, "rugby", True),
        (["rugby", "tennis"], STRING, "baseball", False),
        (["rugby"], STRING, "Rugby", False),
        (["rugby"], ARRAY, ["soccer", "rugby"], True),
        (["rugby"], ARRAY, ["soccer"], False),
        (["rugby"], ARRAY, "no json", False),
        ([True], ARRAY, [True], True),
        ([None], ARRAY, [None], True),
        ([{"anything-but": ["rugby", "tennis"]}], STRING, "football", True),
        ([{"anything-but": ["rugby", "tennis"]}], STRING, "rugby", False),
        ([{"anything-but": ["rugby", "tennis"]}], ARRAY, ["rugby", "baseball"], True),
        ([{"anything-but": ["rugby", "tennis"]}], ARRAY, ["rugby"], False),
        ([{"anything-but": {"prefix": "order-"}}], STRING, "data-entry", True),
        ([{"anything-but": {"prefix": "order-"}}], STRING, "order-number", False),
        ([{"anything-but": [100, 500]}], NUMBER, "101", True),
        ([{"anything-but": [100, 500]}], NUMBER, "100.0", False),
        ([{"equals-ignore-case": "Tennis"}], STRING, "tENNIS", True),
        ([{"cidr": "10.0.0.0/24"}], STRING, "10.0.0.255", True),
        ([{"cidr": "10.0.0.0/24"}], STRING, "10.1.0.0", False),
        ([{"prefix": "bas"}], STRING, "baseball", True),
        ([{"prefix": "bas"}], STRING, "rugby", False),
        ([{"suffix": "ball"}], STRING, "baseball", True),
        ([{"suffix": "ball"}], STRING, "rugby", False),
        ([{"numeric": ["=", 301.5]}], NUMBER, "3.015e2", True),
        ([{"numeric": ["<", 0]}], NUMBER, "-1", True),
        ([{"numeric": [">", 0, "<=", 150]}], NUMBER, "150", True),
        ([{"numeric": [">", 0, "<=", 150]}], NUMBER, "-1", False),
        ([{"numeric": [">", 0]}], STRING, "5", False),
        ([{"exists": True}], STRING, "", True),
        ([{"exists": False}], STRING, "a", False),
    ],
)
def test_operators_on_an_attribute(
    wanted: list[Any], kind: str, value: Any, expected: bool
) -> None:
    compiled = compile_filter({"key": wanted})
    assert compiled.matches(attributes(key=(kind, value)), "") is expected


def test_an_absent_attribute() -> None:
    assert compile_filter({"key": [{"exists": False}]}).matches({}, "")
    assert not compile_filter({"key": ["a"]}).matches({}, "")
    both = compile_filter({"key": [{"exists": False}, {"anything-but": ["a"]}]})
    assert both.matches({}, "")
    assert both.matches(attributes(key=(STRING, "b")), "")
    assert not both.matches(attributes(key=(STRING, "a")), "")


def test_binary_attributes_do_not_count() -> None:
    found = {"key": {"Type": "Binary", "Value": "YQ=="}}
    assert not compile_filter({"key": [{"exists": True}]}).matches(found, "")


def test_fields_are_joined_by_and_members_of_or_by_or() -> None:
    policy = {"source": ["a"], "$or": [{"n": [{"numeric": [">", 1]}]}, {"kind": ["x"]}]}
    compiled = compile_filter(policy)
    assert compiled.matches(attributes(source=(STRING, "a"), n=(NUMBER, "2")), "")
    assert compiled.matches(attributes(source=(STRING, "a"), kind=(STRING, "x")), "")
    assert not compiled.matches(attributes(source=(STRING, "a"), n=(NUMBER, "1")), "")
    assert not compiled.matches(attributes(kind=(STRING, "x")), "")


def test_a_body_is_a_json_object_or_nothing_passes() -> None:
    compiled = compile_filter({"a": {"b": ["c"]}}, "MessageBody")
    assert compiled.matches({}, '{"a": {"b": "c"}}')
    assert compiled.matches({}, '{"a": [{"b": "x"}, {"b": ["c"]}]}')
    for body in ('{"a": {"b": "d"}}', '["c"]', '"c"', "", "{"):
        assert not compiled.matches({}, body)


@pytest.mark.parametrize(
    ("policy", "scope", "message"),
    [
        ({"a": ["b"]}, "Body", "FilterPolicyScope is one of"),
        ([], "MessageBody", "takes an object"),
        ({}, "MessageAttributes", "at least one field"),
        ({"a": "b"}, "MessageAttributes", "takes a list"),
        ({"a": []}, "MessageAttributes", "the list is empty"),
        ({"a": [["b"]]}, "MessageAttributes", "not an array"),
        ({"a": {"b": ["c"]}}, "MessageAttributes", "does not nest"),
        ({"a": [{"wildcard": "*"}]}, "MessageBody", "no operator 'wildcard'"),
        ({"a": [{"prefix": {"equals-ignore-case": "x"}}]}, "MessageBody", "takes one string"),
        ({"a": [{"anything-but": {"suffix": "x"}}]}, "MessageBody", "negates no other operator"),
        ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, "MessageBody", "prefix with one"),
        ({"a": [{"exists": "yes"}]}, "MessageBody", "takes true or false"),
        ({"a": [{"numeric": ["=>", 1]}]}, "MessageBody", "compares nothing"),
        ({"a": [{"numeric": [">", 2_000_000_000]}]}, "MessageBody", "numbers go from"),
        ({"a": [2_000_000_000]}, "MessageBody", "numbers go from"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "MessageBody", "is no network"),
        ({"$or": [{"a": ["b"]}]}, "MessageBody", "at least two objects"),
        ({"$or": ["a", "b"]}, "MessageBody", "takes a list of objects"),
        ({str(n): ["x"] for n in range(6)}, "MessageBody", "has 6 keys"),
        ({"a": list(range(13)), "b": list(range(12))}, "MessageBody", "more than 150"),
        ({"a": {"b": {"c": list(range(51))}}}, "MessageBody", "more than 150"),
        ({"a": ["x" * 300_000]}, "MessageBody", "longer than"),
    ],
)
def test_what_sns_refuses_is_refused(policy: Any, scope: str, message: str) -> None:
    with pytest.raises(InvalidPattern, match=message):
        compile_filter(policy, scope)


def test_the_documented_count_of_combinations() -> None:
    # the guide's own sums: 3 x 1 x 2 = 6, and nested (3 values at depth 3) x (2 at depth 2) = 36
    compile_filter({"a": ["1", "2", "3"], "b": ["4"], "c": ["5", "6"]})
    nested = {"a": {"b": {"c": [str(n) for n in range(4)]}}, "d": {"e": ["x", "y", "z"]}}
    compile_filter(nested, "MessageBody")  # 4 x 3 x 3 x 2 = 72
    compile_filter({"$or": [{"a": list(range(75))}, {"b": list(range(75))}]})
    with pytest.raises(InvalidPattern, match="more than 150"):
        compile_filter({"$or": [{"a": list(range(76))}, {"b": list(range(75))}]})
