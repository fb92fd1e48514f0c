"""The one place where events of the house are built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from signalbox.contracts.alerts import Episode, Feedback, JudgementReport
from signalbox.contracts.backfill import RunReport
from signalbox.contracts.glue import JobStateChange
from signalbox.contracts.keys import (
    FleetKind,
    feedback_key,
    judgements_key,
    parse_fleet_key,
    rejected_key,
    report_key,
    windows_manifest_key,
    workload_of,
)
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.operation_keys import parse_dataset_key
from signalbox.contracts.own import (
    BackfillFailed,
    BackfillStarted,
    CycleFeaturesReady,
    CycleFeaturesWithdrawn,
    FaultPredicted,
    FeedbackRecorded,
    FileRejected,
    FleetRecordsMerged,
    FleetScored,
    OwnEvent,
    PredictionsJudged,
    ScoringFailed,
    ScoringStarted,
)
from signalbox.contracts.rejection import Rejection
from signalbox.contracts.scoring import WindowsManifest
from signalbox.domain.recording import Cut


class Bus(Protocol):
    """Where events of the house are heard."""

    def emit(self, *events: OwnEvent) -> None:
        """Put the events on the bus, in order, at least once."""


def features_ready(workload: str, source: ObjectRef, cut: Cut, output_key: str) -> OwnEvent:
    """One sensor file's fragment is written."""
    return CycleFeaturesReady(
        workload=workload,
        origin="sensor-file",
        units=sorted(cut.units),
        cycles=cut.cycles,
        rows=cut.rows,
        start=cut.start,
        end=cut.end,
        source=source,
        output_key=output_key,
    )


def features_withdrawn(workload: str, source: ObjectRef, output_key: str) -> OwnEvent:
    """A sensor file is gone, and its tombstone is written."""
    return CycleFeaturesWithdrawn(workload=workload, source=source, output_key=output_key)


def file_rejected(rejection: Rejection) -> OwnEvent:
    """A file can never be processed; its rejection is written."""
    source = rejection.source
    return FileRejected(
        workload=_workload(source.key),
        rejected_key=rejected_key(source.key),
        **rejection.model_dump(exclude={"at"}),
    )


def _workload(key: str) -> str | None:
    named = (
        workload_of,
        lambda key: parse_fleet_key(key)[1],
        lambda key: parse_dataset_key(key)[1],
    )
    for name in named:
        try:
            return name(key)
        except ValueError:
            continue
    return None  # a manifest, or a file outside every workload


def fault_predicted(episode: Episode) -> OwnEvent:
    """A unit's alert was sent."""
    return FaultPredicted(
        workload=episode.workload,
        unit=episode.unit,
        episode=episode.id,
        model=episode.model,
        probability=episode.probability,
        threshold=episode.threshold,
        time=episode.time,
        horizon=episode.horizon,
        at=episode.at,
        cycle=episode.cycle,
        dealer=episode.dealer,
        location=episode.location,
        unit_model=episode.unit_model,
        moved=episode.moved,
    )


def feedback_recorded(episode: Episode, feedback: Feedback) -> OwnEvent:
    """Somebody's verdict on an alert is kept."""
    return FeedbackRecorded(
        workload=episode.workload,
        unit=episode.unit,
        episode=episode.id,
        model=episode.model,
        verdict=feedback.verdict,
        by=feedback.by,
        at=feedback.at,
        feedback_key=feedback_key(episode.workload, episode.id),
    )


def predictions_judged(report: JudgementReport) -> OwnEvent:
    """A day's judging of one workload is written down."""
    return PredictionsJudged(
        workload=report.workload,
        date=report.date,
        judged=len(report.episodes),
        models=report.models,
        output_key=judgements_key(report.workload, report.date),
    )


def backfill_started(
    workload: str, source: ObjectRef, run_key: str, job_run_id: str, files: int
) -> OwnEvent:
    """A manifest's run was started."""
    return BackfillStarted(
        workload=workload, source=source, run_key=run_key, job_run_id=job_run_id, files=files
    )


def backfill_failed(
    change: JobStateChange, source: ObjectRef | None, run_key: str | None
) -> OwnEvent:
    """A run ended without a report to trust."""
    run = change.detail
    return BackfillFailed(
        source=source,
        run_key=run_key,
        job_name=run.job_name,
        job_run_id=run.job_run_id,
        state=run.state,
        message=run.message,
    )


def backfill_ready(report: RunReport, source: ObjectRef) -> Sequence[OwnEvent]:
    """A run wrote its features; nothing to announce if it accepted no file."""
    if report.start is None or report.end is None:
        return []
    return [
        CycleFeaturesReady(
            workload=report.workload,
            origin="backfill",
            units=sorted(report.units),
            cycles=report.cycles,
            rows=report.rows,
            start=report.start,
            end=report.end,
            source=source,
            output_key=report_key(report.workload, report.run_key),
        )
    ]


def fleet_records_merged(
    workload: str, kind: FleetKind, source: ObjectRef, units: int, rows: int, changed: int
) -> OwnEvent:
    """A file about the fleet was merged."""
    return FleetRecordsMerged(
        workload=workload, kind=kind, units=units, rows=rows, changed=changed, source=source
    )


def scoring_started(windows: WindowsManifest) -> OwnEvent:
    """The model is being asked about a run's windows."""
    return ScoringStarted(
        workload=windows.workload,
        run=windows.run,
        model=windows.model.schema_.version,
        units=windows.units,
    )


def fleet_scored(windows: WindowsManifest) -> OwnEvent:
    """Every window of a run has its score, or there was none to be had."""
    return FleetScored(
        workload=windows.workload,
        run=windows.run,
        model=windows.model.schema_.version,
        units=windows.units,
        skipped=len(windows.skipped),
        manifest_key=windows_manifest_key(windows.workload, windows.run),
    )


def scoring_failed(
    workload: str,
    run: str,
    stage: Literal["windows", "scores"],
    job: tuple[str, str, str],
    *,
    again: bool,
) -> OwnEvent:
    """A job of a run ended badly; ``job`` is its name, its status and the reason."""
    name, status, reason = job
    return ScoringFailed(
        workload=workload,
        run=run,
        stage=stage,
        job_name=name,
        status=status,
        reason=reason,
        again=again,
    )
