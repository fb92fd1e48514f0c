"""How AWS RAM shows what it keeps: shares, associations, invitations, resources, lists.

Citations: ResourceShare, ResourceShareAssociation, ResourceShareInvitation, Resource, Principal and
ResourceSharePermissionSummary of botocore's model of RAM; the errors are those that it documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from localcloud.shares import Association, Invitation, Permission, Share, Shares
from localcloud.sharing import Asked
from localcloud.wiring import Refused

_MOST_LISTED = 500
_CONFLICTS = {"PermissionAlreadyExistsException": 409}


def refused(code: str, message: str) -> Refused:
    """One of RAM's errors, its name without "Exception"."""
    return Refused(f"{code}Exception", message, _CONFLICTS.get(f"{code}Exception"))


def arn_of(asked: Asked, member: str, kind: str) -> str:
    """An ARN that a request names, of one of RAM's own kinds such as resource-share.

    Raises:
        Refused: MalformedArnException.
    """
    arn = str(asked.members[member])
    if not re.fullmatch(rf"arn:aws:ram:[a-z0-9-]*:(\d{{12}}|aws):{kind}/.+", arn):
        words = kind.replace("-", " ")
        message = f"The specified {words} ARN {arn} is not valid. Verify the ARN and try again."
        raise refused("MalformedArn", message)
    return arn


def page(member: str, found: Sequence[dict[str, Any]], asked: Asked) -> dict[str, Any]:
    """One page of a list.

    Raises:
        Refused: InvalidNextTokenException or InvalidParameterException.
    """
    token = str(asked.members.get("nextToken", "0"))
    most = int(asked.members.get("maxResults", _MOST_LISTED))
    if not token.isdigit():
        raise refused("InvalidNextToken", f"The next token {token} is not valid.")
    if not 1 <= most <= _MOST_LISTED:
        raise refused("InvalidParameter", f"maxResults must be 1 to {_MOST_LISTED}, not {most}.")
    first = int(token)
    answer: dict[str, Any] = {member: list(found[first : first + most])}
    if first + most < len(found):
        answer["nextToken"] = str(first + most)
    return answer


def share(each: Share) -> dict[str, Any]:
    """ResourceShare."""
    return {
        "resourceShareArn": each.arn,
        "name": each.name,
        "owningAccountId": each.owner,
        "allowExternalPrincipals": each.external_allowed,
        "status": each.status,
        "tags": each.tags,
        "creationTime": each.created,
        "lastUpdatedTime": each.updated,
        "featureSet": "STANDARD",
    }


def association(of: Share, each: Association) -> dict[str, Any]:
    """ResourceShareAssociation."""
    shown: dict[str, Any] = {
        "resourceShareArn": of.arn,
        "resourceShareName": of.name,
        "associatedEntity": each.entity,
        "associationType": each.kind,
        "status": each.status,
        "creationTime": each.created,
        "lastUpdatedTime": each.updated,
        "external": each.external,
    }
    return {**shown, "statusMessage": each.message} if each.message else shown


def invitation(kept: Shares, each: Invitation, now: float) -> dict[str, Any]:
    """ResourceShareInvitation, without the associations that it no longer tells."""
    return {
        "resourceShareInvitationArn": each.arn,
        "resourceShareName": kept.shares[each.share].name,
        "resourceShareArn": each.share,
        "senderAccountId": each.sender,
        "receiverAccountId": each.receiver,
        "invitationTimestamp": each.sent,
        "status": kept.status(each, now),
    }


def resource(of: Share, each: Association, status: str, resource_type: str) -> dict[str, Any]:
    """Resource."""
    return {
        "arn": each.entity,
        "type": resource_type,
        "resourceShareArn": of.arn,
        "status": status,
        "creationTime": each.created,
        "lastUpdatedTime": each.updated,
        "resourceRegionScope": "REGIONAL",
    }


def principal(of: Share, each: Association) -> dict[str, Any]:
    """Principal."""
    return {
        "id": each.entity,
        "resourceShareArn": of.arn,
        "creationTime": each.created,
        "lastUpdatedTime": each.updated,
        "external": each.external,
    }


def permission(each: Permission) -> dict[str, Any]:
    """ResourceSharePermissionSummary; every permission has one version here."""
    return {
        "arn": each.arn,
        "version": "1",
        "defaultVersion": True,
        "name": each.name,
        "resourceType": each.resource_type,
        "status": "ATTACHABLE",
        "creationTime": each.created,
        "lastUpdatedTime": each.created,
        "isResourceTypeDefault": each.default,
        "permissionType": "AWS_MANAGED" if each.owner == "aws" else "CUSTOMER_MANAGED",
        "featureSet": "STANDARD",
        "tags": each.tags,
    }
