"""The windows of a run are made: the model is asked about them; and what became of that is told.

The model's and the job's names follow from the run, so a repeat finds both and starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from signalbox.contracts.keys import parse_windows_manifest_key
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.sagemaker import TransformJobChange, run_of
from signalbox.contracts.scoring import CurrentModel, WindowsManifest
from signalbox.domain.announce import Bus, fleet_scored, scoring_started
from signalbox.domain.scoring import Failed, Retry
from signalbox.errors import Misconfigured, Rejected

Asked = Literal["scoring", "nothing-to-score", "ignored"]


class Windows(Protocol):
    """What the windows program wrote."""

    def manifest(self, workload: str, run: str) -> WindowsManifest | None:
        """Return a run's manifest, or None if it wrote none (or it is gone).

        Raises:
            Misconfigured: it is not what this door understands.
        """


class Inference(Protocol):
    """The model container."""

    def serve(self, model: CurrentModel) -> str:
        """Make the model known unless it is; return its name."""

    def start(self, model_name: str, windows: WindowsManifest) -> None:
        """Start the transform job of a run unless it exists."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Everything the windows of a run meet."""

    windows: Windows
    inference: Inference
    bus: Bus

    def about(self, source: ObjectRef) -> Asked:
        """Have the windows of a manifest scored, once, and say so.

        Raises:
            Rejected: the manifest is not where a run's manifest is.
            Misconfigured: it speaks of another run, or of another workload's model.
        """
        try:
            workload, run = parse_windows_manifest_key(source.key)
        except ValueError as problem:
            raise Rejected("bad-key", str(problem)) from problem
        found = self.windows.manifest(workload, run)
        if found is None:
            return "ignored"  # deleted since
        if (found.workload, found.run) != (workload, run):
            raise Misconfigured(
                f"{source.key!r} speaks of run {found.run} of {found.workload!r}; look into the "
                "windows job's log"
            )
        if found.units == 0:
            self.bus.emit(fleet_scored(found))
            return "nothing-to-score"
        self.inference.start(self.inference.serve(found.model), found)
        self.bus.emit(scoring_started(found))
        return "scoring"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told when a transform job ends."""

    windows: Windows
    retry: Retry

    def tell(self, change: TransformJobChange) -> Literal["scored"] | Failed:
        """Announce that a fleet was scored, or that it was not.

        Raises:
            Misconfigured: the run's windows are gone.
        """
        job = change.detail
        if not change.completed:
            return self.retry.failed("scores", (job.job_name, job.status, job.failure_reason))
        run = run_of(job.job_name)
        workload = self.retry.table.workload_of(run) if run else None
        if run is None or workload is None:
            return "ignored"  # somebody else's job under a name like ours
        found = self.windows.manifest(workload, run)
        if found is None:
            raise Misconfigured(
                f"{job.job_name} scored run {run} of {workload!r}, whose windows are gone; "
                "keep windows/ for as long as jobs run"
            )
        self.retry.bus.emit(fleet_scored(found))
        return "scored"
