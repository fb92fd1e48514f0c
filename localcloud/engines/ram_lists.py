"""What AWS RAM lists: shares, associations, resources, principals and policies.

Citations: GetResourceShares, GetResourceShareAssociations, ListResources, ListPrincipals,
GetResourcePolicies and ListResourceTypes of botocore's model of RAM. SELF is what an account shares;
OTHER-ACCOUNTS is what reaches it: by an invitation it accepted, or within its organization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcloud.engines import ram_shown as shown
from localcloud.engines.ram_invitations import Invitations
from localcloud.engines.ram_shown import page, refused
from localcloud.shares import CARD_TYPE, Association, Share, Shares
from localcloud.sharing import Asked
from localcloud.world import World


class Lists:
    """Everything of RAM that only looks.

    Args:
        world: the cloud, whose `shares` are looked at.
        invitations: sees to those that have expired.
    """

    def __init__(self, world: World, invitations: Invitations) -> None:
        self._world = world
        self._invitations = invitations

    def shares(self, asked: Asked) -> dict[str, Any]:
        """GetResourceShares."""
        members = asked.members
        arns, filters = members.get("resourceShareArns"), members.get("tagFilters", [])
        found = [
            shown.share(each)
            for each in self._visible(asked)
            if (not arns or each.arn in arns)
            and each.status == members.get("resourceShareStatus", each.status)
            and each.name == members.get("name", each.name)
            and members.get("permissionArn") in {None, *each.permissions.values()}
            and all(_tagged(each, wanted) for wanted in filters)
        ]
        self._check_known(arns, {each["resourceShareArn"] for each in found})
        return page("resourceShares", found, asked)

    def associations(self, asked: Asked) -> dict[str, Any]:
        """GetResourceShareAssociations: of the shares that the account owns.

        Raises:
            Refused: a filter does not go with the type, or a share is unknown.
        """
        members, kind = asked.members, str(asked.members["associationType"])
        if kind not in {"PRINCIPAL", "RESOURCE"}:
            raise refused("InvalidParameter", f"{kind} is not an association type played here.")
        other = "resourceArn" if kind == "PRINCIPAL" else "principal"
        if members.get(other):
            message = f"You cannot specify {other} when the association type is {kind}."
            raise refused("InvalidParameter", message)
        entity = members.get("resourceArn") or members.get("principal")
        arns = members.get("resourceShareArns")
        own = [each for each in self._kept.shares.values() if each.owner == asked.account]
        self._check_known(arns, {each.arn for each in own})
        found = [
            shown.association(share, each)
            for share, each in self._of(own, kind)
            if (not arns or share.arn in arns)
            and entity in {None, each.entity}
            and members.get("associationStatus") in {None, each.status}
        ]
        return page("resourceShareAssociations", found, asked)

    def resources(self, asked: Asked) -> dict[str, Any]:
        """ListResources.

        Raises:
            Refused: an unknown resource type.
        """
        members = asked.members
        wanted, arns = members.get("resourceArns"), members.get("resourceShareArns")
        if str(members.get("resourceType", CARD_TYPE)).lower() != CARD_TYPE.lower():
            raise refused("InvalidResourceType", f"Invalid resource type {members['resourceType']}")
        found = [
            shown.resource(share, each, "AVAILABLE", CARD_TYPE)
            for share, each in self._of(self._visible(asked), "RESOURCE")
            if each.status == "ASSOCIATED"
            and (not wanted or each.entity in wanted)
            and (not arns or share.arn in arns)
            and members.get("principal") in {None, *share.entities("PRINCIPAL")}
        ]
        return page("resources", found, asked)

    def principals(self, asked: Asked) -> dict[str, Any]:
        """ListPrincipals: whom the account shares with, or who shares with it."""
        members = asked.members
        wanted, arns = members.get("principals"), members.get("resourceShareArns")
        visible = [
            share
            for share in self._visible(asked)
            if (not arns or share.arn in arns)
            and members.get("resourceArn") in {None, *share.entities("RESOURCE")}
        ]
        if members["resourceOwner"] == "SELF":
            found = [
                shown.principal(share, each)
                for share, each in self._of(visible, "PRINCIPAL")
                if each.status == "ASSOCIATED"
            ]
        else:
            found = [
                {
                    "id": share.owner,
                    "resourceShareArn": share.arn,
                    "creationTime": share.created,
                    "lastUpdatedTime": share.updated,
                    "external": not self._kept.together(share.owner, asked.account),
                }
                for share in visible
            ]
        return page("principals", [e for e in found if not wanted or e["id"] in wanted], asked)

    def policies(self, asked: Asked) -> dict[str, Any]:
        """GetResourcePolicies: what shares make of resources of the account.

        Raises:
            Refused: ResourceArnNotFoundException.
        """
        found = []
        for arn in asked.members["resourceArns"]:
            if str(arn).split(":")[4:5] != [asked.account]:
                raise refused("ResourceArnNotFound", f"Resource {arn} could not be found.")
            if policy := self._kept.policy_of(str(arn)):
                found.append(policy)
        answer = page("policies", [{"policy": each} for each in found], asked)
        return {**answer, "policies": [each["policy"] for each in answer["policies"]]}

    def types(self, asked: Asked) -> dict[str, Any]:
        """ListResourceTypes: the one that is shared here."""
        only = {
            "resourceType": CARD_TYPE,
            "serviceName": "sagemaker",
            "resourceRegionScope": "REGIONAL",
        }
        return page("resourceTypes", [only], asked)

    @property
    def _kept(self) -> Shares:
        return self._world.shares

    def _visible(self, asked: Asked) -> list[Share]:
        """The shares on the side that a request names; deleted ones only their owner sees.

        Raises:
            Refused: it names none of the two.
        """
        side, everything = asked.members["resourceOwner"], list(self._kept.shares.values())
        if side == "SELF":
            return [each for each in everything if each.owner == asked.account]
        if side == "OTHER-ACCOUNTS":
            return [
                each
                for each in everything
                if each.status == "ACTIVE" and asked.account in self._kept.accounts(each)
            ]
        message = (
            f"{side} is not a valid resource owner. Specify either SELF or OTHER-ACCOUNTS and try "
            "again."
        )
        raise refused("InvalidParameter", message)

    def _of(self, shares: list[Share], kind: str) -> Iterator[tuple[Share, Association]]:
        for share in shares:
            self._invitations.expire(share)
            for each in share.associations:
                if each.kind == kind:
                    yield share, each

    def _check_known(self, arns: list[str] | None, known: set[str]) -> None:
        for arn in arns or []:
            if arn not in known and arn not in self._kept.shares:
                raise refused("UnknownResource", f"ResourceShare {arn} could not be found.")


def _tagged(share: Share, wanted: dict[str, Any]) -> bool:
    """A filter without values matches any tag of its key."""
    values = [tag["value"] for tag in share.tags if tag["key"] == wanted.get("tagKey")]
    return any(not wanted.get("tagValues") or value in wanted["tagValues"] for value in values)
