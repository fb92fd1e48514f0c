"""What the house knows of a recording once the kernel has cut it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from signalbox.contracts.workload import Workload


@dataclass(frozen=True, slots=True)
class Cut:
    """A file's contribution: its fragment as bytes, and what can be said about it. Times in UTC."""

    units: tuple[str, ...]
    cycles: int
    rows: int
    start: datetime
    end: datetime
    fragment: bytes


class Kernel(Protocol):
    """What turns readings into fragments; the same file always gives the same bytes."""

    def cut(self, path: Path, workload: Workload, name: str) -> Cut:
        """Cut the file at ``path``, known as ``name``.

        Raises:
            Rejected: the file can never become cycles.
        """

    def read(self, fragment: bytes) -> Cut:
        """Read back what was cut before.

        Raises:
            Misconfigured: it was written by a kernel of another format.
        """
