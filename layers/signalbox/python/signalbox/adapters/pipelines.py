"""SageMaker Pipelines: one run for one set of files, told all that its definition asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.adapters.executions import PipelineExecutions
from signalbox.contracts.datasets import Pipeline, program_of
from signalbox.contracts.registry import group_of
from signalbox.contracts.sagemaker import tag_value
from signalbox.contracts.workload import Workload

_MAX_NAME = 82  # of an execution, "StartPipelineExecution"
_UNKNOWN = "ValidationException"


@dataclass(frozen=True, slots=True)
class PipelineProgram:
    """What every run is told beside its files: what runs the programs, from where, as whom."""

    image: str
    inference_image: str
    role: str
    instance_type: str
    data_bucket: str
    artifact_bucket: str
    kernel_key: str
    workloads_key: str
    find_model: str


class SageMakerPipelines:
    """The pipelines of a deployment, by what they do."""

    def __init__(
        self, names: Mapping[Pipeline, str], program: PipelineProgram, client: Any = None
    ) -> None:
        self._names, self._program = names, program
        self._sagemaker = client or connect("sagemaker")
        self._executions = PipelineExecutions(self._sagemaker)

    def start(
        self, pipeline: Pipeline, workload: Workload, run: str, parameters: Mapping[str, str]
    ) -> str:
        """Start a run unless it was started; return its ARN.

        The token is a digest of pipeline and run. How long AWS remembers a token is documented nowhere, so
        whoever calls keeps a record of its own as well.
        """
        name = self._names[pipeline]
        if pipeline != "batch":
            self._group(group_of(workload.name))
        told = {**self._given(pipeline, workload), "Run": run, **parameters}
        return self._executions.start(
            name,
            told,
            token=hashlib.sha256(f"{name}\n{run}".encode()).hexdigest(),
            display_name=f"{group_of(workload.name)}-{run}"[-_MAX_NAME:],
        )

    def _given(self, pipeline: Pipeline, workload: Workload) -> dict[str, str]:
        """Return what the definition asks for beside files: a parameter it does not know is an error."""
        told = self._program
        artifacts = f"s3://{told.artifact_bucket}/"
        own = {"Group": group_of(workload.name), "InferenceImage": told.inference_image}
        if pipeline == "batch":
            own = {"FindModel": told.find_model}
        return own | {
            "Workload": workload.name,
            "Program": program_of(workload),
            "DataBucket": told.data_bucket,
            "Code": f"{artifacts}{told.kernel_key}",
            "CodeName": PurePosixPath(told.kernel_key).name,
            "Workloads": f"{artifacts}{told.workloads_key}",
            "ProgramsImage": told.image,
            "JobRole": told.role,
            "InstanceType": told.instance_type,
            "Owner": tag_value(
                workload.operations.owner if workload.operations else workload.owner
            ),
        }

    def _group(self, name: str) -> None:
        """Make the group of a workload's packages unless it is there.

        Registering needs it, and AWS answers a name that is taken as it answers any bad request, so it is
        asked for first.
        """
        with calling("sagemaker:CreateModelPackageGroup", f"group {name}"):
            try:
                self._sagemaker.describe_model_package_group(ModelPackageGroupName=name)
            except ClientError as problem:
                if code_of(problem) != _UNKNOWN:
                    raise
                self._sagemaker.create_model_package_group(ModelPackageGroupName=name)
