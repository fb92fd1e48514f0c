"""This Python, for the programs of runs: how it is started, and what it must already have."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from localcloud.engines.base import RunError

LAUNCH = str(Path(__file__).with_name("launch.py"))
_PYTHON = re.compile(r"python(3(\.\d+)?)?")


def command_of(command: Sequence[str]) -> list[str]:
    """A command as it is run here: any Python is this one and sees only what was shipped."""
    if not _PYTHON.fullmatch(Path(command[0]).name):
        return list(command)
    rest = [each for each in command[1:] if each != "-u"]
    launched = rest and (rest[0] == "-m" or not rest[0].startswith("-"))
    return [sys.executable, "-u", *([LAUNCH] if launched else []), *rest]


def check_modules(place: str, wanted: Iterable[str]) -> None:
    """See that modules a run asks for are here: nothing is installed for a run.

    Args:
        place: where they are asked for.
        wanted: requirements, each `name==version`; empty ones count for nothing.

    Raises:
        RunError: one is missing, has another version, or names none.
    """
    for requirement in filter(None, (each.strip() for each in wanted)):
        name, _, version = requirement.partition("==")
        found = next((each.version for each in metadata.distributions(name=name)), None)
        if not version or found != version:
            raise RunError(f"{place} wants {requirement}, here is {found or 'none'}")
