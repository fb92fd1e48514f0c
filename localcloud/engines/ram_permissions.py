"""Managed permissions of AWS RAM: AWS's own for model cards, and those that customers make.

Citations: CreatePermission, GetPermission, ListPermissions, DeletePermission and
AssociateResourceSharePermission of botocore's model of RAM; "Set up cross-account model card sharing"
of the SageMaker Developer Guide for AWS's two permissions and their actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_shown import arn_of, page, refused
from localcloud.iam.conditions import read_conditions
from localcloud.iam.documents import texts
from localcloud.iam.errors import InvalidPolicy
from localcloud.shares import CARD_TYPE, Permission, Share, Shares
from localcloud.sharing import Asked

_DEFAULT = "AWSRAMPermissionSageMakerModelCards"
_WITH_EXPORT = "AWSRAMPermissionSageMakerModelCardsAllowExport"
_EDITING = ("DescribeModelCard", "ListModelCardVersions", "UpdateModelCard")
_EXPORTING = ("CreateModelCardExportJob", "DescribeModelCardExportJob")
_ACTIONS = {f"sagemaker:{each}" for each in (*_EDITING, *_EXPORTING)}
_NAME = r"[\w.-]{1,36}"
_ELEMENTS = {"Effect", "Action", "Condition", "Sid"}


def aws_managed(now: float) -> dict[str, Permission]:
    """The permissions that AWS manages for model cards, by ARN."""
    found = {}
    for name, actions in ((_DEFAULT, _EDITING), (_WITH_EXPORT, (*_EDITING, *_EXPORTING))):
        arn, acts = f"arn:aws:ram::aws:permission/{name}", [f"sagemaker:{a}" for a in actions]
        found[arn] = Permission(arn, name, "aws", CARD_TYPE, acts, now, default=name == _DEFAULT)
    return found


class Permissions:
    """Managed permissions, and which of them a share has.

    Args:
        kept: what RAM keeps.
        region: the region.
        now: epoch seconds.
        own_share: finds a share of the account that asks.
    """

    def __init__(
        self,
        kept: Shares,
        region: str,
        now: Callable[[], float],
        own_share: Callable[[Asked], Share],
    ) -> None:
        self._kept = kept
        self._region = region
        self._now = now
        self._own_share = own_share
        kept.permissions.update(aws_managed(now()))

    def create(self, asked: Asked) -> dict[str, Any]:
        """CreatePermission.

        Raises:
            Refused: the name is taken, the template is none, or RAM makes none for the type.
        """
        members = asked.members
        name, resource_type = str(members["name"]), str(members["resourceType"])
        if not re.fullmatch(_NAME, name):
            message = (
                f"The permission name {name} must be 1 to 36 letters, digits, '_', '.' or '-'."
            )
            raise refused("InvalidParameter", message)
        if resource_type != CARD_TYPE:  # "case sensitive"
            message = f"The resource type {resource_type} is not valid; here there is {CARD_TYPE}."
            raise refused("InvalidParameter", message)
        if not self._kept.rules.customer_permissions:
            message = f"Customer managed permissions are not supported for {resource_type}."
            raise refused("OperationNotPermitted", message)
        arn = f"arn:aws:ram:{self._region}:{asked.account}:permission/{name}"
        if arn in self._kept.permissions:
            raise refused("PermissionAlreadyExists", f"The permission {name} already exists.")
        actions, conditions = _template(str(members["policyTemplate"]))
        made = Permission(
            arn, name, asked.account, resource_type, actions, self._now(),
            conditions=conditions, tags=list(members.get("tags", [])),
        )  # fmt: skip
        self._kept.permissions[arn] = made
        return {"permission": shown.permission(made)}

    def get(self, asked: Asked) -> dict[str, Any]:
        """GetPermission.

        Raises:
            Refused: there is no such permission, or no such version.
        """
        found = self._visible(asked)
        policy: dict[str, Any] = {"Effect": "Allow", "Action": found.actions}
        if found.conditions:
            policy["Condition"] = found.conditions
        return {"permission": {**shown.permission(found), "permission": json.dumps(policy)}}

    def listed(self, asked: Asked) -> dict[str, Any]:
        """ListPermissions: AWS's and the account's own.

        Raises:
            Refused: an unknown resource type.
        """
        wanted, kind = asked.members.get("resourceType"), asked.members.get("permissionType", "ALL")
        if wanted is not None and str(wanted).lower() != CARD_TYPE.lower():
            raise refused("InvalidParameter", f"Invalid resource type: {wanted}")
        owners = {asked.account}
        if asked.members.get("resourceOwner") != "SELF":
            owners.add("aws")
        visible = [p for p in self._kept.permissions.values() if p.owner in owners]
        found = [shown.permission(each) for each in visible]
        found = [each for each in found if kind in {"ALL", each["permissionType"]}]
        return page("permissions", found, asked)

    def delete(self, asked: Asked) -> dict[str, Any]:
        """DeletePermission: of the account's own, and attached to no share.

        Raises:
            Refused: it is AWS's, unknown, or attached.
        """
        found = self._visible(asked)
        if found.owner != asked.account:
            raise refused("OperationNotPermitted", "You cannot delete an AWS managed permission.")
        for share in self._kept.shares.values():
            if share.status == "ACTIVE" and found.arn in share.permissions.values():
                message = f"The permission {found.arn} is attached to {share.arn}."
                raise refused("OperationNotPermitted", message)
        del self._kept.permissions[found.arn]
        return {"returnValue": True, "permissionStatus": "DELETED"}

    def associate(self, asked: Asked) -> dict[str, Any]:
        """AssociateResourceSharePermission; another one only where `replace` says so.

        Raises:
            Refused: InvalidParameterException, UnknownResourceException.
        """
        share, found = self._own_share(asked), self._visible(asked)
        there = share.permissions.get(found.resource_type)
        if there not in {None, found.arn} and not asked.members.get("replace", False):
            message = (
                f"The resource share has the permission {there} for {found.resource_type}; "
                "set replace to true to put another one in its place."
            )
            raise refused("InvalidParameter", message)
        share.permissions[found.resource_type] = found.arn
        return {"returnValue": True}

    def disassociate(self, asked: Asked) -> dict[str, Any]:
        """DisassociateResourceSharePermission, where no resource of its type is in the share.

        Raises:
            Refused: UnknownResourceException, InvalidStateTransitionException.
        """
        share, found = self._own_share(asked), self._visible(asked)
        if share.permissions.get(found.resource_type) != found.arn:
            message = f"The permission {found.arn} is not associated with {share.arn}."
            raise refused("UnknownResource", message)
        if share.entities("RESOURCE"):
            message = f"{share.arn} holds resources of {found.resource_type}, which need it."
            raise refused("InvalidStateTransition", message)
        del share.permissions[found.resource_type]
        return {"returnValue": True}

    def of_share(self, asked: Asked) -> dict[str, Any]:
        """ListResourceSharePermissions."""
        share = self._own_share(asked)
        arns = share.permissions.values()
        return page(
            "permissions", [shown.permission(self._kept.permissions[a]) for a in arns], asked
        )

    def take(self, share: Share, arns: list[str], asked: Asked) -> None:
        """Give a new share the permissions that its request names.

        Raises:
            Refused: one is unknown, or there are two for one type.
        """
        for arn in arns:
            one = Asked(asked.operation, {"permissionArn": arn}, asked.account, asked.access_key)
            found = self._visible(one)
            if found.resource_type in share.permissions:
                message = f"You can associate only one permission with {found.resource_type}."
                raise refused("InvalidParameter", message)
            share.permissions[found.resource_type] = found.arn

    def default(self, share: Share, resource_type: str) -> None:
        """ "RAM automatically attaches the default" where a share has none for a type."""
        each = next(p for p in self._kept.permissions.values() if p.default)
        share.permissions.setdefault(resource_type, each.arn)

    def _visible(self, asked: Asked) -> Permission:
        arn = arn_of(asked, "permissionArn", "permission")
        found = self._kept.permissions.get(arn)
        if found is None or found.owner not in {"aws", asked.account}:
            raise refused("UnknownResource", f"The permission {arn} could not be found.")
        if asked.members.get("permissionVersion", 1) != 1:
            message = f"The permission {arn} has one version, which is 1."
            raise refused("UnknownResource", message)
        return found


def _template(text: str) -> tuple[list[str], dict[str, Any]]:
    """Actions and conditions of a policy template: one statement without Resource and Principal.

    Raises:
        Refused: MalformedPolicyTemplateException, or InvalidPolicyException for its actions.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        message = f"The policy template is not JSON: {error}"
        raise refused("MalformedPolicyTemplate", message) from error
    if not isinstance(found, Mapping) or not found.keys() <= _ELEMENTS or "Action" not in found:
        message = "The policy template may hold Effect, Action and Condition, and needs an Action."
        raise refused("MalformedPolicyTemplate", message)
    if str(found.get("Effect", "")).upper() != "ALLOW":
        raise refused("MalformedPolicyTemplate", "The Effect of the policy template must be Allow.")
    conditions = dict(found.get("Condition") or {})
    try:
        read_conditions(conditions, "the policy template")
    except InvalidPolicy as error:
        raise refused("MalformedPolicyTemplate", str(error)) from error
    actions = texts(found["Action"])
    strange = sorted(each for each in actions if each not in _ACTIONS)
    if strange or not actions:
        message = f"{', '.join(strange) or 'No action'} is not supported for {CARD_TYPE}."
        raise refused("InvalidPolicy", message)
    return actions, conditions
