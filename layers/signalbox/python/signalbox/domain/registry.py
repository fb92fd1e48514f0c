"""The model registry: packages of a workload's models, and the one rule which of them counts.

Of a workload's packages the highest version counts that is approved, complete and, where it was tuned anew,
seen by a review board, and that names what promotion and batch runs ask for: numbers of its quality, a
baseline of its data, and an archive.
Promotion, batch runs and model cards all ask here; batch runs keep to the version in service while a newer
one is being tried behind its endpoint. What is found later to be of no use, or fails its promotion, is
rejected, so it counts no longer either until somebody approves it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from signalbox.contracts.cards import Approval
from signalbox.contracts.packages import APPROVED, Package
from signalbox.contracts.registry import FoundModel, NoModel, group_of


class Packages(Protocol):
    """The model registry."""

    def find(self, arn: str) -> Package | None:
        """Return a package as it is now, or None if there is none."""

    def approved(self, group: str) -> Iterable[Package]:
        """Return the approved packages of a group, the highest version first."""

    def put_back(self, package: Package, why: str) -> None:
        """Make an approved package wait for approval again."""

    def reject(self, package: Package, why: str) -> None:
        """Reject an approved package."""


class Approved(Protocol):
    """Of the model registry, what was approved."""

    def approved(self, group: str) -> Iterable[Package]:
        """Return the approved packages of a group, the highest version first."""


def usable(package: Package) -> bool:
    """Whether a package may come into service."""
    whole = None not in (package.statistics, package.constraints) and bool(package.artifacts)
    seen = whole and package.reviewed
    return (package.approval, package.status, seen) == (APPROVED, "Completed", True)


def judged(package: Package) -> Approval:
    """Return the approval of a package as it counts: what cannot come into service yet is pending."""
    if package.approval == "Rejected":
        return "Rejected"
    return "Approved" if usable(package) else "PendingManualApproval"


def latest(group: str, packages: Approved) -> Package | None:
    """Return the package of a group that counts, or None."""
    return next((each for each in packages.approved(group) if usable(each)), None)


def overtaken(package: Package, packages: Approved) -> bool:
    """Whether a newer version counts."""
    newest = latest(package.group, packages)
    return newest is not None and newest.version > package.version


def serving(
    workload: str, packages: Approved, coming: Collection[str] = ()
) -> FoundModel | NoModel:
    """Return what a batch run needs of the package that counts; those that are ``coming`` may yet fail."""
    found = packages.approved(group_of(workload))
    package = next((each for each in found if usable(each) and each.arn not in coming), None)
    if package is None:
        return NoModel()
    baseline = (package.constraints or "").rpartition("/")[0]
    return FoundModel(package=package.arn, model_data=package.artifacts[0], baseline=baseline)
