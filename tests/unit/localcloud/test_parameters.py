from __future__ import annotations

from typing import Any

import pytest

from localcloud.deploy.parameters import parameter_values
from localcloud.errors import DeployError

NUMBER = {"Type": "Number", "Default": 10, "MinValue": 2, "MaxValue": 1000}
TEXT = {"Type": "String", "AllowedPattern": "[a-z]+", "MinLength": 2, "MaxLength": 4}


def test_values_are_text_lists_are_lists_and_defaults_stand_in() -> None:
    declared = {"N": NUMBER, "S": TEXT, "L": {"Type": "CommaDelimitedList", "Default": "a, b"}}
    assert parameter_values(declared, {"S": "abc"}, str.upper) == {
        "N": "10",
        "S": "abc",
        "L": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        (TEXT, {}, "P: the parameter has no default"),
        (TEXT, {"P": "abc", "Q": 1}, "Q: the template has no such parameter; it has: P"),
        (TEXT, {"P": "ABC"}, "does not match"),
        (TEXT, {"P": "abcdef"}, "6 characters"),
        (NUMBER, {"P": 1}, "'1' is less than 2"),
        (NUMBER, {"P": 1001}, "more than 1000"),
        (NUMBER, {"P": "many"}, "not a number"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, {"P": "c"}, "not one of a, b"),
        ({"Type": "AWS::EC2::VPC::Id"}, {"P": "x"}, "P.Type: .*not supported"),
        ({**TEXT, "NoEcho": True}, {"P": "SEC"}, "P: the value does not match"),
        ({"Type": "String", "Odd": 1}, {"P": "x"}, "P.Odd: is not supported"),
        ({**TEXT, "ConstraintDescription": "say it small"}, {"P": "ABC"}, "say it small"),
    ],
)
def test_refused(spec: dict[str, Any], given: dict[str, Any], message: str) -> None:
    with pytest.raises(DeployError, match=message):
        parameter_values({"P": spec}, given, str.upper)


def test_what_parameter_store_holds_is_looked_up() -> None:
    kinds = ("String", "List<String>", "CommaDelimitedList")
    declared = {
        str(place): {"Type": f"AWS::SSM::Parameter::Value<{kind}>", "AllowedPattern": "[a-z,]+"}
        for place, kind in enumerate(kinds)
    }
    given = dict.fromkeys(declared, "a,b")
    assert parameter_values(declared, given, str.upper) == {
        "0": "A,B",
        "1": ["A", "B"],
        "2": ["A", "B"],
    }
