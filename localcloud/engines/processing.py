"""SageMaker processing jobs.

Citations: "How Amazon SageMaker Processing Configures Your Processing Container", "... Configures
Input and Output For Your Processing Container" and "... Provides Logs and Metrics" of the SageMaker
Developer Guide; CreateProcessingJob of its API Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.engines.base import Program, Run, State
from localcloud.engines.container import started
from localcloud.engines.ml import HOSTS
from localcloud.engines.sagemaker import SageMakerJobs, failure, only, refuse
from localcloud.wiring import RefusedError

_GROUP = "/aws/sagemaker/ProcessingJobs"
_CONFIGURED = (
    "ProcessingJobArn", "ProcessingJobName", "AppSpecification", "Environment",
    "ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources", "RoleArn",
    "StoppingCondition", "NetworkConfig",
)  # fmt: skip


class ProcessingJobs(SageMakerJobs):
    """Plays every processing job."""

    kind = "Processing"
    groups: Mapping[str, str] = {"out": _GROUP, "err": _GROUP}

    def check(self, facts: dict[str, Any]) -> None:
        """One instance, S3 inputs as files, S3 outputs at the end of the job."""
        only(facts["ProcessingResources"]["ClusterConfig"], "InstanceCount", 1)
        for each in facts.get("ProcessingInputs") or []:
            refuse(each, "AppManaged", "DatasetDefinition")
            s3 = each.get("S3Input") or {}
            if "S3Uri" not in s3 or "LocalPath" not in s3:
                raise RefusedError(f"input {each.get('InputName')}: S3Uri and LocalPath are needed")
            _inside(s3["LocalPath"])
            only(s3, "S3DataType", "S3Prefix", "ManifestFile")
            only(s3, "S3InputMode", "File")
            only(s3, "S3CompressionType", "None")
        for each in (facts.get("ProcessingOutputConfig") or {}).get("Outputs") or []:
            refuse(each, "AppManaged", "FeatureStoreOutput")
            only(each.get("S3Output") or {}, "S3UploadMode", "EndOfJob")
        for output in _outputs(facts):
            _inside(output["LocalPath"])

    def emit(self, run: Run, record: int) -> None:
        """Told when its status changes; RUNNING is InProgress still."""
        if run.state != "RUNNING":
            super().emit(run, record)

    def prepare(self, run: Run, client: Callable[[str], Any]) -> Program:
        """Write the configuration and fetch the inputs."""
        facts, ml = run.data, self.folder(run, client)
        ml.make("/opt/ml/output", "/opt/ml/processing")
        config = {name: facts[name] for name in _CONFIGURED if name in facts}
        ml.write("/opt/ml/config/processingjobconfig.json", config)
        ml.write("/opt/ml/config/resourceconfig.json", HOSTS)
        for each in facts.get("ProcessingInputs") or []:
            s3 = each["S3Input"]
            ml.fetch(s3["S3Uri"], s3.get("S3DataType", "S3Prefix"), s3["LocalPath"])
        for each in _outputs(facts):
            ml.make(each["LocalPath"])
        app = facts["AppSpecification"]
        entrypoint, arguments = app.get("ContainerEntrypoint"), app.get("ContainerArguments")
        given = ml.environment(facts.get("Environment") or {})
        image = str(app["ImageUri"])
        command, environment = started(
            self.world.images, image, entrypoint or [], arguments or [], given, ml
        )
        return Program(command, environment, run.folder)

    def finish(self, run: Run, state: State, client: Callable[[str], Any]) -> str:
        """Read the exit message and, of a job that is done, upload the outputs."""
        if run.place is None or isinstance(run.ended, str):
            return failure(run, "")
        facts, ml = run.data, self.folder(run, client)
        said = ml.read("/opt/ml/output/message")
        if said:
            facts["ExitMessage"] = said
        if state == "SUCCEEDED":
            key = (facts.get("ProcessingOutputConfig") or {}).get("KmsKeyId")
            for each in _outputs(facts):
                ml.put(each["LocalPath"], each["S3Uri"], key)
        return failure(run, said) if state == "FAILED" else ""


def _inside(place: str) -> None:
    """LocalPath of ProcessingS3Input and ProcessingS3Output: always under /opt/ml/processing."""
    if not place.startswith("/opt/ml/processing/") or ".." in place.split("/"):
        raise RefusedError(f"LocalPath {place!r} must be a folder under /opt/ml/processing/")


def _outputs(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs = (facts.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return [each["S3Output"] for each in outputs if each.get("S3Output")]
