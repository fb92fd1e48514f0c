"""Who has a card in which state, and what must be done so that it is so.

    Draft          dev may edit
    PendingReview  dev and test may edit, the hub may read
    Approved       dev, test, prod and hub may read; nobody outside edits what was approved
    Archived       nobody

The permission that AWS manages for model cards includes UpdateModelCard (SageMaker Developer Guide, "Set up
cross-account support for Model Cards"), so it is given to those who may edit and never to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from signalbox.contracts.cards import Access, Approval, Stage
from signalbox.contracts.model_card import CardStatus

WANTED: Mapping[CardStatus, Mapping[Stage, Access]] = {
    "Draft": {"dev": "edit"},
    "PendingReview": {"dev": "edit", "test": "edit", "hub": "read"},
    "Approved": {"dev": "read", "test": "read", "prod": "read", "hub": "read"},
    "Archived": {},
}

INVITATION = timedelta(hours=12)
"""How long an invitation can be accepted (AWS samples); after that it must be sent anew."""

_LIVE = frozenset({"ASSOCIATED", "ASSOCIATING"})
_LEAVING = frozenset({"DISASSOCIATING", "DISASSOCIATED"})

Kind = Literal["principal", "resource"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One card for one account through AWS RAM: the ARN of the permission says what it may do."""

    name: str
    card_arn: str
    account: str
    permission: str
    external: bool


@dataclass(frozen=True, slots=True)
class Member:
    """How far an account or a card has come into a share, or out of it, and since when."""

    status: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """A resource share that stands.

    Attributes:
        arn, name: of the share.
        external: whether accounts outside the Organization may be in it.
        created: when it was made.
        permissions: ARNs.
        principals, resources: by account id and by ARN.
    """

    arn: str
    name: str
    external: bool
    created: datetime
    permissions: frozenset[str]
    principals: Mapping[str, Member]
    resources: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class Create:
    """Make a share."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class Delete:
    """End a share."""

    share: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Give a share this permission in place of what it has."""

    share: str
    permission: str


@dataclass(frozen=True, slots=True)
class Open:
    """Say whether accounts outside the Organization may be in a share."""

    share: str
    external: bool


@dataclass(frozen=True, slots=True)
class Join:
    """Take an account or a card into a share."""

    share: str
    kind: Kind
    who: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Take an account or a card out of a share."""

    share: str
    kind: Kind
    who: str


Step = Create | Delete | Permit | Open | Join | Leave


def counts_as(status: CardStatus, approval: Approval | None) -> CardStatus:
    """Return the state that a card is shared by.

    Whoever may edit a card may also set its state (UpdateModelCard does both), so Approved counts only
    where the registry says that the version is approved.
    """
    return "PendingReview" if status == "Approved" and approval != "Approved" else status


def plan(grant: Grant | None, standing: Iterable[Share], now: datetime) -> list[Step]:
    """Return what leads from the shares that stand under one name to what is wanted of them.

    What is taken away comes before what is given.

    Args:
        grant: None where nothing is to be shared.
        standing: those that are not deleted; there should be one at most.
        now: an invitation that nobody accepted in time is sent anew.
    """
    shares = sorted(standing, key=lambda share: (share.created, share.arn))
    if grant is None:
        return [Delete(share.arn) for share in shares]
    if not shares:
        return [Create(grant)]
    kept, *surplus = shares
    steps: list[Step] = [Delete(share.arn) for share in surplus]
    if kept.permissions != {grant.permission}:
        steps.append(Permit(kept.arn, grant.permission))
    joins: list[Step] = []
    members: tuple[tuple[Kind, Mapping[str, Member], str], ...] = (
        ("principal", kept.principals, grant.account),
        ("resource", kept.resources, grant.card_arn),
    )
    for kind, there, wanted in members:
        leave, join = _changes(there, wanted, now)
        steps += [Leave(kept.arn, kind, who) for who in leave]
        joins += [Join(kept.arn, kind, wanted)] if join else []
    if kept.external != grant.external:
        steps.append(Open(kept.arn, grant.external))
    return steps + joins


def _changes(there: Mapping[str, Member], wanted: str, now: datetime) -> tuple[list[str], bool]:
    """Return who is to leave, and whether the one that is wanted is to join (again)."""
    leave = [
        who for who, member in there.items() if who != wanted and member.status not in _LEAVING
    ]
    mine = there.get(wanted)
    if mine is None or mine.status not in _LIVE:  # where it is just leaving, AWS RAM says: later
        return leave, True
    if mine.status == "ASSOCIATING" and now - mine.since > INVITATION:
        return [*leave, wanted], True
    return leave, False


def drift(grant: Grant | None, standing: Iterable[Share], now: datetime) -> str:
    """Say in words how what stands differs from what is wanted; "" if it does not."""
    said = {
        Create: "missing",
        Delete: "extra",
        Permit: "other permission",
        Open: "external accounts",
        Join: "not associated",
        Leave: "somebody else in it, or an invitation expired",
    }
    return ", ".join(dict.fromkeys(said[type(step)] for step in plan(grant, standing, now)))
