"""What SageMaker says when a run of a pipeline, or one of its steps, has another status.

Source: SageMaker Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge". ARNs of
pipelines may come in lower case. Statuses are text: ``CompletedWithFailures`` (botocore,
PipelineExecutionStatus) is newer than that page, and others may follow.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, Field, model_validator

from signalbox.contracts.eventbridge import AWS, Envelope

EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
FAILED = frozenset({"Failed", "CompletedWithFailures"})

QUALITY_STEP = "ModelQuality"
"""The step of the batch pipeline that fails where a model is no longer good enough."""


def _aware(moment: datetime) -> datetime:
    """Take a time without a zone for UTC, as AWS means it."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]


class Change(BaseModel):
    """The detail of either event; ``step`` is None where the run itself changed.

    ``job`` is the ARN of the processing job that a step is, if it is one.
    """

    model_config = AWS

    pipeline: str = Field(alias="pipelineArn", pattern=r"^arn:.+:pipeline/[^/]+$")
    execution: str = Field(
        alias="pipelineExecutionArn", pattern=r"^arn:.+:pipeline/[^/]+/execution/[^/]+$"
    )
    status: str = Field(
        min_length=1,
        validation_alias=AliasChoices("currentPipelineExecutionStatus", "currentStepStatus"),
    )
    previous: str = Field(
        default="",
        validation_alias=AliasChoices("previousPipelineExecutionStatus", "previousStepStatus"),
    )
    started: Moment | None = Field(
        default=None, validation_alias=AliasChoices("executionStartTime", "stepStartTime")
    )
    ended: Moment | None = Field(
        default=None, validation_alias=AliasChoices("executionEndTime", "stepEndTime")
    )
    display_name: str = Field(default="", alias="pipelineExecutionDisplayName")
    step: str | None = Field(default=None, alias="stepName", min_length=1)
    step_type: str = Field(default="", alias="stepType")
    failure_reason: str = Field(default="", alias="failureReason")
    job: str | None = Field(
        default=None,
        validation_alias=AliasPath("metadata", "processingJob", "arn"),
        pattern=r"^arn:.+:processing-job/[^/]+$",
    )

    @property
    def pipeline_name(self) -> str:
        """The pipeline, as the event spells it."""
        return self.pipeline.rpartition("/")[2]

    @property
    def execution_id(self) -> str:
        """What tells runs of a pipeline apart."""
        return self.execution.rpartition("/")[2]

    @property
    def failed(self) -> bool:
        """Whether it went wrong, wholly or in part."""
        return self.status in FAILED


class PipelineChange(Envelope):
    """A run of a pipeline, or a step of it, has another status."""

    source: Literal["aws.sagemaker"]
    detail_type: Literal[
        "SageMaker Model Building Pipeline Execution Status Change",
        "SageMaker Model Building Pipeline Execution Step Status Change",
    ] = Field(alias="detail-type")
    detail: Change

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if (self.detail_type == STEP) != (self.detail.step is not None):
            raise ValueError("stepName belongs to a change of a step, and only there")
        return self


class StepChange(PipelineChange):
    """A step of a pipeline has another status."""

    detail_type: Literal["SageMaker Model Building Pipeline Execution Step Status Change"] = Field(
        alias="detail-type"
    )
