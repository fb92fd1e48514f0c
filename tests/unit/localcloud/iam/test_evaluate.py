"""The order of allow and deny, and who counts as whom."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam.documents import read_policy
from localcloud.iam.errors import InvalidPolicy
from localcloud.iam.evaluate import Principal, Question, judge

ROLE = "arn:aws:iam::1:role/door"
DOOR = Principal("AWS", ROLE, "1", "arn:aws:sts::1:assumed-role/door/door")
EVENTS = Principal("Service", "events.amazonaws.com")
QUEUE = "arn:aws:sqs:eu-west-1:1:q"
RULE = "arn:aws:events:eu-west-1:1:rule/raw"
SEND = "sqs:SendMessage"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": SEND, "Resource": QUEUE, **changes}


def asked(
    identity: list[dict[str, Any]] | None = None,
    resource: list[dict[str, Any]] | None = None,
    who: Principal = DOOR,
    action: str = SEND,
    on: str = QUEUE,
    owner: str = "1",
    **context: Any,
):
    own = None if identity is None else read_policy(_document(identity), "Role", identity=True)
    beside = read_policy(_document(resource), "Policy") if resource else ()
    full = {"aws:securetransport": "true", "aws:sourcearn": RULE, "aws:username": "ann", **context}
    return judge(Question(who, action, on, full, owner), own, beside)


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Action": ["SQS:send*"]},
        {"Action": "*"},
        {"Action": "sqs:SendMessag?"},
        {"NotAction": "sqs:Delete*"},
        {"Resource": ["x", "arn:aws:sqs:*:1:*"]},
        {"NotResource": "arn:aws:sqs:eu-west-1:1:other"},
        {"Resource": "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount, '1'}:q"},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:1:rule/*"}}},
        {"Condition": {"StringEquals": {"aws:username": "${aws:username}"}}},
    ],
)
def test_allowed_by_its_own_policy(changes: dict[str, Any]) -> None:
    body = statement(**changes)
    if "NotAction" in body:
        del body["Action"]
    if "NotResource" in body:
        del body["Resource"]
    assert asked([body]).allowed


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Action": "sqs:ReceiveMessage"},
        {"NotAction": "sqs:*"},
        {"Resource": QUEUE + "2"},
        {"Resource": QUEUE.upper()},
        {"NotResource": "arn:aws:sqs:*"},
        {"Resource": "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:q"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "2"}}},
        {
            "Condition": {
                "ArnEquals": {"aws:SourceArn": RULE},
                "Bool": {"aws:SecureTransport": False},
            }
        },
    ],
)
def test_not_allowed_by_its_own_policy(changes: dict[str, Any]) -> None:
    body = statement(**changes)
    if "NotAction" in body:
        del body["Action"]
    if "NotResource" in body:
        del body["Resource"]
    assert not asked([body]).allowed


def test_nothing_is_allowed_by_nothing() -> None:
    assert asked([]).reason == "no statement comes near"


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    tls = statement(
        Effect="Deny", Principal="*", Action="sqs:*",
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )  # fmt: skip
    assert asked([statement()], [tls]).allowed
    denied = asked([statement()], [tls], **{"aws:securetransport": "false"})
    assert denied.reason == "Policy.Statement[0] denies it"
    allow, deny = statement(Principal="*"), statement(Effect="Deny")
    assert asked([deny], [allow]).reason == "Role.Statement[0] denies it"


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["x", DOOR.session]}, True),
        ({"AWS": "arn:aws:iam::1:root"}, False),  # that only lets the account's own policies decide
        ({"AWS": "1"}, False),
        ({"AWS": ROLE + "2"}, False),
        ({"Service": "events.amazonaws.com"}, False),
    ],
)
def test_within_an_account_the_resources_policy_is_enough(principal: Any, allowed: bool) -> None:
    assert asked([], [statement(Principal=principal)]).allowed == allowed


def test_notprincipal_means_everyone_else() -> None:
    deny = statement(Effect="Deny", NotPrincipal={"AWS": [ROLE]})
    assert asked([statement()], [deny]).allowed
    other = Principal("AWS", ROLE + "2", "1", "")
    assert not asked([statement()], [deny], other).allowed


def test_across_accounts_both_sides_must_allow() -> None:
    theirs = {"owner": "2", "on": QUEUE.replace(":1:", ":2:")}
    own = statement(Resource="*")
    by_role = statement(Resource="*", Principal={"AWS": ROLE})
    by_account = statement(Resource="*", Principal={"AWS": "arn:aws:iam::1:root"})
    assert not asked([own], [], **theirs).allowed
    assert not asked([], [by_role], **theirs).allowed
    assert asked([own], [by_role], **theirs).allowed
    assert asked([own], [by_account], **theirs).allowed
    assert asked(None, [by_account], **theirs).allowed  # a role that is not kept here
    assert not asked(None, [], **theirs).allowed


def test_a_keys_policy_must_allow_or_leave_it_to_the_account() -> None:
    key = {"on": "arn:aws:kms:eu-west-1:1:key/k", "action": "kms:Decrypt"}
    own = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    to_account = {**own, "Principal": {"AWS": "arn:aws:iam::1:root"}}
    assert not asked([own], [], **key).allowed
    assert asked([own], [to_account], **key).allowed
    assert not asked([], [to_account], **key).allowed
    assert asked([], [{**own, "Principal": {"AWS": ROLE}}], **key).allowed


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:2:key/k"),
        ("sts:AssumeRole", "arn:aws:iam::2:role/r"),
    ],
)
def test_keys_and_roles_of_another_account_need_both_sides_too(action: str, on: str) -> None:
    theirs = {"owner": "2", "on": on, "action": action}
    own = {"Effect": "Allow", "Action": action, "Resource": "*"}
    by_role = {**own, "Principal": {"AWS": ROLE}}
    by_account = {**own, "Principal": {"AWS": "arn:aws:iam::1:root"}}
    to_themselves = {**own, "Principal": {"AWS": "arn:aws:iam::2:root"}}
    assert not asked([], [by_role], **theirs).allowed
    assert not asked([own], [to_themselves], **theirs).allowed
    decision = asked([own], [by_role], **theirs)
    assert [each.where for each in decision.grants] == ["Role.Statement[0]", "Policy.Statement[0]"]
    assert asked([own], [by_account], **theirs).allowed
    assert asked([], [by_role], on=on, action=action, owner="1").allowed


def test_a_service_needs_the_resources_word() -> None:
    to_events = statement(Principal={"Service": ["s3.amazonaws.com", EVENTS.name]})
    assert asked(None, [to_events], EVENTS).allowed
    assert not asked(None, [statement(Principal={"Service": "sns.amazonaws.com"})], EVENTS).allowed
    assert not asked(None, [statement(Principal={"AWS": ROLE})], EVENTS).allowed
    assert not asked(None, [], EVENTS).allowed


def test_what_was_used_is_told_and_the_nearest_statement_else() -> None:
    decision = asked([statement(Action=["sqs:Get*", "sqs:Send*"], Resource=["x", "arn:aws:sqs:*"])])
    (grant,) = decision.grants
    assert (grant.where, grant.action, grant.resource) == (
        "Role.Statement[0]", "sqs:Send*", "arn:aws:sqs:*",
    )  # fmt: skip
    elsewhere = statement(Resource=QUEUE + "2", Condition={"Bool": {"aws:SecureTransport": "true"}})
    other = statement(Action="s3:GetObject", Resource="*")
    refused = asked([other, elsewhere])
    assert refused.reason == (
        f"nearest: Role.Statement[1] allows sqs:SendMessage on {QUEUE}2 "
        "if Bool aws:securetransport ['true']"
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "no policy document"),
        ({"Statement": [], "Extra": 1}, "unknown element Extra"),
        ({"Statement": [], "Version": "2020-01-01"}, "Version"),
        ({"Statement": statement(Effect="Perhaps")}, "Effect"),
        ({"Statement": statement(Actions="x")}, "unknown element Actions"),
        ({"Statement": statement(NotAction="s3:*")}, "one of Action and NotAction"),
        ({"Statement": {"Effect": "Allow", "Action": "s3:*"}}, "one of Resource"),
        ({"Statement": statement(Principal="*")}, "Principal may not"),
        ({"Statement": statement(Action="GetObject")}, "'GetObject', which is no action"),
        ({"Statement": statement(Condition={"Near": {"aws:SourceArn": "x"}})}, "'Near'"),
    ],
)
def test_a_document_that_cannot_be_judged_is_refused(document: Any, message: str) -> None:
    with pytest.raises(InvalidPolicy, match=message):
        read_policy(document, "Role", identity=True)


def test_an_unknown_variable_is_an_error_and_one_without_a_value_matches_nothing() -> None:
    with pytest.raises(InvalidPolicy, match="aws:PrincipalTag/x"):
        asked([statement(Resource="${aws:PrincipalTag/x}")])
    assert not asked([statement(Resource="*${aws:userid}")]).allowed
    assert asked([statement(Resource="arn:aws:sqs:eu-west-1:1:${?}")], on=QUEUE[:-1] + "?").allowed
