"""A manifest arrives: start its run of the Glue job once; and tell what became of it when it ends.

StartJobRun knows no idempotency token. So a claim on (bucket, key, version) is written first, on
condition that there is none; the run's identifier is noted after. Whoever finds a claim without one
waits for the lease to pass, looks whether a run with this run key exists after all, and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from signalbox.contracts.backfill import Manifest, RejectedFile, RunReport
from signalbox.contracts.glue import JobStateChange
from signalbox.contracts.keys import run_key
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus, backfill_failed, backfill_ready, backfill_started
from signalbox.errors import Misconfigured, Rejected, Transient

LEASE = timedelta(seconds=90)
"""Longer than the door's time-out (60 s), so that nobody holds it any more; shorter than Lambda's
two retries of an asynchronous call together (1 + 2 minutes), so that the second can take over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the table remembers of one version of a manifest.

    ``job_run_id`` is None until a run is known to exist; ``announced`` and ``reported`` note which
    events went out: BackfillStarted, and those of the run's end (by the run they were about).
    """

    source: ObjectRef
    workload: str
    run_key: str
    files: int
    claimed_at: datetime
    job_run_id: str | None = None
    announced: bool = False
    reported: str | None = None


def claim_id(source: ObjectRef) -> str:
    """Return the table's key for one version of a manifest."""
    return f"{source.bucket}/{source.key}/{source.version_id or ''}"


Step = Literal["start", "look-and-start", "announce", "nothing"]
Ending = Literal["ready", "failed", "ignored"]


def next_step(claim: Claim, mine: bool, now: datetime) -> Step:
    """Decide how to go on from the claim that stands; ``mine`` if this delivery wrote it.

    Raises:
        Transient: somebody else may be about to start the run.
    """
    if claim.announced:
        return "nothing"
    if claim.job_run_id is not None:
        return "announce"
    if mine:
        return "start"
    if now - claim.claimed_at < LEASE:
        raise Transient(
            f"{claim_id(claim.source)} was claimed at {claim.claimed_at.isoformat()} and its run "
            f"may be starting; its lease ends after {LEASE.seconds} s"
        )
    return "look-and-start"


class Claims(Protocol):
    """The table of claims. Every change is conditional: of two contenders one wins."""

    def claim(self, claim: Claim) -> Claim | None:
        """Write the claim if there is none; otherwise return the one that stands."""

    def get(self, claim_id: str) -> Claim | None:
        """Return what is known of a manifest."""

    def renew(self, claim: Claim, now: datetime) -> Claim:
        """Take over an expired claim.

        Raises:
            Transient: somebody else did in the meantime.
        """

    def started(self, claim: Claim, job_run_id: str) -> Claim:
        """Note the run."""

    def announced(self, claim: Claim) -> None:
        """Note that BackfillStarted went out."""

    def reported(self, claim: Claim, job_run_id: str) -> None:
        """Note that everything about the end of this run went out."""


class Job(Protocol):
    """The Glue job of the house."""

    def start(self, arguments: Mapping[str, str]) -> str:
        """Start a run and return its identifier."""

    def find(self, argument: str, value: str) -> str | None:
        """Return the identifier of a run that was started with this argument, if there is one."""


class Runs(Protocol):
    """Runs of any Glue job, and what they left behind."""

    def arguments(self, job_name: str, job_run_id: str) -> Mapping[str, str]:
        """Return the arguments a run was started with."""

    def report(self, workload: str, run_key: str) -> RunReport | None:
        """Return what the run says became of every file, or None if it wrote no report."""


class Manifests(Protocol):
    """Where manifests are read and history is counted."""

    def manifest(self, source: ObjectRef) -> Manifest:
        """Read this version of a manifest.

        Raises:
            Rejected: it is none.
        """

    def count(self, prefix: str) -> int:
        """Return how many files lie under a prefix."""


def arguments_of(claim: Claim) -> dict[str, str]:
    """Return what a run is told; the manifest's version is left out in an unversioned bucket."""
    told = {
        "--manifest-bucket": claim.source.bucket,
        "--manifest-key": claim.source.key,
        "--run-key": claim.run_key,
    }
    if claim.source.version_id is not None:
        told["--manifest-version"] = claim.source.version_id
    return told


@dataclass(frozen=True, slots=True)
class Backfill:
    """Everything a manifest meets until its run is under way."""

    workloads: Mapping[str, Workload]
    manifests: Manifests
    claims: Claims
    job: Job
    bus: Bus

    def start(self, source: ObjectRef, now: datetime) -> Step:
        """Start the run of this version of a manifest, once, and announce it.

        Raises:
            Rejected: the manifest can never be run.
            Transient: somebody else may be starting it.
        """
        standing = self.claims.get(claim_id(source))
        claim = standing or self._claim_for(source, now)
        if standing is None:
            standing = self.claims.claim(claim)
            claim = standing or claim
        step = next_step(claim, standing is None, now)
        if step == "look-and-start":
            claim = self.claims.renew(claim, now)
            found = self.job.find("--run-key", claim.run_key)
            claim = self.claims.started(claim, found or self.job.start(arguments_of(claim)))
        elif step == "start":
            claim = self.claims.started(claim, self.job.start(arguments_of(claim)))
        if step != "nothing":
            self._announce(claim)
        return step

    def _claim_for(self, source: ObjectRef, now: datetime) -> Claim:
        manifest = self.manifests.manifest(source)
        if manifest.workload not in self.workloads:
            raise Rejected(
                "unknown-workload",
                f"{source.key!r} asks for workload {manifest.workload!r}; "
                f"shipped are: {', '.join(sorted(self.workloads))}",
            )
        files = len(manifest.keys) if manifest.keys else self.manifests.count(manifest.prefix or "")
        if files == 0:
            raise Rejected(
                "empty-manifest", f"{source.key!r}: no file lies under {manifest.prefix!r}"
            )
        run = run_key(source.bucket, source.key, source.version_id)
        return Claim(source, manifest.workload, run, files, now)

    def _announce(self, claim: Claim) -> None:
        run = claim.job_run_id or ""
        self.bus.emit(
            backfill_started(claim.workload, claim.source, claim.run_key, run, claim.files)
        )
        self.claims.announced(claim)


class Rejections(Protocol):
    """Where reasons are kept for files that can never be processed."""

    def park(self, file: RejectedFile, at: datetime) -> None:
        """Write the reason under ``rejected/`` and emit FileRejected."""


@dataclass(frozen=True, slots=True)
class Debrief:
    """What is told when a run ends."""

    runs: Runs
    claims: Claims
    rejections: Rejections
    bus: Bus

    def tell(self, change: JobStateChange) -> Ending:
        """Announce what a run made of every file, or that it failed.

        Raises:
            Misconfigured: the run says it succeeded, but left no report.
        """
        run = change.detail
        told = self.runs.arguments(run.job_name, run.job_run_id)
        claim = self.claims.get("/".join(told.get(f"--manifest-{part}", "") for part in _ID))
        if claim is not None and claim.reported == run.job_run_id:
            return "ignored"
        if not change.succeeded:
            source, run_name = (claim.source, claim.run_key) if claim else (None, None)
            self.bus.emit(backfill_failed(change, source, run_name))
        elif claim is not None:
            self._report(change, claim)
        else:
            return "ignored"  # somebody's own run, without a manifest of ours
        if claim is not None:
            self.claims.reported(claim, run.job_run_id)
        return "ready" if change.succeeded else "failed"

    def _report(self, change: JobStateChange, claim: Claim) -> None:
        report = self.runs.report(claim.workload, claim.run_key)
        if report is None:
            raise Misconfigured(
                f"run {change.detail.job_run_id} of {change.detail.job_name} succeeded but left "
                f"no report for {claim.source.key!r}; look into its log, then start it again"
            )
        for file in report.rejected:
            self.rejections.park(file, change.time)
        self.bus.emit(*backfill_ready(report, claim.source))


_ID = ("bucket", "key", "version")
