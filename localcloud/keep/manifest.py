"""A state folder's manifest: which fields it has, and that they are what they should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from localcloud.errors import StateError

SCHEMA = 1
ADVICE = "take another folder, or remove this one to begin anew"
_DIGEST = re.compile("[0-9a-f]{64}")
_PART = re.compile(r"parts/[a-z_-]+-[0-9a-f]{16}\.json")
_LATEST_YEAR = 9000  # time goes on after it


def checked(place: str, manifest: Any) -> dict[str, Any]:
    """The manifest, if every field of it is what a save writes.

    Args:
        place: its file, for messages.
        manifest: what was read there.

    Raises:
        StateError: a field is missing or malformed; names the file and the field.
    """
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        found = manifest.get("schema") if isinstance(manifest, dict) else None
        raise StateError(f"{place}: schema {found!r} is not {SCHEMA}: {ADVICE}")
    for field, right in _FIELDS.items():
        if field not in manifest:
            raise StateError(f"{place}: {field} is missing: {ADVICE}")
        if not right(manifest[field]):
            raise StateError(f"{place}: {field} is malformed: {manifest[field]!r:.200}: {ADVICE}")
    for name, entry in manifest["files"].items():
        for field, right in (("file", _is_part), ("sha256", is_digest)):
            given = entry.get(field) if isinstance(entry, dict) else None
            if not right(given):
                raise StateError(
                    f"{place}: files.{name}.{field} is malformed: {given!r:.200}: {ADVICE}"
                )
    return manifest


def is_digest(value: Any) -> bool:
    """Whether that is a sha256 in hexadecimal, and so the name of a file and no way to another."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_part(value: Any) -> bool:
    return isinstance(value, str) and _PART.fullmatch(value) is not None


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return False
    return instant.tzinfo is not None and instant.year < _LATEST_YEAR


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_resources(value: Any) -> bool:
    return isinstance(value, dict) and all(_are_texts(each) for each in value.values())


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "stack": lambda value: isinstance(value, str),
    "resources": _are_resources,
    "now": _is_instant,
    "starts": lambda value: type(value) is int and value > 0,
    "not_kept": _are_texts,
    "files": lambda value: isinstance(value, dict),
    "blobs": lambda value: isinstance(value, list) and all(is_digest(each) for each in value),
}
