"""AWS RAM in moto: it parses requests; shares, invitations and permissions are ours.

moto shares no model card, invites nobody and shows no account what others share with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.ram import urls
from moto.ram.responses import ResourceAccessManagerResponse

from localcloud.cuts import Seam
from localcloud.seams.model_cards import asked_of
from localcloud.wiring import Hooks

_THERE = (
    "CreateResourceShare", "DeleteResourceShare", "EnableSharingWithAwsOrganization",
    "GetResourceShareAssociations", "GetResourceShares", "ListPermissions", "ListResourceTypes",
    "UpdateResourceShare",
)  # fmt: skip
_LACKING = (
    "AcceptResourceShareInvitation", "AssociateResourceShare", "AssociateResourceSharePermission",
    "CreatePermission", "DeletePermission", "DisassociateResourceShare",
    "DisassociateResourceSharePermission", "GetPermission", "GetResourcePolicies",
    "GetResourceShareInvitations", "ListPendingInvitationResources", "ListPrincipals",
    "ListResourceSharePermissions", "ListResources", "RejectResourceShareInvitation",
)  # fmt: skip


@contextmanager
def routed() -> Iterator[None]:
    """The addresses of the operations that moto lacks lead to it for a while.

    Raises:
        RuntimeError: moto has one of them.
    """
    # "requestUri" of botocore's model: the operation's name in lower case
    paths = {f"{{0}}/{name.lower()}$": ResourceAccessManagerResponse.dispatch for name in _LACKING}
    there = sorted(paths.keys() & urls.url_paths.keys())
    if there:
        raise RuntimeError(f"moto's AWS RAM has {there} itself: cut them instead")
    urls.url_paths.update(paths)
    try:
        yield
    finally:
        for path in paths:
            del urls.url_paths[path]


def _answer(hooks: Hooks, *rest: Any) -> str:
    self = rest[-1]  # after moto's own, where it has one
    return json.dumps(hooks.resource_share(asked_of(self)))


SEAMS = tuple(
    Seam(
        "moto.ram.responses:ResourceAccessManagerResponse",
        camelcase_to_underscores(operation),
        "(self)" if operation in _THERE else None,
        _answer,
    )
    for operation in (*_THERE, *_LACKING)
)
