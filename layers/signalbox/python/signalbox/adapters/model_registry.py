"""Versions of models in the registry, the jobs that trained them, and how they were evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.adapters.objects import Objects
from signalbox.contracts.cards import Approval
from signalbox.contracts.registry import counts
from signalbox.domain.card_content import Package, Training
from signalbox.errors import Rejected

_GONE = frozenset({"ValidationException", "ResourceNotFound", "ResourceNotFoundException"})
"""What SageMaker answers where there is no such package: it names no code for that."""


class ModelRegistry:
    """The model packages of this account.

    An approval counts as in `signalbox.contracts.registry`: a version that was retuned waits for a board.

    Args:
        objects: the data bucket, where evaluations lie.
        packages: beginning of the ARN of every package: ``arn:aws:sagemaker:R:A:model-package/``.
        client: of SageMaker.
    """

    def __init__(self, objects: Objects, packages: str, client: Any = None) -> None:
        self._objects = objects
        self._packages = packages
        self._sagemaker = client or connect("sagemaker")

    def package(self, arn: str) -> Package | None:
        """Return a version of a workload's models, or None if it is gone."""
        found = self._describe(arn)
        if found is None:
            return None
        metadata = dict(found.get("CustomerMetadataProperties", {}))
        containers = found.get("InferenceSpecification", {}).get("Containers", [])
        quality = found.get("ModelMetrics", {}).get("ModelQuality", {})
        return Package(
            arn=found["ModelPackageArn"],
            group=found["ModelPackageGroupName"],
            version=int(found["ModelPackageVersion"]),
            approval=_approval(found),
            workload=metadata.pop("workload", ""),
            metadata=metadata,
            images=tuple(each["Image"] for each in containers if "Image" in each),
            artifacts=tuple(each["ModelDataUrl"] for each in containers if "ModelDataUrl" in each),
            evaluation=quality.get("Statistics", {}).get("S3Uri"),
            execution=found.get("MetadataProperties", {}).get("GeneratedBy"),
            created=found["CreationTime"],
        )

    def approval(self, group: str, version: int) -> Approval | None:
        """Return whether a version is approved, or None if there is none."""
        found = self._describe(f"{self._packages}{group}/{version}")
        return None if found is None else _approval(found)

    def newest_approved(self, group: str) -> int | None:
        """Return the newest version of a group whose approval counts, or None."""
        with calling("sagemaker:ListModelPackages", f"model package group {group}"):
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group, ModelApprovalStatus="Approved"
            )
            versions = [
                int(each["ModelPackageVersion"])
                for page in pages
                for each in page["ModelPackageSummaryList"]
            ]
        for version in sorted(versions, reverse=True):
            if self.approval(group, version) == "Approved":
                return version
        return None

    def training(self, package: Package) -> Training | None:
        """Return the job that trained a version, or None if no pipeline tells.

        Of a tuning step it is the best of its jobs.
        """
        if package.execution is None or "/execution/" not in package.execution:
            return None
        arn, objective = "", None
        for step in self._steps(package.execution):
            metadata = step.get("Metadata", {})
            if "TrainingJob" in metadata:
                arn = metadata["TrainingJob"]["Arn"]
            elif "TuningJob" in metadata:
                arn, objective = self._best(metadata["TuningJob"]["Arn"])
        return self._training(arn, objective) if arn else None

    def evaluation(self, package: Package) -> Mapping[str, Any] | None:
        """Return a version's model-quality statistics, or None if there are none to be read."""
        mine = f"s3://{self._objects.bucket}/"
        if package.evaluation is None or not package.evaluation.startswith(mine):
            return None
        key = package.evaluation.removeprefix(mine)
        content = self._objects.find(key)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Rejected(
                "bad-evaluation",
                f"{key!r} is no JSON object of model-quality statistics; the evaluation step of the "
                f"run that made {package.arn} wrote it",
            )
        return found

    def _steps(self, execution: str) -> list[dict[str, Any]]:
        with calling("sagemaker:ListPipelineExecutionSteps", execution):
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=execution
            )
            return [step for page in pages for step in page["PipelineExecutionSteps"]]

    def _best(self, tuning: str) -> tuple[str, tuple[str, str] | None]:
        name = tuning.rpartition("/")[2]
        with calling("sagemaker:DescribeHyperParameterTuningJob", tuning):
            found = self._sagemaker.describe_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=name
            )
        goal = found["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
        best = found.get("BestTrainingJob", {}).get("TrainingJobArn", "")
        return best, (goal["Type"], goal["MetricName"]) if goal else None

    def _training(self, arn: str, objective: tuple[str, str] | None) -> Training:
        with calling("sagemaker:DescribeTrainingJob", arn):
            found = self._sagemaker.describe_training_job(TrainingJobName=arn.rpartition("/")[2])
        mine = f"s3://{self._objects.bucket}/"  # other channels hold code
        sources = [
            channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
            for channel in found.get("InputDataConfig", [])
        ]
        return Training(
            arn=found["TrainingJobArn"],
            image=found["AlgorithmSpecification"].get("TrainingImage", ""),
            datasets=tuple(uri for uri in sources if uri and uri.startswith(mine)),
            metrics={
                each["MetricName"]: float(each["Value"])
                for each in found.get("FinalMetricDataList", [])
            },
            objective=objective,
        )

    def _describe(self, arn: str) -> Any:
        with calling("sagemaker:DescribeModelPackage", arn):
            try:
                return self._sagemaker.describe_model_package(ModelPackageName=arn)
            except ClientError as problem:
                if code_of(problem) in _GONE:
                    return None
                raise


def _approval(found: Mapping[str, Any]) -> Approval:
    said: Approval = found.get("ModelApprovalStatus", "PendingManualApproval")
    return said if said != "Approved" or counts(found) else "PendingManualApproval"
