from __future__ import annotations

from typing import Any

import pytest

from localcloud.deploy.intrinsics import Scope, references
from localcloud.errors import DeployError

CONDITIONS = {
    "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
    "Test": {"Fn::Not": [{"Condition": "Prod"}]},
    "Both": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "Test"}]},
    "Either": {"Fn::Or": [{"Condition": "Prod"}, {"Condition": "Test"}]},
    "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
}


def scope(stage: str = "test") -> Scope:
    names = {"Stage": stage, "List": ["a", "b"], "AWS::Region": "eu-west-1"}
    mappings = {"Sizes": {"test": {"Memory": 128}, "prod": {"Memory": 512}}}

    def ref(name: str) -> str:
        if name != "Bucket":
            raise DeployError(f"refers to {name!r}")
        return "the-bucket"

    return Scope("eu-west-1", names, mappings, CONDITIONS, ref, lambda name, attr: f"{name}:{attr}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, "the-bucket"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "Bucket:Arn"),
        ({"Fn::GetAtt": "Table.Stream.Arn"}, "Table:Stream.Arn"),
        ({"Fn::Sub": "${Bucket}/${Bucket.Arn}/${AWS::Region}/${!Literal}"},
         "the-bucket/Bucket:Arn/eu-west-1/${Literal}"),
        ({"Fn::Sub": ["${x}-${Stage}", {"x": {"Ref": "Bucket"}}]}, "the-bucket-test"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 3]]}, "a-test-3"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": [":", "a:b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Fn::Split": [":", "a:b"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, 128),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::If": ["Prod", 1, 2]}, 2),
        ({"a": {"Fn::If": ["Prod", 1, {"Ref": "AWS::NoValue"}]}, "b": [1, {"Ref": "AWS::NoValue"}]},
         {"b": [1]}),
        ({"Condition": {"Bool": {"x": "y"}}, "Effect": "Deny"},
         {"Condition": {"Bool": {"x": "y"}}, "Effect": "Deny"}),
    ],
)  # fmt: skip
def test_resolved(value: Any, expected: Any) -> None:
    assert scope().resolve(value) == expected


@pytest.mark.parametrize(("name", "test", "prod"), [
    ("Prod", False, True), ("Test", True, False), ("Both", False, False), ("Either", True, True),
])  # fmt: skip
def test_conditions(name: str, test: bool, prod: bool) -> None:
    assert (scope("test").condition(name), scope("prod").condition(name)) == (test, prod)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": "Nowhere"}, "Nowhere"),
        ({"Fn::Sub": "${Nowhere}"}, "Nowhere"),
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue is not supported"),
        ({"Fn::Transform": {}}, "Fn::Transform is not supported"),
        ({"Fn::Select": [2, ["a"]]}, "no item 2"),
        ({"Fn::FindInMap": ["Sizes", "dev", "Memory"]}, "nothing at"),
        ({"Fn::Join": ["-", "text"]}, "needs a list"),
        ({"Fn::If": ["Unknown", 1, 2]}, "'Unknown' is not in the template"),
        ({"Fn::If": ["Circle", 1, 2]}, "depends on itself"),
    ],
)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        scope().resolve(value)


def test_references_are_found_wherever_they_stand() -> None:
    value = {
        "a": [{"Ref": "One"}, {"Fn::GetAtt": "Two.Arn"}],
        "b": {"Fn::Sub": ["${Three.Arn}-${own}-${!Not}", {"own": {"Ref": "Four"}}]},
        "c": {"Fn::If": ["Prod", {"Ref": "Five"}, {"Ref": "AWS::NoValue"}]},
    }
    assert set(references(value)) == {"One", "Two", "Three", "Four", "Five", "AWS::NoValue"}
