"""AWS RAM: resource shares of model cards.

Citations: the operations of botocore's model of RAM, each with the errors it documents; "Creating a
resource share", "Deleting a resource share" and "Enable resource sharing within AWS Organizations" of the
RAM User Guide. moto's own backend refuses model cards, so nothing of it is used.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_invitations import Invitations
from localcloud.engines.ram_lists import Lists
from localcloud.engines.ram_members import Members
from localcloud.engines.ram_permissions import Permissions
from localcloud.engines.ram_shown import arn_of, refused
from localcloud.engines.ram_told import Telling
from localcloud.shares import Answered, Share, Shares
from localcloud.sharing import Asked
from localcloud.world import World

_TOKEN = "clientToken"  # noqa: S105 - a name of the API
_NAME = r"[A-Za-z0-9 ._-]+"
_UNPLAYED = ("permissionTemplateParameters", "resourceShareConfiguration", "sources")


class ResourceSharing:
    """Resource shares of every account.

    Args:
        world: the cloud; its `shares` are changed.
        bus: where its events go.
    """

    def __init__(self, world: World, bus: Bus) -> None:
        self._world = world
        self._lock = threading.RLock()
        permissions = Permissions(world.shares, world.region, self._now, self._own)
        self._permissions = permissions
        telling = Telling(world.shares, bus)
        invitations = Invitations(world, telling)
        self._members = Members(world, telling, permissions, invitations)
        lists = Lists(world, invitations)
        self._changing: dict[str, Callable[[Asked, int | None], dict[str, Any]]] = {
            "AcceptResourceShareInvitation": invitations.accept,
            "AssociateResourceShare": self._associate,
            "CreateResourceShare": self._create,
            "DeleteResourceShare": self._delete,
            "DisassociateResourceShare": self._disassociate,
            "EnableSharingWithAwsOrganization": self._enable,
            "RejectResourceShareInvitation": invitations.reject,
            "UpdateResourceShare": self._update,
        }
        self._others: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "AssociateResourceSharePermission": permissions.associate,
            "CreatePermission": permissions.create,
            "DeletePermission": permissions.delete,
            "DisassociateResourceSharePermission": permissions.disassociate,
            "GetPermission": permissions.get,
            "GetResourcePolicies": lists.policies,
            "GetResourceShareAssociations": lists.associations,
            "GetResourceShareInvitations": invitations.listed,
            "GetResourceShares": lists.shares,
            "ListPendingInvitationResources": invitations.pending_resources,
            "ListPermissions": permissions.listed,
            "ListPrincipals": lists.principals,
            "ListResourceSharePermissions": permissions.of_share,
            "ListResourceTypes": lists.types,
            "ListResources": lists.resources,
        }

    def answer(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """The answer to a request; one repeated with its client token gets the answer of the first.

        Raises:
            Refused: the service's error; IdempotentParameterMismatchException where a token comes
                again with something else.
        """
        with self._lock:
            token = str(asked.members.get(_TOKEN, ""))
            if not token:
                answer = self._served(asked, cause)
                writes = not asked.operation.startswith(("Get", "List", "Enable"))
                return {**answer, _TOKEN: self._world.new_id()} if writes else answer
            return self._once(asked, token, cause)

    def _once(self, asked: Asked, token: str, cause: int | None) -> dict[str, Any]:
        key = f"{asked.account} {asked.operation} {token}"
        members = json.loads(json.dumps(dict(asked.members)))
        before = self._kept.answered.get(key)
        if before is not None and before.members != members:
            message = "The client token was used before with other parameters."
            raise refused("IdempotentParameterMismatch", message)
        if before is None:
            answer = {**self._served(asked, cause), _TOKEN: token}
            before = self._kept.answered[key] = Answered(members, copy.deepcopy(answer))
        return copy.deepcopy(before.answer)

    def _served(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        for name in _UNPLAYED:
            if asked.members.get(name):
                message = f"{name} is not supported by the local cloud."
                raise refused("OperationNotPermitted", message)
        if change := self._changing.get(asked.operation):
            return change(asked, cause)
        return self._others[asked.operation](asked)

    def _create(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        members, now = asked.members, self._now()
        _check_name(str(members["name"]))
        path = f"resource-share/{self._world.new_id()}"
        share = Share(
            f"arn:aws:ram:{self._world.region}:{asked.account}:{path}",
            str(members["name"]),
            asked.account,
            bool(members.get("allowExternalPrincipals", True)),
            now,
            now,
            tags=list(members.get("tags", [])),
        )
        self._permissions.take(share, list(members.get("permissionArns", [])), asked)
        self._members.check(share, asked)
        self._kept.shares[share.arn] = share
        self._members.add(share, asked, cause)
        return {"resourceShare": shown.share(share)}

    def _update(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        share, members = self._own(asked), asked.members
        _check_name(str(members.get("name", share.name)))
        share.name = str(members.get("name", share.name))
        allowed = bool(members.get("allowExternalPrincipals", share.external_allowed))
        if share.external_allowed and not allowed:
            outside = [
                a.entity for a in share.associations if a.external and a.status == "ASSOCIATED"
            ]
            if outside:
                message = f"{', '.join(outside)} of {share.arn} is outside your organization."
                raise refused("OperationNotPermitted", message)
        share.external_allowed, share.updated = allowed, self._now()
        return {"resourceShare": shown.share(share)}

    def _delete(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        share = self._own(asked)
        for kind in ("PRINCIPAL", "RESOURCE"):
            there = share.entities(kind, "ASSOCIATING", "ASSOCIATED")
            self._members.remove(share, kind, there, cause)
        share.status, share.updated = "DELETED", self._now()
        return {"returnValue": True}

    def _associate(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        share = self._own(asked)
        self._members.check(share, asked)
        share.updated = self._now()
        return {"resourceShareAssociations": self._members.add(share, asked, cause)}

    def _disassociate(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        principals = [str(each) for each in asked.members.get("principals", [])]
        resources = [str(each) for each in asked.members.get("resourceArns", [])]
        leaving = principals == [asked.account] and not resources
        share = self._joined(asked) if leaving else self._own(asked)
        removed = self._members.remove(share, "PRINCIPAL", principals, cause)
        removed += self._members.remove(share, "RESOURCE", resources, cause)
        share.updated = self._now()
        return {"resourceShareAssociations": removed}

    def _enable(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        organization = self._kept.rules.organization
        if organization is None or asked.account != organization.management:
            message = (
                "Unable to enable sharing with AWS Organizations. Received AccessDeniedException "
                "from AWSOrganizations with the following error message: You don't have "
                "permissions to access this resource."
            )
            raise refused("OperationNotPermitted", message)
        self._kept.within_organization = True
        return {"returnValue": True}

    def _own(self, asked: Asked) -> Share:
        """The share that a request names, of the account that asks.

        Raises:
            Refused: there is none, or it was deleted.
        """
        arn = arn_of(asked, "resourceShareArn", "resource-share")
        found = self._kept.shares.get(arn)
        if found is None or found.owner != asked.account:
            raise refused("UnknownResource", f"ResourceShare {arn} could not be found.")
        if found.status != "ACTIVE":
            raise refused("InvalidStateTransition", f"ResourceShare {arn} is {found.status}.")
        return found

    def _joined(self, asked: Asked) -> Share:
        """The share that an account wants to leave, where it was invited to it."""
        arn = arn_of(asked, "resourceShareArn", "resource-share")
        found = self._kept.shares.get(arn)
        if found is None or asked.account not in self._kept.accounts(found):
            raise refused("UnknownResource", f"ResourceShare {arn} could not be found.")
        if self._kept.together(found.owner, asked.account) and self._kept.within_organization:
            message = "You cannot leave a resource share of your own organization."
            raise refused("OperationNotPermitted", message)
        return found

    @property
    def _kept(self) -> Shares:
        return self._world.shares

    def _now(self) -> float:
        return self._world.clock.now().timestamp()


def _check_name(name: str) -> None:
    if not re.fullmatch(_NAME, name):
        message = (
            "Resource share name can contain only alphabetic characters, numbers, spaces, periods, "
            "underscores, and dashes."
        )
        raise refused("InvalidParameter", message)
