"""The reviewed list: what template.yaml grants and the local cloud has no use for, and why."""

from __future__ import annotations

import fnmatch

from localcloud.iam import Grant

REVIEWED: dict[tuple[str, str], str] = {}


def reason(grant: Grant) -> str:
    """Why a grant is never used here; "" if it is not on the list."""
    found = (
        why
        for (where, action), why in REVIEWED.items()
        if fnmatch.fnmatchcase(grant.where, where) and fnmatch.fnmatchcase(grant.action, action)
    )
    return next(found, "")
