"""Which statistics of which sensors a history holds; read from the workload that declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HVAC_WORKLOAD = Path(__file__).parent.parent / "workloads" / "hvac.yaml"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sensor, the statistics wanted of it, and the level for the time above it."""

    sensor: str
    statistics: tuple[str, ...]
    above: float | None = None


Selection = Sequence[Wanted]


def selection(workload: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """The selection a workload's mapping makes."""
    default = tuple(workload.get("statistics", ()))
    return tuple(
        Wanted(entry["name"], tuple(entry.get("statistics", default)), entry.get("above"))
        for entry in workload["sensors"]
    )


@cache
def hvac_selection() -> tuple[Wanted, ...]:
    """The selection of ``workloads/hvac.yaml``."""
    return selection(yaml.safe_load(HVAC_WORKLOAD.read_text(encoding="utf-8")))
