"""What the template tells each door: one class a door, one field a variable of its environment.

The only place in the package that reads the environment: on a door's first event, not at import.
"""

from __future__ import annotations

import os
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.errors import Misconfigured


class DoorSettings(BaseModel):
    """What every door is told (``Globals`` of the template)."""

    model_config = ConfigDict(frozen=True)

    door: ClassVar[str] = ""

    data_bucket: str = Field(min_length=1)
    bus_name: str = Field(min_length=1)


class OnceSettings(DoorSettings):
    """What a door is told that handles each version of an object once."""

    idempotency_table: str = Field(min_length=1)


class OnSensorFileSettings(OnceSettings):
    """What on_sensor_file is told."""

    door = "on_sensor_file"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)


class OnSensorFileDeletedSettings(DoorSettings):
    """What on_sensor_file_deleted is told."""

    door = "on_sensor_file_deleted"


class OnFleetRecordSettings(DoorSettings):
    """What on_fleet_record is told."""

    door = "on_fleet_record"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    fleet_table: str = Field(min_length=1)


class OnBackfillSettings(DoorSettings):
    """What on_backfill is told."""

    door = "on_backfill"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    backfill_table: str = Field(min_length=1)
    glue_job: str = Field(min_length=1)


class OnGlueJobChangeSettings(DoorSettings):
    """What on_glue_job_change is told."""

    door = "on_glue_job_change"

    backfill_table: str = Field(min_length=1)


class OnScoresSettings(DoorSettings):
    """What on_scores is told; ``portal_url`` may be empty."""

    door = "on_scores"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    episode_table: str = Field(min_length=1)
    fleet_table: str = Field(min_length=1)
    alerts_topic: str = Field(min_length=1)
    portal_url: str = ""


class OnAlertSentSettings(DoorSettings):
    """What on_alert_sent is told."""

    door = "on_alert_sent"

    episode_table: str = Field(min_length=1)


class OnFeedbackSettings(DoorSettings):
    """What on_feedback is told."""

    door = "on_feedback"

    episode_table: str = Field(min_length=1)


class JudgePredictionsSettings(DoorSettings):
    """What judge_predictions is told."""

    door = "judge_predictions"

    episode_table: str = Field(min_length=1)
    fleet_table: str = Field(min_length=1)


class ScoreFleetSettings(DoorSettings):
    """What score_fleet is told."""

    door = "score_fleet"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    scoring_table: str = Field(min_length=1)


class ScoreAllUnitsSettings(DoorSettings):
    """What score_all_units is told."""

    door = "score_all_units"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    scoring_table: str = Field(min_length=1)


class StartScoringSettings(DoorSettings):
    """What start_scoring is told."""

    door = "start_scoring"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    kernel_key: str = Field(min_length=1)
    scoring_table: str = Field(min_length=1)
    fleet_table: str = Field(min_length=1)
    programs_image: str = Field(min_length=1)
    windows_job_role: str = Field(min_length=1)
    windows_instance_type: str = Field(min_length=1)


class OnWindowsFailedSettings(DoorSettings):
    """What on_windows_failed is told."""

    door = "on_windows_failed"

    scoring_table: str = Field(min_length=1)


class OnWindowsSettings(DoorSettings):
    """What on_windows is told."""

    door = "on_windows"

    onnx_inference_image: str = Field(min_length=1)
    inference_role: str = Field(min_length=1)
    inference_instance_type: str = Field(min_length=1)
    inference_device: str = Field(min_length=1)


class OnScoringChangeSettings(DoorSettings):
    """What on_scoring_change is told."""

    door = "on_scoring_change"

    scoring_table: str = Field(min_length=1)


class OnPackageCardSettings(DoorSettings):
    """What on_package_card is told; ``card_key`` may be empty: AWS's own key then."""

    door = "on_package_card"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    card_key: str = ""


class SharingSettings(DoorSettings):
    """What a door is told that shares cards.

    A stage's account may be empty: nothing is shared with it. ``owner`` is the beginning of a card's ARN
    in this account: ``arn:aws:sagemaker:<region>:<account>``.
    """

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    owner: str = Field(pattern=r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}$")
    dev_account: str = ""
    test_account: str = ""
    prod_account: str = ""
    hub_account: str = ""
    external_accounts: str = Field(pattern="^(true|false)$")


class OnModelCardChangeSettings(SharingSettings):
    """What on_model_card_change is told."""

    door = "on_model_card_change"


class MendSharesSettings(SharingSettings):
    """What mend_shares is told."""

    door = "mend_shares"


class AcceptShareSettings(DoorSettings):
    """What accept_share is told (``consumer.yaml``)."""

    door = "accept_share"

    owner_account: str = Field(pattern=r"^\d{12}$")


class OnDatasetSettings(DoorSettings):
    """What on_dataset is told."""

    door = "on_dataset"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)


class StartPipelinesSettings(DoorSettings):
    """What start_pipelines is told."""

    door = "start_pipelines"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    kernel_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    train_pipeline: str = Field(min_length=1)
    batch_pipeline: str = Field(min_length=1)
    programs_image: str = Field(min_length=1)
    onnx_inference_image: str = Field(min_length=1)
    pipeline_job_role: str = Field(min_length=1)
    pipeline_instance_type: str = Field(min_length=1)
    find_model: str = Field(min_length=1)


class FindModelSettings(DoorSettings):
    """What find_model is told."""

    door = "find_model"

    operations_table: str = Field(min_length=1)


class OnPipelineChangeSettings(DoorSettings):
    """What on_pipeline_change is told."""

    door = "on_pipeline_change"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    train_pipeline: str = Field(min_length=1)


class OnQualityFailureSettings(DoorSettings):
    """What on_quality_failure is told."""

    door = "on_quality_failure"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    tune_pipeline: str = Field(min_length=1)
    onnx_inference_image: str = Field(min_length=1)


class OnQualityReportSettings(DoorSettings):
    """What on_quality_report is told."""

    door = "on_quality_report"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)


class PromotionSettings(DoorSettings):
    """What a door is told that brings models into service."""

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    endpoint_role: str = Field(min_length=1)
    endpoint_instance_type: str = Field(min_length=1)
    endpoint_device: str = Field(min_length=1)


class OnModelPackageSettings(PromotionSettings):
    """What on_model_package is told."""

    door = "on_model_package"


class OnEndpointChangeSettings(PromotionSettings):
    """What on_endpoint_change is told."""

    door = "on_endpoint_change"


class OnModelPromotedSettings(DoorSettings):
    """What on_model_promoted is told; ``deploy_hosts`` are separated by commas, and may be none."""

    door = "on_model_promoted"

    artifact_bucket: str = Field(min_length=1)
    workloads_key: str = Field(min_length=1)
    operations_table: str = Field(min_length=1)
    models_topic: str = Field(min_length=1)
    deploy_hosts: str = ""


SettingsT = TypeVar("SettingsT", bound=DoorSettings)


def load(settings: type[SettingsT]) -> SettingsT:
    """Read a door's settings from its environment.

    Raises:
        Misconfigured: a variable is missing.
    """
    environment = os.environ  # noqa: TID251 - here, and nowhere else
    told = {
        name: environment[name.upper()]
        for name in settings.model_fields
        if name.upper() in environment
    }
    try:
        return settings.model_validate(told)
    except ValidationError as problem:
        raise Misconfigured(
            f"{settings.door}: environment variable {complaint(problem).upper()}; see template.yaml"
        ) from None
