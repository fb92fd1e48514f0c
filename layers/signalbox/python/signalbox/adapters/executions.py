"""Runs of SageMaker pipelines: what they were started with, why they failed, and starting one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.errors import NotDeployed

_NOT_THERE = "ResourceNotFound"  # SageMaker API Reference: no "Exception" at its end
_STEPS = 100  # ListPipelineExecutionSteps, MaxResults


class PipelineExecutions:
    """Pipelines of SageMaker, and their executions by ARN."""

    def __init__(self, client: Any = None) -> None:
        self._sagemaker = client or connect("sagemaker")

    def parameters(self, execution: str) -> Mapping[str, str]:
        """Return the parameters that a run was started with.

        Raises:
            NotDeployed: there is no such run (any more).
        """
        with _asking("ListPipelineParametersForExecution", f"execution {execution}"):
            pages = self._sagemaker.get_paginator("list_pipeline_parameters_for_execution")
            return {
                str(each["Name"]): str(each["Value"])
                for page in pages.paginate(PipelineExecutionArn=execution)
                for each in page.get("PipelineParameters") or []
            }

    def under_way(self, execution: str) -> bool:
        """Whether a run has not ended; one that is gone, with its pipeline, will not go on."""
        try:
            with _asking("DescribePipelineExecution", f"execution {execution}"):
                told = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        except NotDeployed:
            return False
        return told["PipelineExecutionStatus"] in ("Executing", "Stopping")

    def why_failed(self, execution: str) -> str:
        """Return why a run failed: what its failed steps say, or else what it says itself.

        A run mostly says no more than that a step failed, so the steps are asked first.
        """
        with _asking("ListPipelineExecutionSteps", f"execution {execution}"):
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps")
            reasons = [
                f"{step['StepName']}: {step.get('FailureReason', '')}".rstrip(": ")
                for page in pages.paginate(
                    PipelineExecutionArn=execution,
                    SortOrder="Ascending",
                    PaginationConfig={"PageSize": _STEPS},
                )
                for step in page.get("PipelineExecutionSteps") or []
                if step.get("StepStatus") == "Failed"
            ]
        if reasons:
            return "; ".join(reasons)
        with _asking("DescribePipelineExecution", f"execution {execution}"):
            told = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return str(told.get("FailureReason") or "")

    def said(self, job: str) -> str:
        """Return what a processing job left in ``/opt/ml/output/message``; may be nothing."""
        with _asking("DescribeProcessingJob", f"job {job}"):
            told = self._sagemaker.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
        return str(told.get("ExitMessage") or "")

    def asks_for(self, pipeline: str) -> frozenset[str]:
        """Return the parameters that a pipeline's definition names.

        Source: "SageMaker Pipelines pipeline definition JSON schema", version 2020-12-01.

        Raises:
            NotDeployed: there is no such pipeline.
        """
        with _asking("DescribePipeline", f"pipeline {pipeline}"):
            told = self._sagemaker.describe_pipeline(PipelineName=pipeline)
        definition = json.loads(told["PipelineDefinition"])
        return frozenset(str(each["Name"]) for each in definition.get("Parameters") or [])

    def start(
        self, pipeline: str, parameters: Mapping[str, str], token: str, display_name: str
    ) -> str:
        """Start a run and return its ARN; the same token starts it once.

        How long a token is remembered is documented nowhere: whoever calls keeps a record of its own.

        Args:
            pipeline: its name.
            parameters: by name; the definition must have them.
            token: 32 to 128 characters.
            display_name: at most 82 letters, digits and hyphens.

        Raises:
            NotDeployed: there is no such pipeline.
            Misconfigured: it does not know these parameters.
        """
        with _asking("StartPipelineExecution", f"pipeline {pipeline}"):
            answer = self._sagemaker.start_pipeline_execution(
                PipelineName=pipeline,
                PipelineExecutionDisplayName=display_name,
                PipelineParameters=[
                    {"Name": name, "Value": value} for name, value in sorted(parameters.items())
                ],
                ClientRequestToken=token,
            )
        return str(answer["PipelineExecutionArn"])


@contextmanager
def _asking(operation: str, thing: str) -> Iterator[None]:
    """Turn errors into those of the house; what is not there is a wrong deployment."""
    action = f"sagemaker:{operation}"
    with calling(action, thing):
        try:
            yield
        except ClientError as problem:
            if code_of(problem) != _NOT_THERE:
                raise
            raise NotDeployed(
                f"{action}: {thing} does not exist; was its pipeline deleted? Deploy template.yaml again"
            ) from problem
