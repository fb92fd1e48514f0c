"""SageMaker training jobs, of an image or in script mode.

Citations: "How Amazon SageMaker Runs Your Training Image", "... Provides Training Information",
"... Signals Algorithm Success and Failure", "Define Training Metrics" of the SageMaker Developer
Guide; CreateTrainingJob, StopTrainingJob and SecondaryStatusTransition of its API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.engines.base import OVER, Program, Run, State
from localcloud.engines.container import started
from localcloud.engines.ml import HOSTS, MlFolder
from localcloud.engines.sagemaker import SageMakerJobs, failure, only, refuse
from localcloud.engines.script import channels, script
from localcloud.wiring import RefusedError

_GROUP = "/aws/sagemaker/TrainingJobs"
_UNPLAYED = (
    "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "EnableManagedSpotTraining",
    "MlflowConfig", "ModelPackageConfig", "RetryStrategy", "ServerlessJobConfig",
    "SessionChainingConfig", "TensorBoardOutputConfig",
)  # fmt: skip
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training in-progress",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
_SECONDARY: dict[State, str] = {
    "STARTING": "Starting",
    "RUNNING": "Downloading",
    "STOPPING": "Stopping",
    "SUCCEEDED": "Completed",
    "FAILED": "Failed",
    "STOPPED": "Stopped",
    "TIMEOUT": "MaxRuntimeExceeded",
}


class TrainingJobs(SageMakerJobs):
    """Plays every training job."""

    kind = "Training"
    groups: Mapping[str, str] = {"out": _GROUP, "err": _GROUP}

    def check(self, facts: dict[str, Any]) -> None:
        """One instance, S3 channels as files, a compressed model."""
        refuse(facts, *_UNPLAYED)
        only(facts.get("ResourceConfig") or {}, "InstanceCount", 1)
        refuse(facts.get("ResourceConfig") or {}, "InstanceGroups")
        only(facts["OutputDataConfig"], "CompressionType", "GZIP")
        algorithm = facts.get("AlgorithmSpecification") or {}
        refuse(algorithm, "AlgorithmName")
        modes = ("File", "FastFile")
        only(algorithm, "TrainingInputMode", *modes)
        for channel in facts.get("InputDataConfig") or []:
            only(channel, "InputMode", *modes)
            only(channel, "CompressionType", "None")
            only(channel, "RecordWrapperType", "None")
            source = (channel.get("DataSource") or {}).get("S3DataSource")
            if source is None:
                raise RefusedError(
                    f"channel {channel['ChannelName']}: only S3DataSource is supported"
                )
            only(source, "S3DataType", "S3Prefix", "ManifestFile")
        for metric in algorithm.get("MetricDefinitions") or []:
            try:
                re.compile(metric["Regex"])
            except re.error as error:
                raise RefusedError(f"metric {metric['Name']}: {error}") from error
        facts.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": 86_400})
        model = f"{_output(facts)}/model.tar.gz"
        facts["ModelArtifacts"] = {"S3ModelArtifacts": model}
        facts["SecondaryStatusTransitions"] = []

    def show(self, run: Run) -> None:
        """The secondary status too, and how long the training took."""
        super().show(run)
        self._enter(run, _SECONDARY[run.state])
        facts = run.data
        if run.state in OVER and "TrainingStartTime" in facts:
            took = int((facts["TrainingEndTime"] - facts["TrainingStartTime"]).total_seconds())
            facts["TrainingTimeInSeconds"] = facts["BillableTimeInSeconds"] = took

    def _enter(self, run: Run, status: str) -> None:
        facts, now = run.data, self.world.clock.now()
        steps = facts["SecondaryStatusTransitions"]
        if steps:
            steps[-1].setdefault("EndTime", now)
        step = {"Status": status, "StartTime": now, "StatusMessage": _MESSAGES[status]}
        over = {"EndTime": now} if run.state in OVER else {}
        steps.append(step | over)
        facts["SecondaryStatus"] = status

    def _go_on(self, run: Run, status: str) -> None:
        """The next secondary status of a job that is in progress, told by an event."""
        with self.runs.lock:
            if run.state == "RUNNING":
                self._enter(run, status)
                self.emit(run, run.running)

    def detail(self, run: Run) -> dict[str, Any]:
        """An event has no tags of the request, but a place for them."""
        return {**super().detail(run), "Tags": {}}

    def prepare(self, run: Run, client: Callable[[str], Any]) -> Program:
        """Write the configuration and fetch the channels."""
        facts, ml = run.data, self.folder(run, client)
        ml.make("/opt/ml/model", "/opt/ml/output/data", "/opt/ml/input/data", "/opt/ml/code")
        self._configure(facts, ml)
        for channel in facts.get("InputDataConfig") or []:
            source = channel["DataSource"]["S3DataSource"]
            place = f"/opt/ml/input/data/{channel['ChannelName']}"
            ml.fetch(source["S3Uri"], source["S3DataType"], place)
        own = {"TRAINING_JOB_NAME": run.name, "TRAINING_JOB_ARN": run.id}
        environment = ml.environment({**own, **(facts.get("Environment") or {})})
        algorithm = facts.get("AlgorithmSpecification") or {}
        hyper = facts.get("HyperParameters") or {}
        entrypoint = algorithm.get("ContainerEntrypoint") or []
        if "sagemaker_program" in hyper and not entrypoint:
            program = script(ml, facts, environment)
        else:
            given = algorithm.get("ContainerArguments") or []
            arguments = given or ([] if entrypoint else ["train"])
            image = str(algorithm.get("TrainingImage"))
            command, environment = started(
                self.world.images, image, entrypoint, arguments, environment, ml
            )
            program = Program(command, environment, run.folder)
        self._go_on(run, "Training")
        return program

    def _configure(self, facts: Mapping[str, Any], ml: MlFolder) -> None:
        config = "/opt/ml/input/config"
        ml.write(f"{config}/hyperparameters.json", facts.get("HyperParameters") or {})
        ml.write(f"{config}/inputdataconfig.json", channels(facts))
        resources = HOSTS | {
            "current_instance_type": (facts.get("ResourceConfig") or {}).get("InstanceType"),
            "current_group_name": "homogeneousCluster",
            "network_interface_name": "lo",
        }
        ml.write(f"{config}/resourceconfig.json", resources)

    def heard(self, run: Run, line: str) -> None:
        """A line may carry metrics."""
        algorithm = run.data.get("AlgorithmSpecification") or {}
        for metric in algorithm.get("MetricDefinitions") or []:
            found = re.search(metric["Regex"], line)
            if found is None or not found.groups():
                continue
            try:
                value = float(found.group(1))
            except ValueError:
                continue  # the expression caught a word
            self._measured(run, str(metric["Name"]), value)

    def _measured(self, run: Run, name: str, value: float) -> None:
        now = self.world.clock.now()
        data = {"MetricName": name, "Value": value, "Timestamp": now}
        finals = [
            each for each in run.data.get("FinalMetricDataList", []) if each["MetricName"] != name
        ]
        run.data["FinalMetricDataList"] = [*finals, data]
        dimensions = [{"Name": "TrainingJobName", "Value": run.name}]
        self.world.client("cloudwatch", run.account).put_metric_data(
            Namespace=_GROUP, MetricData=[{**data, "Dimensions": dimensions}]
        )

    def finish(self, run: Run, state: State, client: Callable[[str], Any]) -> str:
        """Upload the model and other outputs, also of a job that was stopped; say why it failed."""
        if run.place is None or isinstance(run.ended, str):
            return failure(run, "")
        facts, ml = run.data, self.folder(run, client)
        if state == "FAILED":
            return failure(run, ml.read("/opt/ml/output/failure"))
        self._go_on(run, "Uploading")
        key = facts["OutputDataConfig"].get("KmsKeyId")
        ml.put_archive("/opt/ml/model", facts["ModelArtifacts"]["S3ModelArtifacts"], key)
        ml.put_archive("/opt/ml/output/data", f"{_output(facts)}/output.tar.gz", key)
        return ""


def _output(facts: Mapping[str, Any]) -> str:
    place = str(facts["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
    return f"{place}/{facts['TrainingJobName']}/output"
