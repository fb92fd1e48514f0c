"""The workloads as `make package` shipped them: one JSON object, name to workload."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError

from signalbox.adapters.objects import Objects
from signalbox.contracts.complaints import complaint
from signalbox.contracts.operations import Operations
from signalbox.contracts.workload import Workload
from signalbox.errors import Misconfigured, Rejected


def shipped_workloads(artifacts: Objects, key: str) -> dict[str, Workload]:
    """Read all workloads.

    Raises:
        Misconfigured: they were not shipped, or what was shipped is none.
    """
    place = f"s3://{artifacts.bucket}/{key}"
    try:
        found = json.loads(artifacts.read(key))
        return {name: Workload.model_validate(workload) for name, workload in found.items()}
    except Rejected as problem:
        raise Misconfigured(
            f"{place} is not there; run make package and deploy its key"
        ) from problem
    except (ValueError, AttributeError) as problem:
        where = complaint(problem) if isinstance(problem, ValidationError) else "not a JSON object"
        raise Misconfigured(
            f"{place} holds no workloads ({where}); run make package again"
        ) from problem


def shipped_operations(artifacts: Objects, key: str) -> dict[str, Operations]:
    """Read the operations of all workloads that have some.

    Raises:
        Misconfigured: as above.
    """
    return operations_of(shipped_workloads(artifacts, key))


def operations_of(workloads: Mapping[str, Workload]) -> dict[str, Operations]:
    """The operations of those workloads that have some."""
    told = {name: workload.operations for name, workload in workloads.items()}
    return {name: operations for name, operations in told.items() if operations is not None}


def scored(workloads: Mapping[str, Workload]) -> frozenset[str]:
    """The workloads whose fleets are scored."""
    return frozenset(name for name, told in workloads.items() if told.scored)
