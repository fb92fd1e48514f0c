from __future__ import annotations

from typing import Any

import pytest
from localcloud.policies import allows

from localcloud.errors import LocalCloudError

QUEUE = "arn:aws:sqs:eu-west-1:1:q"
RULE = "arn:aws:events:eu-west-1:1:rule/raw"


def judged(*statements: dict[str, Any], **context: str) -> bool:
    full = {"aws:SourceArn": RULE, "aws:SecureTransport": "true", **context}
    return allows(statements, "events.amazonaws.com", "sqs:SendMessage", QUEUE, full)


def statement(**changes: Any) -> dict[str, Any]:
    base = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }
    return {**base, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}},
        {"Action": ["SQS:Send*"]},
        {"Action": "*"},
        {"Resource": ["arn:aws:sqs:*:1:*"]},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:1:rule/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": ["x", RULE]}}},
        {"Condition": {"Bool": {"aws:SecureTransport": True}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceOrgID": "o-1"}}},
        {"Condition": None},
    ],
)
def test_allowed(changes: dict[str, Any]) -> None:
    assert judged(statement(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::1:root"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": "arn:aws:sqs:eu-west-1:1:other"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "2"}}},
        {
            "Condition": {
                "ArnEquals": {"aws:SourceArn": RULE},
                "Bool": {"aws:SecureTransport": False},
            }
        },
        {"Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}},
    ],
)
def test_not_allowed(changes: dict[str, Any]) -> None:
    assert not judged(statement(**changes))


def test_nothing_is_allowed_by_an_empty_policy() -> None:
    assert not judged()


def test_a_deny_wins_only_where_its_condition_holds() -> None:
    tls_only = statement(
        Effect="Deny", Principal="*", Action="sqs:*",
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )  # fmt: skip
    assert judged(statement(), tls_only)
    assert not judged(statement(), tls_only, **{"aws:SecureTransport": "false"})


def test_an_unknown_operator_raises_since_either_answer_could_be_wrong() -> None:
    with pytest.raises(LocalCloudError, match="DateLessThan"):
        judged(statement(Condition={"DateLessThan": {"aws:SourceArn": "x"}}))
