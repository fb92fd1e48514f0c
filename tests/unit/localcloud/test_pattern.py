"""Event patterns, case by case: the shared oracle set, then rows of our own."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from localcloud import pattern

REPOSITORY = Path(__file__).parents[3]


def shared_cases() -> list[Any]:
    """The 106 cases that event-ruler itself judged: {name, pattern, event, expected}."""
    data = os.environ.get("SIGNALBOX_DATA")
    root = Path(data) if data else REPOSITORY.parent / "shared" / "data"
    file = root / "event_patterns" / "cases.json"
    if not file.is_file():
        reason = f"the event_patterns set is not at {file}: point SIGNALBOX_DATA at its folder"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="event_patterns")]
    cases = json.loads(file.read_text(encoding="utf-8"))
    assert len(cases) >= 106
    return [pytest.param(case, id=case["name"]) for case in cases]


def verdict(rule: Any, event: dict[str, Any]) -> str:
    try:
        compiled = pattern.compile(rule)
    except pattern.InvalidPattern:
        return "invalid"
    return "yes" if compiled.matches(event) else "no"


@pytest.mark.parametrize("case", shared_cases())
@pytest.mark.parametrize("form", ["object", "text"])
def test_judges_as_event_ruler(case: dict[str, Any], form: str) -> None:
    rule = case["pattern"] if form == "object" else json.dumps(case["pattern"])

    assert verdict(rule, case["event"]) == case["expected"]


S3_KEY = {"detail": {"bucket": {"name": "b"}, "object": {"key": "raw/hvac/unit=7/a.csv.gz"}}}


def s3_key(*alternatives: Any) -> dict[str, Any]:
    return {"detail": {"object": {"key": list(alternatives)}}}


@pytest.mark.parametrize(
    ("rule", "event", "expected"),
    [
        # plain values and JSON types
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": "X"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
        ({"a": [1]}, {"a": 1.0}, True),
        ({"a": [0]}, {"a": -0.0}, True),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [True]}, {"a": True}, True),
        ({"a": [False]}, {"a": None}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": ["null"]}, {"a": None}, False),
        ({"a": [123456789012]}, {"a": 123456789012}, True),
        ({"a": [2**60]}, {"a": 2**60 + 1}, False),
        ({"a": [1]}, {"a": {"b": 1}}, False),
        # prefix and suffix
        (s3_key({"prefix": "raw/"}), S3_KEY, True),
        (s3_key({"prefix": "history/"}), S3_KEY, False),
        (s3_key({"suffix": ".csv"}), S3_KEY, False),
        (s3_key({"suffix": ".csv"}, {"suffix": ".gz"}), S3_KEY, True),
        (s3_key({"suffix": {"equals-ignore-case": ".CSV.GZ"}}), S3_KEY, True),
        (s3_key({"prefix": {"equals-ignore-case": "RAW/h"}}), S3_KEY, True),
        (s3_key({"prefix": {"equals-ignore-case": "AW/"}}), S3_KEY, False),
        ({"a": [{"prefix": ""}]}, {"a": "anything"}, True),
        ({"a": [{"prefix": ""}]}, {"a": 5}, False),
        ({"a": [{"suffix": ""}]}, {"a": None}, False),
        # equals-ignore-case: one character at a time, lower or upper
        ({"a": [{"equals-ignore-case": "sTrEeT"}]}, {"a": "STREET"}, True),
        ({"a": [{"equals-ignore-case": "straße"}]}, {"a": "STRASSE"}, True),
        ({"a": [{"equals-ignore-case": "ǅ"}]}, {"a": "ǅ"}, True),
        ({"a": [{"equals-ignore-case": "a.c"}]}, {"a": "abc"}, False),
        ({"a": [{"equals-ignore-case": "ab"}]}, {"a": "ab\n"}, False),
        ({"a": [{"suffix": {"equals-ignore-case": "B"}}]}, {"a": "a\nb"}, True),
        # exactly
        ({"a": [{"exactly": "x"}]}, {"a": "x"}, True),
        ({"a": [{"exactly": "x"}]}, {"a": "X"}, False),
        # wildcard
        (s3_key({"wildcard": "raw/*/unit=*.csv*"}), S3_KEY, True),
        (s3_key({"wildcard": "*/unit=8/*"}), S3_KEY, False),
        (s3_key({"wildcard": "raw/*"}), S3_KEY, True),
        ({"a": [{"wildcard": "*"}]}, {"a": ""}, True),
        ({"a": [{"wildcard": "*"}]}, {"a": 1}, False),
        ({"a": [{"wildcard": "ab*ba"}]}, {"a": "aba"}, False),
        ({"a": [{"wildcard": "ab*ba"}]}, {"a": "abba"}, True),
        ({"a": [{"wildcard": "*a*a*"}]}, {"a": "ba"}, False),
        ({"a": [{"wildcard": "*aa*aa*"}]}, {"a": "aaa"}, False),
        ({"a": [{"wildcard": r"a\**\\"}]}, {"a": "a*b\\"}, True),
        ({"a": [{"wildcard": ""}]}, {"a": ""}, True),
        ({"a": [{"wildcard": "a?c"}]}, {"a": "abc"}, False),
        # anything-but: every scalar that is not named
        ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": 5}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": None}, True),
        ({"a": [{"anything-but": "x"}]}, {}, False),
        ({"a": [{"anything-but": [1, 2]}]}, {"a": 2.0}, False),
        ({"a": [{"anything-but": 1}]}, {"a": True}, True),
        ({"a": [{"anything-but": {"prefix": ["in", "out"]}}]}, {"a": "output"}, False),
        ({"a": [{"anything-but": {"suffix": ".csv"}}]}, {"a": "x.parquet"}, True),
        ({"a": [{"anything-but": {"suffix": [".csv", ".gz"]}}]}, {"a": "x.gz"}, False),
        ({"a": [{"anything-but": {"equals-ignore-case": ["on", "off"]}}]}, {"a": "OFF"}, False),
        ({"a": [{"anything-but": {"wildcard": ["*.tmp", "_*"]}}]}, {"a": "_x"}, False),
        ({"a": [{"anything-but": {"wildcard": "*.tmp"}}]}, {"a": "a.csv"}, True),
        # numeric
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
        ({"a": [{"numeric": [">=", 0, "<", 5]}]}, {"a": 0}, True),
        ({"a": [{"numeric": ["<", 10]}]}, {"a": 9.99}, True),
        ({"a": [{"numeric": ["=", 3.018e2]}]}, {"a": 301.8}, True),
        ({"a": [{"numeric": [">", 0]}]}, {"a": "1"}, False),
        ({"a": [{"numeric": [">", 0]}]}, {"a": float("inf")}, False),
        # addresses
        ({"ip": [{"cidr": "10.1.2.3/8"}]}, {"ip": "10.200.0.1"}, True),
        ({"ip": [{"cidr": "10.0.0.0/8"}]}, {"ip": "11.0.0.1"}, False),
        ({"ip": [{"cidr": "10.0.0.0/8"}]}, {"ip": 10}, False),
        ({"ip": [{"cidr": "0.0.0.0/0"}]}, {"ip": "::1"}, False),
        ({"ip": [{"cidr": "0.0.0.0/0"}]}, {"ip": "10.0.0.300"}, False),
        ({"ip": [{"cidr": "2001:db8::/32"}]}, {"ip": "2001:0DB8:1::7"}, True),
        ({"ip": [{"cidr": "2001:db8::/32"}]}, {"ip": "2001:db9::7"}, False),
        ({"ip": [{"cidr": "10.0.0.0/8"}]}, {"ip": "::ffff:a00:1"}, True),
        ({"ip": ["2001:db8::1"]}, {"ip": "2001:0db8:0:0::1"}, True),
        ({"ip": ["10.0.0.1"]}, {"ip": "010.0.0.1"}, True),
        ({"ip": ["::"]}, {"ip": ":::"}, False),
        # exists: leaves only
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
        ({"a": [{"exists": False}]}, {"a": 0}, False),
        ({"a": [{"exists": False}]}, {"a": [[], [[]]]}, True),
        ({"a": [{"exists": False}, "x"]}, {"a": "y"}, False),
        # dots join names in patterns and in events
        ({"detail.state": ["on"]}, {"detail": {"state": "on"}}, True),
        ({"detail": {"state": ["on"]}}, {"detail.state": "on"}, True),
        ({"a": ["x"], "a.b": ["y"]}, {"a": ["x", {"b": "y"}]}, True),
        # $or
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2}, False),
        ({"d": {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}}, {"d": {"b": {"c": 2}}}, True),
        ({"$or": [{"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]}, {"b": 2}, False),
        (
            {"$or": [{"a": [1]}, {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}]},
            {"b": 2, "d": 4},
            True,
        ),
        ({"prefix": [1]}, {"prefix": 1}, True),  # reserved only inside $or
    ],
)
def test_matches(rule: dict[str, Any], event: dict[str, Any], *, expected: bool) -> None:
    assert pattern.compile(rule).matches(event) is expected


STAFF = {
    "team": [
        {"first": "Ada", "last": "Byron", "phones": [{"type": "home", "n": 1}], "zip": 7},
        {"first": "Max", "last": "Born", "phones": [{"type": "work", "n": 2}, {"type": "home"}]},
    ],
    "team.house": "blue",
    "tags": ["a", ["b", {"deep": "c"}]],
    "floors": [[{"room": 1, "heated": True}], [{"room": 2}, {"room": 3, "heated": False}]],
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"team": {"first": ["Max"], "last": ["Born"]}}, True),
        ({"team": {"first": ["Ada"], "last": ["Born"]}}, False),
        ({"team": {"first": ["Ada", "Max"], "last": ["Born"]}}, True),
        ({"team": {"first": ["Max"], "phones": {"type": ["work"], "n": [2]}}}, True),
        ({"team": {"first": ["Ada"], "phones": {"type": ["work"]}}}, False),
        ({"team": {"phones": {"type": ["home"], "n": [2]}}}, False),
        ({"team": {"last": ["Born"]}, "tags": ["a"]}, True),
        ({"tags": ["b"]}, True),
        ({"tags": {"deep": ["c"]}}, True),
        ({"floors": {"room": [3], "heated": [False]}}, True),
        ({"floors": {"room": [2], "heated": [True]}}, False),
        # a field outside the array between two inside it, in the order of paths
        ({"team": {"first": ["Ada"], "last": ["Born"]}, "team.house": ["blue"]}, False),
        ({"team": {"first": ["Max"], "last": ["Born"]}, "team.house": ["blue"]}, True),
        # absent: no value beside the fields that sort before it, in the same elements
        ({"floors": {"heated": [True], "zone": [{"exists": False}]}}, True),
        ({"floors": {"heated": [{"exists": False}], "room": [2]}}, False),
        ({"team": {"phones": {"n": [{"exists": False}]}}}, False),
        ({"team": {"phones": {"n": [1], "type": [{"exists": False}]}}}, False),
        ({"team": {"first": ["Max"], "zip": [{"exists": False}]}}, True),
        ({"team": {"first": ["Ada"], "zip": [{"exists": False}]}}, False),
        ({"team": {"first": ["Ada"], "phones": {"ext": [{"exists": False}]}}}, True),
        ({"$or": [{"team": {"first": ["Eve"]}}, {"floors": {"room": [2]}}]}, True),
    ],
)
def test_fields_of_one_match_stand_in_the_same_array_elements(
    rule: dict[str, Any], *, expected: bool
) -> None:
    assert pattern.compile(rule).matches(STAFF) is expected


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ([], "pattern:"),
        ("[]", "pattern:"),
        ("{", "pattern: not JSON"),
        ('{"a": [NaN]}', "pattern: not JSON"),
        ('{"a": ["x"], "a": ["y"]}', "pattern: not JSON (a name stands twice"),
        ("[" * 100_000, "pattern: not JSON"),
        ({}, "pattern: takes an object with at least one field, not an empty one"),
        ({"detail": {}}, "pattern.detail:"),
        ({"a": "x"}, "pattern.a: takes a list of values or an object of fields, not a string"),
        ({"a": None}, "pattern.a:"),
        ({"a": []}, "pattern.a: the list is empty"),
        ({"a": ["x", ["y"]]}, "pattern.a[1]:"),
        ({"a": [float("inf")]}, "pattern.a[0]:"),
        ({1: ["x"]}, "pattern.1: a field name is a string"),
        ({"a": [{}]}, "pattern.a[0]: an expression holds one operator, not 0"),
        ({"a": [{"prefix": "a", "suffix": "b"}]}, "pattern.a[0]: an expression holds one"),
        ({"a": [{"exists": False, "prefix": "a"}]}, "pattern.a[0]: an expression holds one"),
        ({"a": [{"regex": ".*"}]}, "pattern.a[0]: there is no operator 'regex' here"),
        ({"a": ["x", {"prefix": 1}]}, "pattern.a[1].prefix:"),
        ({"a": [{"prefix": {"wildcard": "x"}}]}, "pattern.a[0].prefix:"),
        ({"a": [{"suffix": {"equals-ignore-case": 1}}]}, "pattern.a[0].suffix.equals-ignore-case:"),
        ({"a": [{"equals-ignore-case": None}]}, "pattern.a[0].equals-ignore-case:"),
        ({"a": [{"exactly": 5}]}, "pattern.a[0].exactly:"),
        ({"a": [{"wildcard": "x**y"}]}, "pattern.a[0].wildcard: consecutive wildcards"),
        ({"a": [{"wildcard": "x\\"}]}, "pattern.a[0].wildcard:"),
        ({"a": [{"wildcard": "\\n"}]}, "pattern.a[0].wildcard:"),
        ({"a": [{"anything-but": []}]}, "pattern.a[0].anything-but:"),
        ({"a": [{"anything-but": ["x", 1]}]}, "pattern.a[0].anything-but:"),
        ({"a": [{"anything-but": True}]}, "pattern.a[0].anything-but:"),
        ({"a": [{"anything-but": None}]}, "pattern.a[0].anything-but:"),
        ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "pattern.a[0].anything-but:"),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "pattern.a[0].anything-but.prefix:"),
        ({"a": [{"anything-but": {"suffix": ["x", ""]}}]}, "pattern.a[0].anything-but.suffix:"),
        ({"a": [{"anything-but": {"suffix": []}}]}, "pattern.a[0].anything-but.suffix:"),
        ({"a": [{"anything-but": {"wildcard": ["**"]}}]}, "pattern.a[0].anything-but.wildcard:"),
        (
            {"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]},
            "anything-but.prefix:",
        ),
        ({"a": [{"anything-but": 2**53 + 1}]}, "pattern.a[0].anything-but: integers beyond"),
        ({"a": [{"numeric": []}]}, "pattern.a[0].numeric: takes an array"),
        ({"a": [{"numeric": "> 5"}]}, "pattern.a[0].numeric:"),
        ({"a": [{"numeric": [">"]}]}, "pattern.a[0].numeric:"),
        ({"a": [{"numeric": ["=", "5"]}]}, "pattern.a[0].numeric: takes a finite number"),
        ({"a": [{"numeric": ["=", True]}]}, "pattern.a[0].numeric:"),
        ({"a": [{"numeric": ["!=", 5]}]}, "pattern.a[0].numeric: '!=' compares nothing"),
        ({"a": [{"numeric": [["="], 5]}]}, "pattern.a[0].numeric:"),
        ({"a": [{"numeric": ["<", 5, ">", 0]}]}, "pattern.a[0].numeric: a range is"),
        ({"a": [{"numeric": [">", 5, "<", 5]}]}, "pattern.a[0].numeric: a range is"),
        ({"a": [{"numeric": ["=", 1, "<", 5]}]}, "pattern.a[0].numeric: a range is"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "pattern.a[0].cidr:"),
        ({"a": [{"cidr": "10.0.0/8"}]}, "pattern.a[0].cidr:"),
        ({"a": [{"cidr": "10.0.0.0/-1"}]}, "pattern.a[0].cidr:"),
        ({"a": [{"cidr": "10.0.0.0/32"}]}, "pattern.a[0].cidr: the mask must be below /32"),
        ({"a": [{"cidr": "::1/128"}]}, "pattern.a[0].cidr: the mask must be below /128"),
        ({"a": [{"cidr": "host/8"}]}, "pattern.a[0].cidr:"),
        ({"a": [{"exists": "true"}]}, "pattern.a[0].exists:"),
        ({"a": [{"exists": 0}]}, "pattern.a[0].exists:"),
        ({"$or": []}, "pattern.$or:"),
        ({"$or": [{"a": ["x"]}]}, "pattern.$or: takes a list of at least two objects"),
        ({"$or": {"a": ["x"]}}, "pattern.$or:"),
        ({"$or": [{"a": ["x"]}, "b"]}, "pattern.$or[1]:"),
        ({"$or": [{"a": ["x"]}, {}]}, "pattern.$or[1]:"),
        ({"$or": [{"a": ["x"]}, {"b": {"numeric": ["x"]}}]}, "pattern.$or[1].b.numeric:"),
        ({"a": {"b": [1]}, "a.b": [2]}, "pattern: the path a.b has two conditions"),
        ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, "pattern: the path a has two conditions"),
    ],
)
def test_refuses_what_the_service_refuses_with_the_place_and_the_way_out(
    rule: Any, place: str
) -> None:
    with pytest.raises(pattern.InvalidPattern) as caught:
        pattern.compile(rule)

    message = str(caught.value)
    assert place in message
    assert "; " in message.partition(place)[2]


def choices(count: int, names: str) -> dict[str, Any]:
    """A pattern with a $or of `count` members under each name."""
    return {name: {"$or": [{f"f{i}": [i]} for i in range(count)]} for name in names}


def test_or_lists_multiply_up_to_the_limit_of_the_service() -> None:
    event = {name: {"f9": 9} for name in "abc"}

    assert pattern.compile(choices(10, "abc")).matches(event)
    with pytest.raises(pattern.InvalidPattern, match="1000 combinations"):
        pattern.compile(choices(10, "abc") | choices(2, "d"))


def test_the_deepest_pattern_is_refused_by_its_depth_not_by_the_stack() -> None:
    rule: dict[str, Any] = {"a": [1]}
    for _ in range(5_000):
        rule = {"a": rule}

    with pytest.raises(pattern.InvalidPattern, match="levels deep"):
        pattern.compile(rule)


def test_an_event_may_nest_deeper_than_the_stack() -> None:
    value: Any = "x"
    for _ in range(2_000):
        value = [value]

    assert pattern.compile({"a": ["x"]}).matches({"a": value})
    assert not pattern.compile({"a": ["y"]}).matches({"a": value})


def test_wildcards_do_not_backtrack() -> None:
    rule = pattern.compile({"a": [{"wildcard": "*a" * 200 + "b"}]})

    assert not rule.matches({"a": "a" * 200_000})
    assert rule.matches({"a": "a" * 200_000 + "b"})


def test_independent_arrays_do_not_multiply() -> None:
    names = [f"list{i}" for i in range(12)]
    event = {name: [{"x": i} for i in range(50)] for name in names}
    rule = {name: {"x": [{"numeric": [">=", 0]}]} for name in names}

    assert pattern.compile(rule).matches(event)
    assert not pattern.compile(rule | {"zone": ["none"]}).matches(event)
