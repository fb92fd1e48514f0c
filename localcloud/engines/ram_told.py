"""What AWS RAM tells: "Resource Sharing State Change", to the owner of a share and to its principals.

Citation: "Monitoring AWS RAM using EventBridge" of the RAM User Guide.
"""

from __future__ import annotations

from localcloud.bus import Bus
from localcloud.shares import Association, Share, Shares

INVITED, CHANGED = "Resource Share Invitation", "Resource Share Association"


class Telling:
    """Tells of shares.

    Args:
        kept: what RAM keeps.
        bus: where the events go, one in each account.
    """

    def __init__(self, kept: Shares, bus: Bus) -> None:
        self._kept = kept
        self._bus = bus

    def audience(self, share: Share, association: Association) -> set[str]:
        """The accounts that an event about an association is for."""
        if association.kind == "RESOURCE":
            return {share.owner, *self._kept.accounts(share)}
        organization = self._kept.rules.organization
        if organization is not None and association.entity == organization.arn:
            return {share.owner, *organization.accounts}
        return {share.owner, association.entity}

    def tell(
        self, share: Share, accounts: set[str], event: str, status: str, cause: int | None
    ) -> None:
        """Tell accounts of an event; `status` is "" where it has none."""
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
