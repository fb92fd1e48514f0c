"""The reviewed list: what template.yaml grants and the local cloud has no use for, and why."""

from __future__ import annotations

import fnmatch

from localcloud.iam import Grant

REVIEWED: dict[tuple[str, str], str] = {
    ("OnSensorFileRole.Policies[0].Statement[6]", "dynamodb:GetItem"): (
        "Powertools reads a record only where a refused put does not show it, and DynamoDB does"
    ),
}
"""(statement, pattern of its actions) -> reason."""

DENY = "denies what comes without TLS; every request to this machine counts as TLS"
"""Why a Deny is not taken away one by one: tests of the guard show that it holds."""


def reason(grant: Grant) -> str:
    """Why a grant is never used here; "" if it is not on the list."""
    found = (
        why
        for (where, actions), why in REVIEWED.items()
        if where == grant.where and fnmatch.fnmatchcase(grant.action, actions)
    )
    return next(found, "")
