"""The events of the house: bus ``SignalboxBus``, source ``signalbox``, detail-type = class name.

Strict in both directions: what is not declared here is neither sent nor accepted.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from signalbox.contracts.alerts import Tally, Time, Verdict
from signalbox.contracts.eventbridge import Envelope
from signalbox.contracts.keys import FleetKind
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.scoring import Moved, Probability

__all__ = [
    "OWN_EVENTS",
    "SOURCE",
    "BackfillFailed",
    "BackfillStarted",
    "CycleFeaturesReady",
    "CycleFeaturesWithdrawn",
    "DeployCallFailed",
    "DeployCalled",
    "FaultPredicted",
    "FeedbackRecorded",
    "FileRejected",
    "FleetRecordsMerged",
    "FleetScored",
    "ModelPendingApproval",
    "ModelPromoted",
    "ObjectRef",
    "OwnEvent",
    "PredictionsJudged",
    "PromotionFailed",
    "Said",
    "ScoringFailed",
    "ScoringStarted",
]

SOURCE = "signalbox"

Count = Annotated[int, Field(ge=0)]


class OwnEvent(BaseModel):
    """An event of the house."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def detail_type(cls) -> str:
        """The detail-type that rules match: the name of the class."""
        return cls.__name__


OwnT = TypeVar("OwnT", bound=OwnEvent)


class Said(Envelope, Generic[OwnT]):
    """An event of the house as the bus delivers it: ``Said[CycleFeaturesReady]``."""

    source: Literal["signalbox"]
    detail: OwnT

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if self.detail_type != self.detail.detail_type():
            raise ValueError(f"detail-type is not {self.detail.detail_type()}")
        return self


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


class ModelPendingApproval(OwnEvent):
    """A model package waits for somebody's decision, and its owner was told.

    ``approved`` is the package that counts now, ``approved_metrics`` are its numbers; none if there is none.
    """

    workload: str
    package: str
    version: Count
    retuned: bool
    metrics: dict[str, float]
    approved: str | None
    approved_metrics: dict[str, float]


class ModelPromoted(OwnEvent):
    """A model is in service: it is the latest approved one, and answers where there is an endpoint.

    ``promotion`` is its name everywhere, with ``began`` that of this attempt; ``endpoint`` None where the
    workload has none; ``former`` the package that was promoted before.
    """

    workload: str
    promotion: str
    began: AwareDatetime
    package: str
    version: Count
    run: str | None
    endpoint: str | None
    former: str | None


class PromotionFailed(OwnEvent):
    """A model did not come into service; ``serving`` is the endpoint configuration that answers.

    ``serving`` None: nothing does, because nothing did before.
    """

    workload: str
    promotion: str
    package: str
    version: Count
    endpoint: str
    serving: str | None
    reason: str


class DeployCalled(OwnEvent):
    """The deploy pipeline of a promoted model was called, and took the call."""

    workload: str
    promotion: str
    package: str
    service: Literal["gitlab", "github"]
    host: str
    project: str


class DeployCallFailed(OwnEvent):
    """The deploy pipeline of a promoted model could not be called; the model is in service even so."""

    workload: str
    promotion: str
    package: str
    service: Literal["gitlab", "github"]
    host: str
    project: str
    reason: str


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
        ModelPendingApproval,
        ModelPromoted,
        PromotionFailed,
        DeployCalled,
        DeployCallFailed,
    )
}
"""Every event of the house by its detail-type."""
