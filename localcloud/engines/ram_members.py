"""Who and what is in a share of AWS RAM.

Citations: AssociateResourceShare and DisassociateResourceShare of botocore's model of RAM; "Enable resource
sharing within AWS Organizations" of the RAM User Guide.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_invitations import Invitations
from localcloud.engines.ram_permissions import Permissions
from localcloud.engines.ram_shown import refused
from localcloud.engines.ram_told import CHANGED, INVITED, Telling
from localcloud.seams import Cards
from localcloud.shares import CARD_TYPE, Association, Share, Shares
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


class Members:
    """Principals and resources of shares.

    Args:
        world: the cloud; its `shares` are changed.
        telling: tells of what changes.
        permissions: gives a share the default permission of its first resource.
        invitations: sends those that a principal needs.
    """

    def __init__(
        self, world: World, telling: Telling, permissions: Permissions, invitations: Invitations
    ) -> None:
        self._world = world
        self._telling = telling
        self._invitations = invitations
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
            *(self._add_resource(share, each, cause) for each in resources),
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
            told = self._telling.audience(share, there)
            there.become("DISASSOCIATED", self._now())
            self._invitations.withdraw(share, there.entity)
            self._telling.tell(share, told, CHANGED, "disassociated", cause)
            answer = shown.association(share, there)
            removed.append({**answer, "status": "DISASSOCIATING"})
        return removed

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

    def _add_resource(self, share: Share, resource: str, cause: int | None) -> Association:
        there = share.find("RESOURCE", resource)
        if there is not None and there.status == "ASSOCIATED":
            return there
        added = self._associate(share, "RESOURCE", resource, "ASSOCIATED")
        told = self._telling.audience(share, added)
        self._telling.tell(share, told, CHANGED, "associated", cause)
        return added

    def _add_principal(self, share: Share, principal: str, cause: int | None) -> Association:
        together = self._kept.together(share.owner, principal)
        at_once = _ORGANIZATION.fullmatch(principal) or (
            together and self._kept.within_organization
        )
        self._invitations.expire(share)
        there = share.find("PRINCIPAL", principal)
        if there is not None and there.status in _THERE:
            return there  # invited or in it already
        status = "ASSOCIATED" if at_once else "ASSOCIATING"
        added = self._associate(share, "PRINCIPAL", principal, status)
        added.external = not at_once and not together
        told = self._telling.audience(share, added)
        if at_once:
            self._telling.tell(share, told, CHANGED, "associated", cause)
        else:
            self._invitations.send(share, principal)
            self._telling.tell(share, told, INVITED, "", cause)
        return added

    def _associate(self, share: Share, kind: str, entity: str, status: str) -> Association:
        there = share.find(kind, entity)
        if there is None:
            now = self._now()
            there = Association(entity, kind, status, now, now)
            share.associations.append(there)
        there.become(status, self._now())
        return there

    def _now(self) -> float:
        return self._world.clock.now().timestamp()
