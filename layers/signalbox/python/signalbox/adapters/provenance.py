"""How a version of a model came to be: the jobs that trained it, and how it was evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from signalbox.adapters.aws import calling, connect
from signalbox.adapters.objects import Objects
from signalbox.contracts.packages import Package
from signalbox.domain.card_content import Training
from signalbox.errors import Rejected


class Provenance:
    """What SageMaker and the data bucket know of a package's making.

    Args:
        objects: the data bucket, where evaluations lie.
        client: of SageMaker.
    """

    def __init__(self, objects: Objects, client: Any = None) -> None:
        self._objects = objects
        self._sagemaker = client or connect("sagemaker")

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
        if package.statistics is None or not package.statistics.startswith(mine):
            return None
        key = package.statistics.removeprefix(mine)
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
