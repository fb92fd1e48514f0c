"""The model registry: packages of a workload's models, and which of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from signalbox.contracts.packages import APPROVED, Package


class Packages(Protocol):
    """The model registry."""

    def find(self, arn: str) -> Package | None:
        """Return a package as it is now, or None if there is none."""

    def approved(self, group: str) -> Sequence[Package]:
        """Return the approved packages of a group, the newest version first."""

    def put_back(self, package: Package, why: str) -> None:
        """Make an approved package wait for approval again."""


def usable(package: Package) -> bool:
    """Whether a package may come into service."""
    return (package.approval, package.status, package.reviewed) == (APPROVED, "Completed", True)


def overtaken(package: Package, packages: Packages) -> bool:
    """Whether a newer version counts, as whoever looks up the latest approved package sees it."""
    approved = packages.approved(package.group)
    return any(usable(each) for each in approved if each.version > package.version)
