"""Resource shares of AWS RAM, and invitations to those of others."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.domain.share_plan import (
    Create,
    Delete,
    Grant,
    Join,
    Kind,
    Leave,
    Member,
    Open,
    Permit,
    Share,
    Step,
)
from signalbox.errors import Rejected, SignalboxError

CARD_TYPE = "sagemaker:ModelCard"
READER = "signalbox-model-card-reader"
"""The name of our own permission; 36 characters at most (CreatePermission)."""
_READS = ["sagemaker:DescribeModelCard", "sagemaker:ListModelCardVersions"]

_EXISTS = "PermissionAlreadyExistsException"
_NOT_GRANTED = frozenset(
    {
        "InvalidParameterException",
        "InvalidPolicyException",
        "MalformedPolicyTemplateException",
        "OperationNotPermittedException",
    }
)
"""How RAM says that a type takes no permission of customers: "Not all resource types support customer
managed permissions" (RAM User Guide); for which ones is not written anywhere, so it is tried."""
_GONE = "UnknownResourceException"
_REFUSED = frozenset(
    {
        "InvalidParameterException",
        "MalformedArnException",
        "OperationNotPermittedException",
    }
)
"""How RAM says that it does not take an account: none, this one, or one outside the Organization."""
_MEMBERS: Mapping[Kind, str] = {"principal": "principals", "resource": "resourceArns"}


class ResourceShares:
    """The resource shares of this account.

    Args:
        account: this account's id.
        region: its Region.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        client: of RAM.
    """

    def __init__(self, account: str, region: str, partition: str, client: Any = None) -> None:
        self._home = f"arn:{partition}:ram:{region}:{account}:permission/"
        self._editor = f"arn:{partition}:ram::aws:permission/AWSRAMPermissionSageMakerModelCards"
        self._ram = client or connect("ram")
        self._reader: str | None = None
        self._probed = False

    def named(self, name: str) -> list[Share]:
        """Return the shares of this name that are not deleted."""
        found = [each for each in self._shares(name=name) if each["status"] in _STANDING]
        return self._filled(found, [each["resourceShareArn"] for each in found])

    def everything(self) -> list[Share]:
        """Return all shares of this account that are not deleted."""
        found = [each for each in self._shares() if each["status"] in _STANDING]
        return self._filled(found, None)

    def editor(self) -> str:
        """Return the ARN of the permission that AWS manages: it reads and updates cards."""
        return self._editor

    def reader(self) -> str | None:
        """Return the ARN of a permission that only reads cards, or None if RAM grants none.

        Asked once in the life of a function; a type that is not supported yet may be so tomorrow.
        """
        if not self._probed:
            self._reader = self._probe()
            self._probed = True
        return self._reader

    def known_reader(self) -> str | None:
        """Return the same without trying: None where nobody made one yet."""
        with calling("ram:GetPermission", READER):
            try:
                self._ram.get_permission(permissionArn=self._home + READER)
            except ClientError as problem:
                if code_of(problem) != _GONE:
                    raise
                return None
        return self._home + READER

    def do(self, step: Step) -> None:
        """Take a step; one that was taken changes nothing.

        Raises:
            Rejected: RAM refuses to give the account what the step gives, by its error as the reason. Who
                is not let go, or keeps a permission, is trouble that somebody has to look at.
        """
        try:
            self._do(step)
        except SignalboxError as trouble:
            problem = trouble.__cause__
            if not isinstance(step, Create | Join | Open) or not isinstance(problem, ClientError):
                raise
            code = code_of(problem)
            if code not in _REFUSED:
                raise
            said = problem.response["Error"].get("Message", "")
            raise Rejected(code, _ARN.sub("it", f"{code}: {said}")) from problem

    def _do(self, step: Step) -> None:
        match step:
            case Create(grant):
                self._create(grant)
            case Delete(share):
                self._call("DeleteResourceShare", share, resourceShareArn=share)
            case Permit(share, permission):
                self._call(
                    "AssociateResourceSharePermission", share,
                    resourceShareArn=share, permissionArn=permission, replace=True,
                )  # fmt: skip
            case Open(share, external):
                self._call(
                    "UpdateResourceShare", share,
                    resourceShareArn=share, allowExternalPrincipals=external,
                )  # fmt: skip
            case Join(share, kind, who):
                self._call(
                    "AssociateResourceShare", share,
                    resourceShareArn=share, **{_MEMBERS[kind]: [who]},
                )  # fmt: skip
            case Leave(share, kind, who):
                self._call(
                    "DisassociateResourceShare", share,
                    resourceShareArn=share, **{_MEMBERS[kind]: [who]},
                )  # fmt: skip

    def _probe(self) -> str | None:
        with calling("ram:CreatePermission", f"permission {READER}"):
            try:
                made = self._ram.create_permission(
                    name=READER,
                    resourceType=CARD_TYPE,
                    policyTemplate=json.dumps({"Effect": "Allow", "Action": _READS}),
                )
            except ClientError as problem:
                if code_of(problem) == _EXISTS:
                    return self._home + READER
                if code_of(problem) in _NOT_GRANTED:
                    return None
                raise
        return str(made["permission"]["arn"])

    def _create(self, grant: Grant) -> None:
        """Make a share. RAM knows no unique names, so its token says what it is, and the how manieth.

        A token that was used for a share that is deleted would be answered with that one.
        """
        gone = sorted(each["resourceShareArn"] for each in self._shares(name=grant.name))
        told = "\n".join([*map(str, _values(grant)), *gone])
        with calling("ram:CreateResourceShare", f"resource share {grant.name}"):
            self._ram.create_resource_share(
                name=grant.name,
                resourceArns=[grant.card_arn],
                principals=[grant.account],
                permissionArns=[grant.permission],
                allowExternalPrincipals=grant.external,
                clientToken=str(uuid.UUID(hashlib.sha256(told.encode()).hexdigest()[:32])),
            )

    def _call(self, operation: str, share: str, **request: Any) -> None:
        """Change a share; what is gone is not changed any more, and mended where that is wrong."""
        method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
        with calling(f"ram:{operation}", share):
            try:
                getattr(self._ram, method)(**request)
            except ClientError as problem:
                if code_of(problem) != _GONE:
                    raise

    def _shares(self, **narrower: str) -> list[dict[str, Any]]:
        with calling("ram:GetResourceShares", narrower.get("name", "all resource shares")):
            pages = self._ram.get_paginator("get_resource_shares")
            return [
                each
                for page in pages.paginate(resourceOwner="SELF", **narrower)
                for each in page["resourceShares"]
            ]

    def _filled(self, found: list[dict[str, Any]], arns: list[str] | None) -> list[Share]:
        if not found:
            return []
        principals = self._members("PRINCIPAL", arns)
        resources = self._members("RESOURCE", arns)
        return [
            Share(
                arn=each["resourceShareArn"],
                name=each["name"],
                external=bool(each["allowExternalPrincipals"]),
                created=each["creationTime"],
                permissions=self._permissions(each["resourceShareArn"]),
                principals=principals[each["resourceShareArn"]],
                resources=resources[each["resourceShareArn"]],
            )
            for each in found
        ]

    def _members(self, kind: str, arns: list[str] | None) -> Mapping[str, dict[str, Member]]:
        narrower = {} if arns is None else {"resourceShareArns": arns}
        members: dict[str, dict[str, Member]] = defaultdict(dict)
        with calling("ram:GetResourceShareAssociations", f"associations {kind}"):
            pages = self._ram.get_paginator("get_resource_share_associations")
            for page in pages.paginate(associationType=kind, **narrower):
                for each in page["resourceShareAssociations"]:
                    since: datetime = each.get("lastUpdatedTime") or each["creationTime"]
                    members[each["resourceShareArn"]][each["associatedEntity"]] = Member(
                        each["status"], since
                    )
        return members

    def _permissions(self, share: str) -> frozenset[str]:
        """One permission for each type of resource: here one, so one page is all."""
        with calling("ram:ListResourceSharePermissions", share):
            try:
                found = self._ram.list_resource_share_permissions(resourceShareArn=share)
            except ClientError as problem:
                if code_of(problem) != _GONE:  # ended since it was listed
                    raise
                return frozenset()
        return frozenset(each["arn"] for each in found["permissions"])


class Invitations:
    """Invitations that this account received."""

    def __init__(self, client: Any = None) -> None:
        self._ram = client or connect("ram")

    def pending(self) -> list[tuple[str, str, str]]:
        """Return ARN, sender's account and name of the share of each invitation that waits."""
        with calling("ram:GetResourceShareInvitations", "invitations"):
            pages = self._ram.get_paginator("get_resource_share_invitations").paginate()
            return [
                (
                    each["resourceShareInvitationArn"],
                    each["senderAccountId"],
                    each["resourceShareName"],
                )
                for page in pages
                for each in page["resourceShareInvitations"]
                if each["status"] == "PENDING"
            ]

    def accept(self, arn: str) -> bool:
        """Accept an invitation; False if it waits no longer."""
        with calling("ram:AcceptResourceShareInvitation", arn):
            try:
                self._ram.accept_resource_share_invitation(
                    resourceShareInvitationArn=arn,
                    clientToken=str(uuid.UUID(hashlib.sha256(arn.encode()).hexdigest()[:32])),
                )
            except ClientError as problem:
                if code_of(problem) not in _CLOSED:
                    raise
                return False
        return True


_ARN = re.compile(r"(?:resource share )?arn:aws[^\s,;]*[\w/]", re.IGNORECASE)
"""A share that was not made has another ARN at every try; what is noted of a refusal stays the same."""
_STANDING = frozenset({"PENDING", "ACTIVE", "FAILED"})
_CLOSED = frozenset(
    {
        "ResourceShareInvitationAlreadyAcceptedException",
        "ResourceShareInvitationAlreadyRejectedException",
        "ResourceShareInvitationArnNotFoundException",
        "ResourceShareInvitationExpiredException",
    }
)


def _values(grant: Grant) -> tuple[object, ...]:
    return (grant.name, grant.card_arn, grant.account, grant.permission, grant.external)
