"""What AWS RAM keeps: shares, who is in them, invitations and permissions, of every account.

A share becomes a resource policy on each resource in it, which the guard judges: "RAM fills in"
Resource and Principal "when it instantiates the resource-based policy on each resource shared" (the
PolicyTemplate of CreatePermission in botocore's model of RAM). Everything here is plain data, so that it
can be kept; instants are epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.limits import INVITATION

CARD_TYPE = "sagemaker:ModelCard"


@dataclass(frozen=True)
class Organization:
    """An AWS Organization that accounts of the cloud belong to.

    Attributes:
        members: account ids, the management account's among them or not.
        management: id of the account that may enable sharing.
        id: as AWS Organizations writes it.
    """

    members: frozenset[str]
    management: str
    id: str = "o-localcloud"

    @property
    def arn(self) -> str:
        """What stands for all its accounts as a principal."""
        return f"arn:aws:organizations::{self.management}:organization/{self.id}"

    @property
    def accounts(self) -> frozenset[str]:
        """Every account of it."""
        return self.members | {self.management}


@dataclass(frozen=True)
class SharingRules:
    """How the accounts of a cloud may share.

    Attributes:
        organization: the one that accounts belong to; none if not given.
        customer_permissions: whether RAM makes customer managed permissions for model cards. "Not all
            resource types support customer managed permissions", and no page says whether this one
            does: both can be had.
    """

    organization: Organization | None = None
    customer_permissions: bool = True


@dataclass
class Permission:
    """A managed permission: what those may do whom a share with it names.

    Attributes:
        owner: account id, or "aws".
        default: whether a share takes it for its resource type if none is named.
        conditions: Condition of its template, as IAM writes it.
    """

    arn: str
    name: str
    owner: str
    resource_type: str
    actions: list[str]
    created: float
    default: bool = False
    conditions: dict[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Association:
    """A principal or resource in a share; `kind` is PRINCIPAL or RESOURCE."""

    entity: str
    kind: str
    status: str
    created: float
    updated: float
    external: bool = False
    message: str = ""

    def become(self, status: str, now: float, message: str = "") -> None:
        """Change how it stands."""
        self.status, self.updated, self.message = status, now, message


@dataclass
class Share:
    """A resource share; `permissions` holds by resource type the ARN of its one permission."""

    arn: str
    name: str
    owner: str
    external_allowed: bool
    created: float
    updated: float
    status: str = "ACTIVE"
    tags: list[dict[str, str]] = field(default_factory=list)
    associations: list[Association] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)

    def find(self, kind: str, entity: str) -> Association | None:
        """The association with something; None if it never had one."""
        return next((a for a in self.associations if (a.kind, a.entity) == (kind, entity)), None)

    def entities(self, kind: str, *statuses: str) -> list[str]:
        """What is associated with the share and stands as asked for; ASSOCIATED if not said."""
        wanted = statuses or ("ASSOCIATED",)
        return [a.entity for a in self.associations if a.kind == kind and a.status in wanted]


@dataclass
class Invitation:
    """An invitation of an account to a share; `status` is as it was last set, see `Shares.status`."""

    arn: str
    share: str
    sender: str
    receiver: str
    sent: float
    status: str = "PENDING"


@dataclass
class Answered:
    """A request that carried a client token: what it said, and the answer it got."""

    members: dict[str, Any]
    answer: dict[str, Any]


@dataclass
class Shares:
    """Everything AWS RAM keeps.

    Attributes:
        rules: of the cloud.
        within_organization: whether sharing within the organization was enabled.
        answered: by account, operation and token, what was answered.
    """

    rules: SharingRules = field(default_factory=SharingRules)
    within_organization: bool = False
    shares: dict[str, Share] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)

    def together(self, one: str, other: str) -> bool:
        """Whether two accounts belong to the organization."""
        found = self.rules.organization
        return found is not None and {one, other} <= found.accounts

    def accounts(self, share: Share) -> set[str]:
        """Every account that a share reaches: that accepted, or by the organization."""
        reached, organization = set[str](), self.rules.organization
        for principal in share.entities("PRINCIPAL"):
            if organization is not None and principal == organization.arn:
                reached |= organization.accounts
            else:
                reached.add(principal)
        return reached - {share.owner}

    def holding(self, arn: str) -> Iterator[Share]:
        """The active shares that hold a resource."""
        for share in list(self.shares.values()):
            if share.status == "ACTIVE" and arn in share.entities("RESOURCE"):
                yield share

    def forget(self, arn: str, now: float) -> None:
        """A resource was deleted: it is in no share any more, nor is one made again by its name."""
        for share in self.shares.values():
            there = share.find("RESOURCE", arn)
            if there is not None and there.status == "ASSOCIATED":
                there.become("DISASSOCIATED", now)

    def policy_of(self, arn: str) -> str | None:
        """The resource policy that shares make of their permissions, as JSON; None if there is none.

        Args:
            arn: of a resource, or of something below it such as a card's export job.
        """
        resource = arn.partition("/export-job/")[0]
        statements = [
            each for share in self.holding(resource) if (each := self._statement(share, resource))
        ]
        if not statements:
            return None
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def _statement(self, share: Share, resource: str) -> Mapping[str, Any] | None:
        permission = self.permissions.get(share.permissions.get(CARD_TYPE, ""))
        accounts = sorted(self.accounts(share))
        if permission is None or not accounts:
            return None
        return {
            "Sid": share.name,
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": permission.actions,
            "Resource": [resource, f"{resource}/*"],
            **({"Condition": permission.conditions} if permission.conditions else {}),
        }

    def status(self, invitation: Invitation, now: float) -> str:
        """How an invitation stands: one that nobody answered in time is EXPIRED."""
        if invitation.status == "PENDING" and now - invitation.sent > INVITATION.most:
            return "EXPIRED"
        return invitation.status
