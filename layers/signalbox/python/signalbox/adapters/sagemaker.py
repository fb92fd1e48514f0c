"""Jobs of SageMaker: windows by a processing job, scores by a transform job."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.keys import parts_prefix, request_key, scores_prefix
from signalbox.contracts.sagemaker import MAX_NAME, SCORES_JOB, scores_job, windows_job
from signalbox.contracts.scoring import CurrentModel, WindowsManifest

_CODE = "/opt/ml/processing/code"
_EXISTS = "ResourceInUse"
_VOLUME_GB = 30
_MAX_PAYLOAD_MB = 100  # the most there is
_LONGEST_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class WindowsProgram:
    """What runs the windows program, from where, as whom."""

    image: str
    role: str
    instance_type: str
    data_bucket: str
    fleet_table: str
    artifact_bucket: str
    kernel_key: str
    workloads_key: str


class WindowsProcessing:
    """Processing jobs, one a run, named by it."""

    def __init__(self, program: WindowsProgram, client: Any = None) -> None:
        self._program = program
        self._sagemaker = client or connect("sagemaker")

    def start(self, workload: str, run: str) -> None:
        """Start the job of a run unless it exists."""
        told, name = self._program, windows_job(workload, run)
        artifacts = f"s3://{told.artifact_bucket}/"
        arguments = ["--data-bucket", told.data_bucket, "--request", request_key(workload, run)]
        arguments += ["--fleet-table", told.fleet_table]
        arguments += ["--workloads", f"{artifacts}{told.workloads_key}"]
        code = {
            "S3Uri": f"{artifacts}{told.kernel_key}",
            "LocalPath": _CODE,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }
        with calling("sagemaker:CreateProcessingJob", f"job {name}"):
            _unless_there(
                self._sagemaker.create_processing_job,
                ProcessingJobName=name,
                RoleArn=told.role,
                AppSpecification={
                    "ImageUri": told.image,
                    "ContainerEntrypoint": ["python3", "-m", "jobs.dataset", "windows"],
                    "ContainerArguments": arguments,
                },
                Environment={"PYTHONPATH": f"{_CODE}/{PurePosixPath(told.kernel_key).name}"},
                ProcessingInputs=[{"InputName": "code", "S3Input": code}],
                ProcessingResources={
                    "ClusterConfig": {
                        "InstanceCount": 1,
                        "InstanceType": told.instance_type,
                        "VolumeSizeInGB": _VOLUME_GB,
                    }
                },
                StoppingCondition={"MaxRuntimeInSeconds": _LONGEST_S},
            )


@dataclass(frozen=True, slots=True)
class ModelContainer:
    """What serves a model, on what, as whom."""

    image: str
    role: str
    instance_type: str
    device: str
    data_bucket: str


class BatchInference:
    """Models and transform jobs, one a run, named by it."""

    def __init__(self, container: ModelContainer, client: Any = None) -> None:
        self._container = container
        self._sagemaker = client or connect("sagemaker")

    def serve(self, model: CurrentModel) -> str:
        """Make the model known unless it is; return its name.

        AWS answers a name that is taken as it answers any bad request, so the model is asked for.
        """
        told, name = self._container, self._name(model)
        with calling("sagemaker:CreateModel", f"model {name}"):
            try:
                self._sagemaker.create_model(
                    ModelName=name,
                    ExecutionRoleArn=told.role,
                    PrimaryContainer={
                        "Image": told.image,
                        "ModelDataUrl": model.model_data,
                        "Environment": {"SIGNALBOX_DEVICE": told.device},
                    },
                )
            except ClientError as problem:
                if not self._known(name):
                    raise problem from None
        return name

    def start(self, model_name: str, windows: WindowsManifest) -> None:
        """Start the transform job of a run unless it exists."""
        told, run = self._container, windows.run
        name, bucket = scores_job(windows.workload, run), f"s3://{told.data_bucket}/"
        parts = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"{bucket}{parts_prefix(windows.workload, run)}",
        }
        with calling("sagemaker:CreateTransformJob", f"job {name}"):
            _unless_there(
                self._sagemaker.create_transform_job,
                TransformJobName=name,
                ModelName=model_name,
                MaxConcurrentTransforms=1,
                MaxPayloadInMB=_MAX_PAYLOAD_MB,
                BatchStrategy="SingleRecord",  # a part is one request: Parquet cannot be split
                TransformInput={
                    "DataSource": {"S3DataSource": parts},
                    "ContentType": "application/x-parquet",
                    "SplitType": "None",
                    "CompressionType": "None",
                },
                TransformOutput={
                    "S3OutputPath": f"{bucket}{scores_prefix(windows.workload, run)}",
                    "Accept": "application/jsonlines",
                },
                TransformResources={"InstanceType": told.instance_type, "InstanceCount": 1},
            )

    def _known(self, name: str) -> bool:
        try:
            self._sagemaker.describe_model(ModelName=name)
        except ClientError:
            return False
        return True

    def _name(self, model: CurrentModel) -> str:
        """Name a model by all that makes it: a new image or another device is another model."""
        schema = model.schema_
        told = "\n".join([schema.workload, schema.version, model.model_data])
        made = "\n".join([told, *map(str, astuple(self._container))])
        digest = hashlib.sha256(made.encode()).hexdigest()[:8]
        words = f"{schema.workload.replace('_', '-')}-{schema.version}"
        return f"{SCORES_JOB}{words[: MAX_NAME - len(SCORES_JOB) - 9].rstrip('-')}-{digest}"


def _unless_there(create: Any, **request: Any) -> None:
    """Create a job; one of this name was created by somebody doing the same."""
    try:
        create(**request)
    except ClientError as problem:
        if code_of(problem) != _EXISTS:
            raise
