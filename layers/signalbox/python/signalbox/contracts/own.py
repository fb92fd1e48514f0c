"""The events of the house: bus ``SignalboxBus``, source ``signalbox``, detail-type = class name.

Strict in both directions: what is not declared here is neither sent nor accepted.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from signalbox.contracts.alerts import Tally, Time, Verdict
from signalbox.contracts.cards import Access, Stage
from signalbox.contracts.datasets import Pipeline
from signalbox.contracts.keys import FleetKind
from signalbox.contracts.model_events import (
    DeployCalled,
    DeployCallFailed,
    ModelPendingApproval,
    ModelPromoted,
    PromotionFailed,
)
from signalbox.contracts.monitoring import Described
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.own_event import SOURCE, Count, OwnEvent, Said
from signalbox.contracts.scoring import Moved, Probability

__all__ = [
    "OWN_EVENTS",
    "SOURCE",
    "BackfillFailed",
    "BackfillStarted",
    "CycleFeaturesReady",
    "CycleFeaturesWithdrawn",
    "DataQualityViolated",
    "DeployCallFailed",
    "DeployCalled",
    "FaultPredicted",
    "FeedbackRecorded",
    "FileRejected",
    "FleetRecordsMerged",
    "FleetScored",
    "ModelCardDrafted",
    "ModelCardShared",
    "ModelCardUnshared",
    "ModelPendingApproval",
    "ModelPromoted",
    "ObjectRef",
    "OwnEvent",
    "PipelineRefused",
    "PipelineStarted",
    "PredictionsJudged",
    "PromotionFailed",
    "RetuneStarted",
    "RetuneSuppressed",
    "Said",
    "ScoringFailed",
    "ScoringStarted",
]

Suppression = Literal["cooldown", "limit", "off", "never-trained", "not-deployed"]


class CycleFeaturesReady(OwnEvent):
    """Cycles can be read: the fragment of one sensor file, or the features of one backfill run.

    ``source`` is the sensor file or the manifest; ``output_key`` the fragment or the run's report.
    ``cycles`` counts what closed inside; the undecided head and tail of a file are not in it.
    """

    workload: str
    origin: Literal["sensor-file", "backfill"]
    units: list[str]
    cycles: Count
    rows: Count
    start: AwareDatetime
    end: AwareDatetime
    source: ObjectRef
    output_key: str


class CycleFeaturesWithdrawn(OwnEvent):
    """What a sensor file contributed counts no longer; ``output_key`` is its tombstone."""

    workload: str
    source: ObjectRef
    output_key: str


class FileRejected(OwnEvent):
    """A file can never be processed; ``rejected_key`` says the same, the file itself is kept."""

    workload: str | None
    source: ObjectRef
    reason: str
    message: str
    rejected_key: str
    column: str | None = None
    row: int | None = None
    line: int | None = None
    row_group: int | None = None


class FaultPredicted(OwnEvent):
    """A unit is expected to fail, and its dealer was told: once an episode.

    ``model`` is the version that says so; ``at`` and ``cycle`` are those of the score that set it off. What
    the registry knew of the unit is None where it was not in it.
    """

    workload: str
    unit: str
    episode: str
    model: str
    probability: Probability
    threshold: Probability
    time: Time
    horizon: float
    at: AwareDatetime
    cycle: int
    dealer: str | None
    location: str | None
    unit_model: str | None
    moved: list[Moved]


class FeedbackRecorded(OwnEvent):
    """Somebody's verdict on an alert stands, and is kept under ``feedback_key``."""

    workload: str
    unit: str
    episode: str
    model: str
    verdict: Verdict
    by: str
    at: AwareDatetime
    feedback_key: str


class PredictionsJudged(OwnEvent):
    """Predictions matured and were held against the fault log; ``models`` count all so far."""

    workload: str
    date: str
    judged: Count
    models: list[Tally]
    output_key: str


class BackfillStarted(OwnEvent):
    """A manifest started a run of the Glue job; ``files`` are what it named at that moment."""

    workload: str
    source: ObjectRef
    run_key: str
    job_run_id: str
    files: Count


class BackfillFailed(OwnEvent):
    """A run ended without doing what it was asked to.

    ``source`` and ``run_key`` are None where somebody started the job without a manifest.
    """

    source: ObjectRef | None
    run_key: str | None
    job_name: str
    job_run_id: str
    state: str
    message: str


class FleetRecordsMerged(OwnEvent):
    """A file about the fleet was read: ``rows`` records of ``units`` units.

    ``changed`` counts those that stand as this file has them; of the others a newer file knew more.
    """

    workload: str
    kind: FleetKind
    units: Count
    rows: Count
    changed: Count
    source: ObjectRef


class ScoringStarted(OwnEvent):
    """The windows of a scoring run are made, and the model is being asked about them."""

    workload: str
    run: str
    model: str
    units: Count


class FleetScored(OwnEvent):
    """A scoring run is done: ``units`` have a score, ``skipped`` could have none.

    ``model`` is the version; the manifest says which units were skipped, and why.
    """

    workload: str
    run: str
    model: str
    units: Count
    skipped: Count
    manifest_key: str


class ScoringFailed(OwnEvent):
    """A job of a scoring run ended badly; ``again`` says whether its units are tried once more.

    ``stage`` is what the job was to make.
    """

    workload: str
    run: str
    stage: Literal["windows", "scores"]
    job_name: str
    status: str
    reason: str
    again: bool


class ModelCardDrafted(OwnEvent):
    """A card that was begun as a draft is with those who may edit drafts: it may be filled.

    ``package`` is the ARN of the version that the card tells of. It is said until the card is filled, at
    each change of the card and every hour, so that no draft is left behind by an event that was lost.
    """

    workload: str
    card: str
    card_arn: str
    package: str


class ModelCardShared(OwnEvent):
    """An account may see a model card, or see and change it.

    An account that a card is shared with cannot list it, so it must be told the ARN and the Region.
    ``permission`` is the ARN of the permission in AWS RAM; where AWS RAM has none that only reads, the
    account has a copy instead: ``permission`` is None and ``copy_prefix`` says where in the data bucket.
    """

    workload: str
    card: str
    card_arn: str
    region: str
    stage: Stage
    account: str
    access: Access
    permission: str | None
    copy_prefix: str | None


class ModelCardUnshared(OwnEvent):
    """An account may no longer see a model card."""

    workload: str
    card: str
    card_arn: str
    region: str
    stage: Stage
    account: str


class PipelineStarted(OwnEvent):
    """A run of a pipeline began; ``run`` names its folder under ``operations/``.

    ``why``: ``files`` came, or a ``schedule`` was due and takes the files of the latest run.
    """

    workload: str
    pipeline: Pipeline
    run: str
    execution: str
    files: Count
    why: Literal["files", "schedule"] = "files"


class PipelineRefused(OwnEvent):
    """Data files, or a schedule, can become no run; nothing began, those of ``inputs_key`` are consumed."""

    workload: str
    run: str
    inputs_key: str
    message: str


class DataQualityViolated(OwnEvent):
    """The data that a run was given is not what its model was trained on; nothing was stopped.

    ``violations`` are the first of ``count``; ``source`` is the file that holds all of them.
    """

    workload: str
    run: str
    count: Count
    violations: list[Described]
    source: ObjectRef


class RetuneStarted(OwnEvent):
    """A model failed its quality check, and the tune pipeline was started for its workload.

    ``run`` and ``execution`` are those of the batch inference that failed, ``tune_run`` and
    ``tune_execution`` what was started, on the ``inputs`` of the latest good training. It is the
    ``retunes``-th within the guard's days.
    """

    workload: str
    run: str
    execution: str
    tune_run: str
    tune_execution: str
    inputs: str
    retunes: Count


class RetuneSuppressed(OwnEvent):
    """A model failed its quality check, and nothing was started.

    ``reason`` is ``cooldown`` or ``limit`` of the guard, ``off`` where its limit is 0,
    ``never-trained`` where no training has succeeded yet, so that there is nothing to tune on, or
    ``not-deployed`` where the pipeline that tunes is not there.
    ``until`` is when a retune may start again, None if time alone will not help; ``retunes`` counts
    those within the guard's days.
    """

    workload: str
    run: str
    execution: str
    reason: Suppression
    until: AwareDatetime | None
    retunes: Count


OWN_EVENTS: dict[str, type[OwnEvent]] = {
    event.detail_type(): event
    for event in (
        CycleFeaturesReady,
        CycleFeaturesWithdrawn,
        FileRejected,
        FaultPredicted,
        FeedbackRecorded,
        PredictionsJudged,
        BackfillStarted,
        BackfillFailed,
        FleetRecordsMerged,
        ScoringStarted,
        FleetScored,
        ScoringFailed,
        ModelCardDrafted,
        ModelCardShared,
        ModelCardUnshared,
        PipelineStarted,
        PipelineRefused,
        DataQualityViolated,
        RetuneStarted,
        RetuneSuppressed,
        ModelPendingApproval,
        ModelPromoted,
        PromotionFailed,
        DeployCalled,
        DeployCallFailed,
    )
}
"""Every event of the house by its detail-type."""
