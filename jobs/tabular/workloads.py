"""The workload a command is about, from the shipped file or from an input of the job."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlparse

from pydantic import ValidationError

from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.complaints import complaint
from signalbox.contracts.tabular import Tabular
from signalbox.contracts.workload import Workload
from signalbox.errors import Misconfigured


def section(told: str | None, folder: Path, name: str) -> Tabular:
    """Read the section ``tabular`` of a workload.

    Args:
        told: an ``s3://`` address, a file, or None.
        folder: holds the file, if ``told`` is None.
        name: of the workload.

    Raises:
        Misconfigured: there is no such file or workload, or the workload asks no question of a table.
    """
    if told is not None and told.startswith("s3://"):
        place = urlparse(told)
        found = shipped_workloads(Objects(place.netloc), place.path.lstrip("/"))
    else:
        found = _local(Path(told) if told is not None else _only(folder))
    if name not in found:
        raise Misconfigured(f"workload {name!r} is not among the shipped ones: {', '.join(found)}")
    tabular = found[name].tabular
    if tabular is None:
        raise Misconfigured(
            f"workload {name!r} has no section tabular; its kind is {found[name].kind}"
        )
    return tabular


def _only(folder: Path) -> Path:
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if len(found) != 1:
        raise Misconfigured(
            f"{folder} holds {len(found)} files; the shipped workloads are one file, or say --workloads"
        )
    return found[0]


def _local(path: Path) -> dict[str, Workload]:
    try:
        found = json.loads(path.read_bytes())
        return {name: Workload.model_validate(told) for name, told in found.items()}
    except OSError as problem:
        raise Misconfigured(f"{path} cannot be read: {problem}") from problem
    except (ValueError, AttributeError) as problem:
        where = complaint(problem) if isinstance(problem, ValidationError) else "not a JSON object"
        raise Misconfigured(
            f"{path} holds no workloads ({where}); run make package again"
        ) from problem
