"""The frozen action data: which actions there are, and the ARNs they are judged on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from localcloud.iam.errors import UnknownAction

FROZEN = Path(__file__).with_name("actions.json")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@cache
def services() -> Mapping[str, Any]:
    """IAM prefix -> actions and resource types; `localcloud.iam.freeze` says how they look."""
    found: Mapping[str, Any] = json.loads(FROZEN.read_text(encoding="utf-8"))["services"]
    return found


def resource_types(action: str) -> list[tuple[str, str]]:
    """(type, ARN template) of what an action is judged on; empty where it knows no resources.

    Raises:
        UnknownAction: there is no such action here.
    """
    prefix, _, name = action.partition(":")
    known = services().get(prefix)
    if known is None or name not in known["actions"]:
        raise UnknownAction(f"{action} is not among the actions of localcloud/iam/actions.json")
    return [(each, known["resources"][each]) for each in known["actions"][name]]


@cache
def variables(template: str) -> tuple[str, ...]:
    """What an ARN template leaves open, but for partition, region and account."""
    given = {"Partition", "Region", "Account"}
    return tuple(each for each in _VARIABLE.findall(template) if each not in given)


def fill(template: str, values: Mapping[str, str]) -> str:
    """An ARN template with its variables replaced."""
    return _VARIABLE.sub(lambda match: values[match.group(1)], template)
