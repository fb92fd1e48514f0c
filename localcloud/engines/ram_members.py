"""Who and what is in a share of AWS RAM, and the invitations to it.

Citations: AssociateResourceShare, DisassociateResourceShare and the invitations' operations of botocore's
model of RAM; "Accepting and rejecting resource share invitations", "Enable resource sharing within AWS
Organizations" and "Leaving a resource share" of the RAM User Guide; "Monitoring AWS RAM using
EventBridge" for the event, which goes to the owner and to the principals.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_permissions import Permissions
from localcloud.engines.ram_shown import arn_of, page, refused
from localcloud.seams import Cards
from localcloud.shares import CARD_TYPE, Association, Invitation, Share, Shares
from localcloud.sharing import Asked
from localcloud.world import World

_ACCOUNT = re.compile(r"\d{12}")
_ORGANIZATION = re.compile(r"arn:aws:organizations::\d{12}:organization/(o-[a-z0-9]+)")
_UNIT = re.compile(r"arn:aws:organizations::\d{12}:ou/o-[a-z0-9]+/(ou-[a-z0-9-]+)")
_IDENTITY = re.compile(r"arn:aws:iam::\d{12}:(role|user)/.+|[a-z0-9.-]+\.amazonaws\.com")
_ARN = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+")
_ONLY_WITHIN = (
    "The resource you are attempting to share can only be shared within your AWS Organization. "
    "This error may also occur if you have not enabled sharing with your AWS organization, or that "
    "onboarding is still in progress."
)
_THERE = ("ASSOCIATING", "ASSOCIATED")
_CLOSED = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected", "EXPIRED": "Expired"}


class Members:
    """Principals and resources of shares.

    Args:
        world: the cloud; its `shares` are changed.
        bus: where "Resource Sharing State Change" goes.
        permissions: gives a share the default permission of its first resource.
    """

    def __init__(self, world: World, bus: Bus, permissions: Permissions) -> None:
        self._world = world
        self._bus = bus
        self._permissions = permissions
        self._cards = Cards(world.region)

    @property
    def _kept(self) -> Shares:
        return self._world.shares

    def check(self, share: Share, asked: Asked) -> None:
        """See that everything a request names may come into a share.

        Raises:
            Refused: a principal or resource is malformed, unknown or not allowed.
        """
        for principal in asked.members.get("principals", []):
            self._check_principal(share, str(principal))
        for resource in asked.members.get("resourceArns", []):
            self._check_resource(share, str(resource))

    def add(self, share: Share, asked: Asked, cause: int | None) -> list[dict[str, Any]]:
        """Bring everything a request names into a share; `check` found it in order."""
        resources = [str(each) for each in asked.members.get("resourceArns", [])]
        principals = [str(each) for each in asked.members.get("principals", [])]
        if resources:
            self._permissions.default(share, CARD_TYPE)
        added = [
            *(self._associate(share, "RESOURCE", each, "ASSOCIATED") for each in resources),
            *(self._add_principal(share, each, cause) for each in principals),
        ]
        return [shown.association(share, each) for each in added]

    def remove(
        self, share: Share, kind: str, entities: list[str], cause: int | None
    ) -> list[dict[str, Any]]:
        """Take principals or resources out of a share: access ends at once.

        Raises:
            Refused: UnknownResourceException, for one that is not in it.
        """
        found = []
        for entity in entities:
            there = share.find(kind, entity)
            if there is None or there.status not in _THERE:
                message = f"{entity} is not associated with resource share {share.arn}."
                raise refused("UnknownResource", message)
            found.append(there)
        removed = []
        for there in found:
            told = self._audience(share, there)
            self._set(there, "DISASSOCIATED")
            self._withdraw(share, there.entity)
            self._tell(share, told, "Resource Share Association", "disassociated", cause)
            answer = shown.association(share, there)
            removed.append({**answer, "status": "DISASSOCIATING"})
        return removed

    def accept(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """AcceptResourceShareInvitation: access begins.

        Raises:
            Refused: there is no such invitation, or it was answered or has expired.
        """
        found = self._open_invitation(asked)
        found.status = "ACCEPTED"
        share = self._kept.shares[found.share]
        there = share.find("PRINCIPAL", found.receiver)
        if there is not None:
            self._set(there, "ASSOCIATED")
            told = self._audience(share, there)
            self._tell(share, told, "Resource Share Association", "associated", cause)
        return {"resourceShareInvitation": shown.invitation(self._kept, found, self._now())}

    def reject(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """RejectResourceShareInvitation.

        Raises:
            Refused: there is no such invitation, or it was answered or has expired.
        """
        found = self._open_invitation(asked)
        found.status = "REJECTED"
        share = self._kept.shares[found.share]
        there = share.find("PRINCIPAL", found.receiver)
        if there is not None:
            self._set(there, "FAILED", "The invitation was rejected.")
            told = self._audience(share, there)
            self._tell(share, told, "Resource Share Association", "failed", cause)
        return {"resourceShareInvitation": shown.invitation(self._kept, found, self._now())}

    def invitations(self, asked: Asked) -> dict[str, Any]:
        """GetResourceShareInvitations: those that the account received."""
        arns = asked.members.get("resourceShareInvitationArns")
        shares = asked.members.get("resourceShareArns")
        received = [i for i in self._kept.invitations.values() if i.receiver == asked.account]
        for arn in arns or []:
            if arn not in {each.arn for each in received}:
                raise _no_invitation(str(arn))
        found = [
            shown.invitation(self._kept, each, self._now())
            for each in received
            if (not arns or each.arn in arns) and (not shares or each.share in shares)
        ]
        return page("resourceShareInvitations", found, asked)

    def pending_resources(self, asked: Asked) -> dict[str, Any]:
        """ListPendingInvitationResources.

        Raises:
            Refused: there is no such invitation, or it was rejected or has expired.
        """
        found = self._received(asked)
        status = self._kept.status(found, self._now())
        if status in {"REJECTED", "EXPIRED"}:
            raise _closed(found, status)
        share = self._kept.shares[found.share]
        resources = [
            shown.resource(
                share, each, "PENDING" if status == "PENDING" else "AVAILABLE", CARD_TYPE
            )
            for each in share.associations
            if each.kind == "RESOURCE" and each.status == "ASSOCIATED"
        ]
        return page("resources", resources, asked)

    def expire(self, share: Share) -> None:
        """See that associations of invitations that nobody answered in time have failed."""
        for each in self._kept.invitations.values():
            there = share.find("PRINCIPAL", each.receiver)
            if each.share != share.arn or there is None or there.status != "ASSOCIATING":
                continue
            pending = [
                other
                for other in self._kept.invitations.values()
                if (other.share, other.receiver) == (each.share, each.receiver)
                and self._kept.status(other, self._now()) == "PENDING"
            ]
            if not pending:
                self._set(there, "FAILED", "The invitation has expired.")

    def _check_principal(self, share: Share, principal: str) -> None:
        organization, enabled = self._kept.rules.organization, self._kept.within_organization
        if named := _ORGANIZATION.fullmatch(principal):
            if organization is None or principal != organization.arn:
                message = f"Organization {named.group(1)} could not be found."
                raise refused("UnknownResource", message)
            if share.owner not in organization.accounts or not enabled:
                raise refused("OperationNotPermitted", _ONLY_WITHIN)
        elif named := _UNIT.fullmatch(principal):
            unit = f"OrganizationalUnit {named.group(1)} in unknown organization"
            raise refused("UnknownResource", f"{unit} could not be found.")
        elif _IDENTITY.fullmatch(principal):
            message = f"{principal}: model cards are shared with accounts and organizations here."
            raise refused("OperationNotPermitted", message)
        elif not _ACCOUNT.fullmatch(principal):
            message = f"Principal ID {principal} is malformed. Verify the ID and try again."
            raise refused("InvalidParameter", message)
        elif principal == share.owner:
            message = f"Resource share {share.arn} cannot be shared with its owner {principal}."
            raise refused("InvalidParameter", message)
        elif not share.external_allowed and not (
            enabled and self._kept.together(share.owner, principal)
        ):
            raise refused("OperationNotPermitted", _ONLY_WITHIN)

    def _check_resource(self, share: Share, arn: str) -> None:
        if not _ARN.fullmatch(arn):
            message = (
                f"The specified resource ARN {arn} is not valid. Verify the ARN and try again."
            )
            raise refused("MalformedArn", message)
        parts = arn.split(":", 5)
        if parts[2] != "sagemaker" or not re.fullmatch(r"model-card/[^/]+", parts[5]):
            raise refused("MalformedArn", "You cannot share the selected resource type.")
        if parts[4] != share.owner:
            message = (
                f"{arn} belongs to another account: you can share only resources that you own."
            )
            raise refused("OperationNotPermitted", message)
        if self._cards.find(arn) is None:
            raise refused("UnknownResource", f"Resource {arn} could not be found.")

    def _add_principal(self, share: Share, principal: str, cause: int | None) -> Association:
        together = self._kept.together(share.owner, principal)
        at_once = _ORGANIZATION.fullmatch(principal) or (
            together and self._kept.within_organization
        )
        self.expire(share)
        there = share.find("PRINCIPAL", principal)
        if there is not None and there.status in _THERE:
            return there  # invited or in it already
        status = "ASSOCIATED" if at_once else "ASSOCIATING"
        added = self._associate(share, "PRINCIPAL", principal, status)
        added.external = not at_once and not together
        told = self._audience(share, added)
        if at_once:
            self._tell(share, told, "Resource Share Association", "associated", cause)
        else:
            self._invite(share, principal)
            self._tell(share, told, "Resource Share Invitation", "", cause)
        return added

    def _invite(self, share: Share, account: str) -> None:
        path = f"resource-share-invitation/{self._world.new_id()}"
        arn = f"arn:aws:ram:{self._world.region}:{share.owner}:{path}"
        sent = Invitation(arn, share.arn, share.owner, account, self._now())
        self._kept.invitations[arn] = sent

    def _withdraw(self, share: Share, account: str) -> None:
        """What was not answered cannot be any more."""
        for arn, each in list(self._kept.invitations.items()):
            if (each.share, each.receiver, each.status) == (share.arn, account, "PENDING"):
                del self._kept.invitations[arn]

    def _received(self, asked: Asked) -> Invitation:
        arn = arn_of(asked, "resourceShareInvitationArn", "resource-share-invitation")
        found = self._kept.invitations.get(arn)
        if found is None or found.receiver != asked.account:
            raise _no_invitation(arn)
        return found

    def _open_invitation(self, asked: Asked) -> Invitation:
        found = self._received(asked)
        status = self._kept.status(found, self._now())
        if status != "PENDING":
            raise _closed(found, status)
        return found

    def _associate(self, share: Share, kind: str, entity: str, status: str) -> Association:
        there = share.find(kind, entity)
        if there is None:
            now = self._now()
            there = Association(entity, kind, status, now, now)
            share.associations.append(there)
        self._set(there, status)
        return there

    def _set(self, association: Association, status: str, message: str = "") -> None:
        association.status, association.message = status, message
        association.updated = self._now()

    def _audience(self, share: Share, association: Association) -> set[str]:
        """The accounts that an event about an association is for."""
        if association.kind == "RESOURCE":
            return {share.owner, *self._kept.accounts(share)}
        organization = self._kept.rules.organization
        if organization is not None and association.entity == organization.arn:
            return {share.owner, *organization.accounts}
        return {share.owner, association.entity}

    def _tell(
        self, share: Share, accounts: set[str], event: str, status: str, cause: int | None
    ) -> None:
        detail = {"event": event, **({"status": status} if status else {})}
        for account in sorted(accounts):
            self._bus.publish(
                "aws.ram",
                "Resource Sharing State Change",
                detail,
                resources=[share.arn],
                cause=cause,
                account=account,
            )

    def _now(self) -> float:
        return self._world.clock.now().timestamp()


def _no_invitation(arn: str) -> Exception:
    message = f"The resource share invitation {arn} could not be found."
    return refused("ResourceShareInvitationArnNotFound", message)


def _closed(invitation: Invitation, status: str) -> Exception:
    message = f"The resource share invitation {invitation.arn} is {status}."
    return refused(f"ResourceShareInvitation{_CLOSED[status]}", message)
