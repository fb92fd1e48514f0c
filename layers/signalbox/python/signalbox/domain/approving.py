"""A model package is registered, approved or rejected: what follows, once for each status.

The registry decides, never the event: one that speaks of a status that no longer stands is late, and
changes nothing. What was done about a status is noted under the package; when another status is dealt
with the note goes, so that a package that is rejected and approved again is promoted again. What is approved
and cannot be used is rejected, with its reason. When the version in service is approved no longer, the
highest that counts then takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from signalbox.contracts.operations import Operations
from signalbox.contracts.packages import (
    APPROVED,
    PENDING,
    REJECTED,
    WORKLOAD,
    Metrics,
    ModelPackageChange,
    Package,
    group_and_version,
    metrics_of,
)
from signalbox.contracts.promotion import Promotion
from signalbox.contracts.registry import group_of
from signalbox.domain.announce_models import model_pending
from signalbox.domain.claims import asked, held
from signalbox.domain.model_mail import pending_mail, put_back_mail, unusable_mail
from signalbox.domain.promoting import Promoting, Step
from signalbox.domain.registry import latest
from signalbox.domain.samples import Files, sample_of
from signalbox.errors import Rejected

STATUSES = (PENDING, APPROVED, REJECTED)
_OVER = frozenset({"Completed", "Failed"})

Outcome = (
    Step
    | Literal[
        "told", "unusable", "refused", "put-back", "recorded", "repeated", "late", "unfinished"
    ]
)
_APPROVED_NO_MORE = frozenset({"refused", "put-back", "failed"})
"""Outcomes that ask for another approval, which must then be heard."""


def workload_of(package: Package, operations: Mapping[str, Operations]) -> str | None:
    """Return the workload that a package belongs to, by its group, or None."""
    own = [name for name in operations if group_of(name) == package.group]
    told = package.metadata.get(WORKLOAD)
    return told if told in own else (own[0] if len(own) == 1 and told is None else None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a model's quality: its numbers, or why there are none."""

    metrics: Metrics
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Everything that a change of a package meets."""

    promoting: Promoting
    files: Files

    def judge(self, change: ModelPackageChange, now: datetime) -> Outcome:
        """Do what the status of a package asks for.

        Raises:
            Rejected: it is a package without a version.
            Transient: somebody else is doing it right now.
        """
        told = change.detail
        try:
            group_and_version(told.arn)
        except ValueError as problem:
            raise Rejected("no-versioned-package", str(problem)) from problem
        package = self.promoting.packages.find(told.arn)
        if package is None or package.approval != told.approval:
            return "late"
        if package.status not in _OVER or package.approval not in STATUSES:
            return "unfinished"
        claims = self.promoting.claims
        with held(claims, *asked(package.arn, package.approval), now) as turn:
            if not turn:
                return "repeated"
            # before anything is done: what is done may set the status, and that must be heard
            for status in sorted({*STATUSES} - {package.approval}):
                claims.forget(*asked(package.arn, status))
            outcome = self._act(package, now)
            turn.again = package.approval == APPROVED and outcome in _APPROVED_NO_MORE
        return outcome

    def _act(self, package: Package, now: datetime) -> Outcome:
        workload = workload_of(package, self.promoting.operations)
        if package.approval != APPROVED:
            followed = self._succeed(workload, package, now)
            if package.approval == REJECTED:
                return followed
        evidence = self._evidence(package)
        problem = (
            self._problem(package, workload) or evidence.problem or self._lack(package, workload)
        )
        if workload is None or problem is not None:
            return self._refuse(package, workload, str(problem), now)
        if package.approval == PENDING:
            self._tell(package, workload, evidence.metrics)
            return "told"
        if not package.reviewed:
            self._put_back(package, workload, now)
            return "put-back"
        return self.promoting.promote(workload, package, now)

    def _problem(self, package: Package, workload: str | None) -> str | None:
        if workload is None:
            return (
                f"no workload with a section operations has the package group {package.group}; "
                "ship one (make package), or register the model in another group"
            )
        if package.status == "Failed":
            why = f": {package.reason}" if package.reason else ""
            return f"its registration failed{why}; register it again"
        return None

    def _evidence(self, package: Package) -> Evidence:
        place = f"s3://{self.files.bucket}/"
        uri = package.statistics
        if uri is None or not uri.startswith(place):
            where = "names no statistics of its quality" if uri is None else f"has them at {uri}"
            return Evidence({}, f"it {where}; ModelMetrics must point to a file in {place}")
        content = self.files.find(uri.removeprefix(place))
        if content is None:
            return Evidence({}, f"{uri}, where its quality should stand, is not there")
        try:
            return Evidence(metrics_of(content))
        except ValueError as problem:
            return Evidence({}, f"{uri} is no model-quality file: {problem}")

    def _lack(self, package: Package, workload: str | None) -> str | None:
        if not package.artifacts:
            return "it names no model archive (ModelDataUrl); register it again with one"
        if package.constraints is None:
            return (
                "it names no baseline that later data are held against (ModelDataQuality.Constraints, of "
                "DriftCheckBaselines or of ModelMetrics); register it again with one"
            )
        if workload is None or not self.promoting.operations[workload].endpoint:
            return None
        sample = sample_of(package, self.files)
        return sample if isinstance(sample, str) else None

    def _refuse(
        self, package: Package, workload: str | None, problem: str, now: datetime
    ) -> Outcome:
        """The mail goes first: once the status is set, a repeat of the event is late."""
        told = self.promoting.operations.get(workload or "")
        own = any(group_of(name) == package.group for name in self.promoting.operations)
        back = own and (package.approval, package.status) == (APPROVED, "Completed")
        self.promoting.topic.publish(
            unusable_mail(package, workload, told, problem, taken_back=back)
        )
        if not back:
            return "unusable"  # it counts for nobody
        if workload is not None:
            self.promoting.promotions.ended(
                workload, Promotion(package=package.arn, state="failed", at=now, reason=problem)
            )
        self.promoting.packages.reject(package, f"it cannot be used: {problem}")
        return "refused"

    def _succeed(self, workload: str | None, package: Package, now: datetime) -> Outcome:
        """A version that is not approved leaves service; the one that counts now takes its place."""
        if workload is None:
            return "recorded"
        left = self.promoting.withdraw(workload, package, now)
        counts = latest(package.group, self.promoting.packages)
        if counts is None or not (left or package.approval == REJECTED):
            return "recorded"
        serving = self.promoting.serving(workload)
        if serving is not None and group_and_version(serving)[1] >= counts.version:
            return "recorded"
        return self._act(counts, now)  # it may have stepped aside for the one that leaves

    def _tell(self, package: Package, workload: str, metrics: Metrics) -> None:
        approved = latest(package.group, self.promoting.packages)
        known = self._evidence(approved).metrics if approved else {}
        event = model_pending(workload, package, metrics, approved, known)
        self.promoting.bus.emit(event)
        self.promoting.topic.publish(pending_mail(event, self.promoting.operations[workload]))

    def _put_back(self, package: Package, workload: str, now: datetime) -> None:
        """The mail goes first: once the status is back, a repeat of the event is late."""
        self.promoting.claims.claim(*asked(package.arn, PENDING), now)
        self.promoting.claims.done(*asked(package.arn, PENDING), now)  # this mail tells it
        self.promoting.topic.publish(
            put_back_mail(package, workload, self.promoting.operations[workload])
        )
        why = (
            "approved without a review board; a retuned model needs one (signalbox approve --board)"
        )
        self.promoting.packages.put_back(package, why)
