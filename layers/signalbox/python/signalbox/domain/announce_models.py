"""Where events of the house about models in operation are built; `announce` builds the others."""

from __future__ import annotations

from typing import Literal

from signalbox.contracts.cards import Access, Stage
from signalbox.contracts.datasets import Pipeline
from signalbox.contracts.monitoring import Described
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.operations import Deploy
from signalbox.contracts.own import (
    DataQualityViolated,
    DeployCalled,
    DeployCallFailed,
    ModelCardDrafted,
    ModelCardShared,
    ModelCardUnshared,
    ModelPendingApproval,
    ModelPromoted,
    OwnEvent,
    PipelineRefused,
    PipelineStarted,
    PromotionFailed,
    RetuneStarted,
    RetuneSuppressed,
    Suppression,
)
from signalbox.contracts.packages import Metrics, Package, group_and_version, promotion_of
from signalbox.contracts.promotion import Flight
from signalbox.domain.retune_guard import Decision


def card_shared(
    workload: str,
    card: tuple[str, str, str],
    to: tuple[Stage, str, Access],
    permission: str | None,
    copy_prefix: str | None,
) -> ModelCardShared:
    """A stage's account may use a card; ``card`` is its name, its ARN and its Region."""
    name, arn, region = card
    stage, account, access = to
    return ModelCardShared(
        workload=workload,
        card=name,
        card_arn=arn,
        region=region,
        stage=stage,
        account=account,
        access=access,
        permission=permission,
        copy_prefix=copy_prefix,
    )


def card_drafted(workload: str, card: tuple[str, str], package: str) -> OwnEvent:
    """A draft may be filled; ``card`` is its name and its ARN."""
    name, arn = card
    return ModelCardDrafted(workload=workload, card=name, card_arn=arn, package=package)


def card_unshared(workload: str, card: tuple[str, str, str], of: tuple[Stage, str]) -> OwnEvent:
    """A stage's account may use a card no longer; ``card`` as above."""
    name, arn, region = card
    stage, account = of
    return ModelCardUnshared(
        workload=workload, card=name, card_arn=arn, region=region, stage=stage, account=account
    )


def pipeline_started(
    workload: str,
    pipeline: Pipeline,
    run: str,
    execution: str,
    files: int,
    *,
    why: Literal["files", "schedule"] = "files",
) -> OwnEvent:
    """A run of a pipeline began, for files that came or by a schedule."""
    return PipelineStarted(
        workload=workload, pipeline=pipeline, run=run, execution=execution, files=files, why=why
    )


def pipeline_refused(workload: str, run: str, inputs: str, message: str) -> OwnEvent:
    """Files can become no run."""
    return PipelineRefused(workload=workload, run=run, inputs_key=inputs, message=message)


def data_quality_violated(
    workload: str, run: str, count: int, first: list[Described], source: ObjectRef
) -> OwnEvent:
    """The data of a run violates constraints of its model."""
    return DataQualityViolated(
        workload=workload, run=run, count=count, violations=first, source=source
    )


def retune_started(decision: Decision) -> OwnEvent:
    """A retune was decided and started."""
    return RetuneStarted(
        workload=decision.workload,
        run=decision.run,
        execution=decision.execution,
        tune_run=decision.tune_run,
        tune_execution=decision.tune_execution or "",
        inputs=decision.trained.inputs if decision.trained else "",
        retunes=decision.verdict.retunes,
    )


def retune_suppressed(decision: Decision, reason: Suppression) -> OwnEvent:
    """A failed quality check starts nothing."""
    verdict = decision.verdict
    return RetuneSuppressed(
        workload=decision.workload,
        run=decision.run,
        execution=decision.execution,
        reason=reason,
        until=verdict.until,
        retunes=verdict.retunes,
    )


def model_pending(
    workload: str, package: Package, metrics: Metrics, approved: Package | None, known: Metrics
) -> ModelPendingApproval:
    """A package waits for a decision; ``known`` are the numbers of the one approved now."""
    return ModelPendingApproval(
        workload=workload,
        package=package.arn,
        version=package.version,
        retuned=package.retuned,
        metrics=metrics,
        approved=approved.arn if approved else None,
        approved_metrics=known,
    )


def model_promoted(
    workload: str, flight: Flight, run: str | None, endpoint: str | None, former: str | None
) -> ModelPromoted:
    """A model is in service."""
    return ModelPromoted(
        workload=workload,
        promotion=promotion_of(flight.package),
        began=flight.began,
        package=flight.package,
        version=group_and_version(flight.package)[1],
        run=run,
        endpoint=endpoint,
        former=former,
    )


def promotion_failed(
    workload: str, flight: Flight, endpoint: str, serving: str | None, reason: str
) -> PromotionFailed:
    """A model did not come into service."""
    return PromotionFailed(
        workload=workload,
        promotion=promotion_of(flight.package),
        package=flight.package,
        version=group_and_version(flight.package)[1],
        endpoint=endpoint,
        serving=serving,
        reason=reason,
    )


def deploy_called(promoted: ModelPromoted, deploy: Deploy) -> DeployCalled:
    """A deploy pipeline took the call."""
    return DeployCalled(
        workload=promoted.workload,
        promotion=promoted.promotion,
        package=promoted.package,
        service=deploy.service,
        host=deploy.host,
        project=deploy.project,
    )


def deploy_call_failed(promoted: ModelPromoted, deploy: Deploy, reason: str) -> DeployCallFailed:
    """A deploy pipeline was not called, or nobody knows."""
    return DeployCallFailed(
        workload=promoted.workload,
        promotion=promoted.promotion,
        package=promoted.package,
        service=deploy.service,
        host=deploy.host,
        project=deploy.project,
        reason=reason,
    )
