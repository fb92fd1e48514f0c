"""Invitations to shares of AWS RAM: sent, answered within 12 hours, or expired.

Citations: the operations on invitations of botocore's model of RAM; "Accepting and rejecting resource
share invitations" of the RAM User Guide. What became of an association whose invitation was rejected or
has expired is written nowhere: here it is FAILED.
"""

from __future__ import annotations

from typing import Any

from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_shown import arn_of, page, refused
from localcloud.engines.ram_told import CHANGED, Telling
from localcloud.shares import CARD_TYPE, Invitation, Share, Shares
from localcloud.sharing import Asked
from localcloud.world import World

_CLOSED = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected", "EXPIRED": "Expired"}


class Invitations:
    """Invitations of every account.

    Args:
        world: the cloud; its `shares` are changed.
        telling: tells of what comes of them.
    """

    def __init__(self, world: World, telling: Telling) -> None:
        self._world = world
        self._telling = telling

    def send(self, share: Share, account: str) -> None:
        """Invite an account."""
        path = f"resource-share-invitation/{self._world.new_id()}"
        arn = f"arn:aws:ram:{self._world.region}:{share.owner}:{path}"
        sent = Invitation(arn, share.arn, share.owner, account, self._now())
        self._kept.invitations[arn] = sent

    def withdraw(self, share: Share, account: str) -> None:
        """What was not answered cannot be any more."""
        for arn, each in list(self._kept.invitations.items()):
            if (each.share, each.receiver, each.status) == (share.arn, account, "PENDING"):
                del self._kept.invitations[arn]

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
                there.become("FAILED", self._now(), "The invitation has expired.")

    def accept(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """AcceptResourceShareInvitation: access begins.

        Raises:
            Refused: there is no such invitation, or it was answered or has expired.
        """
        found = self._open_invitation(asked)
        found.status = "ACCEPTED"
        return self._answered(found, "ASSOCIATED", "", cause)

    def reject(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """RejectResourceShareInvitation.

        Raises:
            Refused: there is no such invitation, or it was answered or has expired.
        """
        found = self._open_invitation(asked)
        found.status = "REJECTED"
        return self._answered(found, "FAILED", "The invitation was rejected.", cause)

    def listed(self, asked: Asked) -> dict[str, Any]:
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

    def _answered(
        self, found: Invitation, status: str, message: str, cause: int | None
    ) -> dict[str, Any]:
        """Let the association of an invitation be what its answer makes of it."""
        share = self._kept.shares[found.share]
        there = share.find("PRINCIPAL", found.receiver)
        if there is not None:
            there.become(status, self._now(), message)
            told = self._telling.audience(share, there)
            self._telling.tell(share, told, CHANGED, status.lower(), cause)
        return {"resourceShareInvitation": shown.invitation(self._kept, found, self._now())}

    @property
    def _kept(self) -> Shares:
        return self._world.shares

    def _now(self) -> float:
        return self._world.clock.now().timestamp()


def _no_invitation(arn: str) -> Exception:
    message = f"The resource share invitation {arn} could not be found."
    return refused("ResourceShareInvitationArnNotFound", message)


def _closed(invitation: Invitation, status: str) -> Exception:
    message = f"The resource share invitation {invitation.arn} is {status}."
    return refused(f"ResourceShareInvitation{_CLOSED[status]}", message)
