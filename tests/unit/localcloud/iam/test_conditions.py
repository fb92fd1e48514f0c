"""Each operator, both ways, with and without its key."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam.conditions import holds, matches, read_conditions
from localcloud.iam.errors import InvalidPolicy

ARN = "arn:aws:events:eu-west-1:1:rule/raw"
KEY = "aws:SourceArn"


def judged(operator: str, wanted: Any, given: Any, key: str = KEY) -> bool:
    (condition,) = read_conditions({operator: {key: wanted}}, "here")
    context = {} if given is None else {key.lower(): given}
    return holds(condition, context, lambda text: text)


@pytest.mark.parametrize(
    ("operator", "wanted", "yes", "no"),
    [
        ("StringEquals", ["a", "b"], "b", "B"),
        ("StringEqualsIgnoreCase", "a", "A", "b"),
        ("StringLike", "raw/*?", "raw/ab", "raw/"),
        ("NumericEquals", 5, "5.0", "6"),
        ("NumericLessThan", "5", "4", "5"),
        ("NumericLessThanEquals", "5", "5", "5.1"),
        ("NumericGreaterThan", "5", "6", "5"),
        ("NumericGreaterThanEquals", "5", "5", "x"),
        ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", "1767225601"),
        ("DateLessThan", "2026-01-01", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
        ("DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-02"),
        ("DateGreaterThan", "2026-01-01T00:00:00+01:00", "2025-12-31T23:00:01Z", "2025-12-31"),
        ("DateGreaterThanEquals", "1767225600", "2026-01-01T00:00:00Z", "2025-12-31"),
        ("Bool", True, "true", "false"),
        ("Bool", "False", "false", "true"),
        ("BinaryEquals", "QQ==", "QQ==", "Qg=="),
        ("IpAddress", ["10.0.0.0/8", "127.0.0.1"], "10.9.9.9", "11.0.0.1"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "10.0.0.1"),
        ("ArnEquals", "arn:aws:events:*:1:rule/*", ARN, ARN.replace(":1:", ":2:")),
        ("ArnLike", "arn:aws:events:*:*:rule/ra?", ARN, ARN + "w"),
    ],
)  # fmt: skip
def test_operators_and_their_negations(operator: str, wanted: Any, yes: str, no: str) -> None:
    assert judged(operator, wanted, yes)
    assert not judged(operator, wanted, no)
    assert not judged(operator, wanted, None)
    assert judged(operator + "IfExists", wanted, None)
    assert not judged(operator + "IfExists", wanted, no)
    negation = {"IpAddress": "NotIpAddress"}.get(operator)
    for plain in ("String", "Numeric", "Date", "Arn"):
        if operator in {f"{plain}Equals", f"{plain}Like", f"{plain}EqualsIgnoreCase"}:
            negation = operator.replace(plain, f"{plain}Not")
    if negation:
        assert judged(negation, wanted, no)
        assert not judged(negation, wanted, yes)
        assert judged(negation, wanted, None), "a negated operator holds without the key"


def test_a_wildcard_in_an_arn_stays_within_its_part() -> None:
    assert not judged("ArnLike", "arn:aws:*:rule/raw", ARN)
    assert judged("StringLike", "arn:aws:*:rule/raw", ARN)


def test_null_asks_whether_the_key_is_there() -> None:
    assert judged("Null", "true", None)
    assert judged("Null", False, "x")
    assert not judged("Null", "true", "x")


def test_set_operators() -> None:
    assert judged("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"])
    assert not judged("ForAnyValue:StringEquals", ["a", "b"], ["c"])
    assert not judged("ForAnyValue:StringEquals", "a", None)
    assert judged("ForAllValues:StringLike", ["a*", "b"], ["ab", "b"])
    assert not judged("ForAllValues:StringLike", ["a*"], ["ab", "b"])
    assert judged("ForAllValues:StringEquals", "a", None)
    assert judged("ForAllValues:StringNotEquals", ["a"], ["b", "c"])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"StringSortOf": {KEY: "a"}}, "unknown operator 'StringSortOf'"),
        ({"ForSomeValues:StringLike": {KEY: "a"}}, "unknown set operator"),
        ({"NullIfExists": {KEY: "true"}}, "unknown operator"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "'aws:PrincipalOrgID' is not known"),
        ({"NumericLessThan": {KEY: "five"}}, "five"),
        ({"DateLessThan": {KEY: "tomorrow"}}, "tomorrow"),
        ({"IpAddress": {KEY: "300.0.0.0/8"}}, "300"),
        ({"Bool": {KEY: "yes"}}, "neither true nor false"),
        ({"BinaryEquals": {KEY: "?"}}, "here"),
        ({"Null": {KEY: "maybe"}}, "true or false"),
    ],
)
def test_what_cannot_be_judged_is_refused_when_read(block: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPolicy, match=message):
        read_conditions(block, "here")


def test_wildcards_take_any_character_and_no_other_signs() -> None:
    assert matches("a*c", "a/b\nc")
    assert matches("a[1]?", "a[1]x")
    assert not matches("a[1]", "a1")
