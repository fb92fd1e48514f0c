"""The verdict on one action on one resource.

Citation: "Policy evaluation logic" of the IAM User Guide: an explicit deny anywhere wins; within an
account an allow in an identity policy or in the resource's policy is enough; across accounts both
sides must allow, whatever the resource is. Within an account a KMS key is different ("Key policies
in AWS KMS"): without its key policy nothing is allowed, and the policy's grant to the account lets
identity policies decide. So it is with the trust policy of a role that is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from localcloud.iam.conditions import Context, holds, matches, wildcard
from localcloud.iam.documents import Statement
from localcloud.iam.variables import filled


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        kind: "AWS" for a role of an account, "Service" for an AWS service.
        name: the role's ARN, or the service's principal such as events.amazonaws.com.
        account: the role's account; "" for a service.
        session: ARN of the assumed-role session; "" for a service.
    """

    kind: str
    name: str
    account: str = ""
    session: str = ""


@dataclass(frozen=True)
class Grant:
    """One action pattern on one resource pattern that a statement allows."""

    where: str
    action: str
    resource: str


@dataclass(frozen=True)
class Decision:
    """The verdict, and what it rests on.

    Attributes:
        allowed: the verdict.
        grants: what was made use of, if allowed.
        reason: why not, if not: the denying statement, or the nearest that could have allowed.
    """

    allowed: bool
    grants: tuple[Grant, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Question:
    """May this principal do this to that?

    Attributes:
        principal: who asks.
        action: such as s3:GetObject.
        resource: ARN, or "*" where the action knows no resources.
        context: condition keys in lower case.
        owner: account of the resource; "" if it has none of its own.
    """

    principal: Principal
    action: str
    resource: str
    context: Context
    owner: str = ""


def judge(
    question: Question, identity: Sequence[Statement] | None, resource: Sequence[Statement]
) -> Decision:
    """Decide.

    Args:
        question: who, what, on what.
        identity: the role's policies; None for a service, and for a role of an account that is
            not kept here, which is taken to allow it everything.
        resource: the resource's policy; empty if it has none.
    """
    granted = [(each, grant) for each in identity or () if (grant := _applies(each, question))]
    beside = [
        (each, grant, how)
        for each in resource
        if (how := _names(each, question.principal)) and (grant := _applies(each, question))
    ]
    deciding = [each for each, _ in granted] + [each for each, _, _ in beside]
    denied = next((each for each in deciding if not each.allow), None)
    if denied is not None:
        return Decision(False, reason=f"{denied.where} denies it")
    own = tuple(grant for _, grant in granted)
    direct = tuple(grant for _, grant, how in beside if how == "direct")
    delegated = tuple(grant for _, grant, how in beside if how == "account")
    by_identity = bool(own) or (identity is None and question.principal.kind == "AWS")
    if question.principal.kind == "Service":
        allowed, grants = bool(direct), direct
    elif question.owner and question.owner != question.principal.account:
        allowed = by_identity and bool(direct or delegated)
        grants = (*own, *(direct or delegated))
    elif question.action.startswith(("kms:", "sts:")) and question.resource != "*":
        allowed = bool(direct) or (bool(delegated) and by_identity)
        grants = direct or (*own, *delegated)
    else:
        allowed, grants = bool(direct) or by_identity, own or direct
    if allowed:
        return Decision(True, grants)
    return Decision(False, reason=_nearest(question, identity, resource))


def _applies(statement: Statement, question: Question) -> Grant | None:
    """What of a statement fits the question; None if it does not apply."""
    action = question.action
    pattern = next((each for each in statement.actions if _is(each, action)), None)
    if statement.not_actions:
        pattern = None if any(_is(each, action) for each in statement.not_actions) else "*"
    if pattern is None:
        return None
    over = _over(statement, question)
    if over is None:
        return None

    def fill(text: str) -> str | None:
        return filled(text, question.context) if statement.variables else text

    if all(holds(each, question.context, fill) for each in statement.conditions):
        return Grant(statement.where, pattern, over)
    return None


@cache
def _is(pattern: str, action: str) -> bool:
    return wildcard(pattern, folded=True).fullmatch(action) is not None


def _over(statement: Statement, question: Question) -> str | None:
    """The resource pattern that covers the question's resource."""
    context = question.context if statement.variables else None
    if statement.not_resources:
        hit = any(_covers(each, question.resource, context) for each in statement.not_resources)
        return None if hit else "*"
    if not statement.resources:  # a trust policy: the role it hangs on
        return "*"
    found = (each for each in statement.resources if _covers(each, question.resource, context))
    return next(found, None)


def _covers(pattern: str, resource: str, context: Context | None) -> bool:
    if "${" in pattern and context is not None:
        text = filled(pattern, context)
        return text is not None and matches(text, resource)
    return matches(pattern, resource)


def _names(statement: Statement, principal: Principal) -> str:
    """How a resource policy means this principal: "direct", by its "account", or not at all ("")."""
    how = ""
    for kind, name in statement.principals or ():
        if (kind == "AWS" and name == "*") or (
            kind == principal.kind == "Service" and name == principal.name
        ):
            how = "direct"
        elif kind == principal.kind == "AWS":
            if name in {principal.name, principal.session}:
                how = "direct"
            elif name in {principal.account, f"arn:aws:iam::{principal.account}:root"}:
                how = how or "account"
    if statement.negated:
        return "" if how else "direct"
    return how


def _nearest(
    question: Question, identity: Sequence[Statement] | None, resource: Sequence[Statement]
) -> str:
    """The statement that comes closest: same action elsewhere, else same service there."""
    action, service = question.action, question.action.partition(":")[0] + ":"

    def closeness(each: Statement) -> int:
        same = any(_is(pattern, action) for pattern in each.actions)
        kin = any(pattern.lower().startswith(service) for pattern in each.actions)
        there = _over(each, question) is not None
        return 4 * same + 2 * (kin and there) + kin

    candidates = [each for each in (*(identity or ()), *resource) if each.allow]
    best = max(candidates, key=closeness, default=None)
    if best is None or not closeness(best):
        return "no statement comes near"
    shown = ", ".join(best.actions or [f"all but {each}" for each in best.not_actions])
    over = ", ".join(best.resources or ["this"])
    only = ", ".join(f"{each.operator} {each.key} {list(each.values)}" for each in best.conditions)
    return f"nearest: {best.where} allows {shown} on {over}" + (f" if {only}" if only else "")
