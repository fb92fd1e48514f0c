"""Which modules are a function's own, and which come from the virtual environment.

A built package or layer holds third-party distributions (each with its dist-info and RECORD) and
the house's own packages (without). Own ones are loaded per function from the build. Third-party
ones are taken from the virtual environment, since a compiled extension loads once per process;
that they are the same versions is checked.
"""

from __future__ import annotations

import csv
from importlib import metadata
from pathlib import Path

from localcloud.errors import DeployError

_NO_MODULES = {"__pycache__", "bin"}


def own_modules(folders: list[Path]) -> dict[str, Path]:
    """Top-level names the function owns, and the folder each is loaded from; first folder wins."""
    own: dict[str, Path] = {}
    for folder in folders:
        foreign = _recorded(folder)
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            name = _module_name(path)
            if name is not None and path.name not in foreign and not _compiled(path):
                own.setdefault(name, folder)
    return own


def check_versions(logical_id: str, folders: list[Path]) -> None:
    """See that the virtual environment has what the layers ship.

    Raises:
        DeployError: a shipped distribution is missing here or has another version.
    """
    for folder in folders:
        for info in sorted(folder.glob("*.dist-info")):
            name, _, version = info.name.removesuffix(".dist-info").partition("-")
            found = next((each.version for each in metadata.distributions(name=name)), None)
            if found != version:
                message = f"{folder} ships {name} {version}, this environment has {found or 'none'}"
                raise DeployError(message, logical_id=logical_id)


def _recorded(folder: Path) -> set[str]:
    """First path parts of all files that distributions in the folder say they installed."""
    names: set[str] = set()
    for record in folder.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as lines:
            names |= {Path(row[0]).parts[0] for row in csv.reader(lines) if row and row[0]}
    return names


def _module_name(path: Path) -> str | None:
    if path.name in _NO_MODULES or path.suffix in {".dist-info", ".libs"}:
        return None
    if path.is_dir():
        return path.name if path.name.isidentifier() else None
    return path.stem if path.suffix == ".py" and path.stem.isidentifier() else None


def _compiled(path: Path) -> bool:
    return path.is_dir() and next(path.rglob("*.so"), None) is not None
