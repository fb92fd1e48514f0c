"""Requests held to the constraints that botocore's model of a service names."""

from __future__ import annotations

import pytest

from localcloud.deploy.limits import broken, hold
from localcloud.deploy.props import Props
from localcloud.errors import DeployError

RULE = {"Name": "on-scores", "State": "ENABLED", "EventPattern": "{}"}


def test_what_holds_breaks_nothing() -> None:
    assert broken("events", "PutRuleRequest", RULE) == []
    assert broken("events", "PutRuleRequest", {**RULE, "Description": ""}) == []


@pytest.mark.parametrize(
    ("shape", "value", "path", "words"),
    [
        ("PutRuleRequest", {**RULE, "Name": "a b"}, "Name", "does not match"),
        ("PutRuleRequest", {**RULE, "State": "ON"}, "State", "is none of ENABLED"),
        ("PutRuleRequest", {**RULE, "Description": "x" * 513}, "Description", "at most 512"),
        ("RetryPolicy", {"MaximumRetryAttempts": -1}, "MaximumRetryAttempts", "at least 0"),
        (
            "PutTargetsRequest",
            {"Rule": "r", "Targets": [{"Id": "a", "Arn": "a"}, {"Id": "!", "Arn": "a"}]},
            "Targets[1].Id",
            "does not match",
        ),
        (
            "PutRuleRequest",
            {**RULE, "Tags": [{"Key": "k" * 129, "Value": ""}]},
            "Tags[0].Key",
            "has length 129",
        ),
        (
            "InputTransformer",
            {"InputTemplate": "1", "InputPathsMap": {"k": "p" * 257}},
            "InputPathsMap.k",
            "at most 256",
        ),
    ],
)
def test_each_constraint_is_named_with_its_place(
    shape: str, value: dict[str, object], path: str, words: str
) -> None:
    ((place, problem),) = broken("events", shape, value)
    assert place == path
    assert words in problem


def test_an_error_speaks_of_the_property_as_cloudformation_calls_it() -> None:
    request = {"ArchiveName": "a", "EventSourceArn": "bus"}
    with pytest.raises(DeployError, match=r"^Kept\.SourceArn: 'bus' does not match"):
        hold(
            Props({}, "Kept"), "events", "CreateArchiveRequest", request,
            {"EventSourceArn": "SourceArn"},
        )  # fmt: skip
