"""The loop of a workload in the local cloud: files in, models out, and short ways to look at both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cli.causes import belongs, roots_for
from cli.chain import Bucket, running
from localcloud import Cloud
from localcloud.journal import Record
from localcloud.trace import Trace
from signalbox.contracts.registry import group_of
from tests.e2e.conftest import Chain
from tests.least import Permissions
from tests.pace import SOAK

WINDOW = timedelta(minutes=11)


@dataclass(frozen=True)
class Loop(Chain):
    """A cloud whose pipelines are fed files of one workload."""

    workload: str = "abalone"

    @property
    def group(self) -> str:
        return group_of(self.workload)

    def drop(self, key: str, rows: list[list[str]], separator: str = ",") -> None:
        """Put a file and let its run be over."""
        self.bucket.write(key, "\n".join(map(separator.join, rows)).encode())
        self.settle()

    def settle(self) -> None:
        self.run()
        self.cloud.run_for(WINDOW)
        self.run()

    @property
    def sagemaker(self) -> Any:
        return self.cloud.client("sagemaker")

    def approve(self, version: int, **metadata: str) -> None:
        arn = f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{self.group}/{version}"
        self.sagemaker.update_model_package(
            ModelPackageArn=arn,
            ModelApprovalStatus="Approved",
            **({"CustomerMetadataProperties": metadata} if metadata else {}),
        )
        self.run()

    def packages(self) -> dict[int, str]:
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=self.group)
        return {
            each["ModelPackageVersion"]: each["ModelApprovalStatus"]
            for each in found["ModelPackageSummaryList"]
        }

    def runs(self, name: str) -> list[dict[str, str]]:
        """Of each run of a pipeline, oldest first, the status of its steps."""
        return [
            {step["StepName"]: step["StepStatus"] for step in self._steps(each)}
            for each in self._executions(name)
        ]

    def used(self) -> list[int]:
        """The version of the model that each batch run looked up, oldest first."""
        return [
            int(each["Value"].rpartition("/")[2])
            for run in self._executions("batch")
            for step in self._steps(run)
            if step["StepName"] == "FindModel"
            for each in step["Metadata"]["Lambda"].get("OutputParameters", [])
            if each["Name"] == "Package" and each["Value"]
        ]

    def told(self) -> Counter[str]:
        return Counter(
            r.name
            for r in self.cloud.journal
            if r.kind == "event" and r.detail["source"] == "signalbox"
        )

    def mails(self) -> list[Record]:
        return [r for r in self.cloud.journal if r.name == "sns:Publish" and r.kind == "call"]

    def cards(self) -> dict[int, str]:
        """The state of every card, by version."""
        found = self.sagemaker.list_model_cards()["ModelCardSummaries"]
        return {
            int(each["ModelCardName"].rpartition("-")[2]): each["ModelCardStatus"] for each in found
        }

    def _executions(self, name: str) -> list[str]:
        found = self.sagemaker.list_pipeline_executions(
            PipelineName=f"signalbox-{name}", SortOrder="Ascending"
        )["PipelineExecutionSummaries"]
        return [each["PipelineExecutionArn"] for each in found]

    def _steps(self, execution: str) -> list[dict[str, Any]]:
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return list(found["PipelineExecutionSteps"])

    def answers(self, rows: list[list[str]], stem: str) -> list[list[str]]:
        return [["id", "rings"], *([f"{stem}#{k}", row[-1]] for k, row in enumerate(rows))]


@contextmanager
def looping(permissions: Permissions, workload: str = "abalone") -> Iterator[Loop]:
    """A cloud for a loop in which nothing is denied and nothing ends as a dead letter."""
    with running() as cloud:
        if not SOAK:
            _fewer_trials(cloud)
        bucket = Bucket(cloud.client("s3"), cloud.physical_id("DataBucket"))
        yield Loop(cloud, bucket, workload)
        permissions.granted |= set(cloud.granted)
        permissions.used |= cloud.used
        assert [r.name for r in cloud.journal if r.status == "denied"] == []
        assert [r.name for r in cloud.journal if r.kind == "dead-letter"] == []


def _fewer_trials(cloud: Cloud) -> None:
    """Two trials of a tuning job, where the definition has more."""
    sagemaker, name = cloud.client("sagemaker"), cloud.physical_id("TunePipeline")
    told = json.loads(sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"])
    (most,) = (each for each in told["Parameters"] if each["Name"] == "MaxJobs")
    most["DefaultValue"] = 2
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(told))


def all_goes_back_to(loop: Loop, first_file: str, but: Counter[str] | None = None) -> None:
    """`signalbox trace FILE` is one tree, from the file to what came of it all; ``but`` came before."""
    trace, before = Trace(loop.cloud.journal), but or Counter()
    (first,) = roots_for(trace, first_file)
    below = trace.below(first, belongs)
    runs = Counter(r.name for r in below if r.kind == "job" and r.status == "Executing")
    assert runs["signalbox-train"] == len(loop.runs("train"))
    assert runs["signalbox-tune"] == len(loop.runs("tune"))
    assert runs["signalbox-batch"] == len(loop.runs("batch")) - before["PipelineStarted"]
    told = Counter(r.name for r in below if r.kind == "event" and r.detail["source"] == "signalbox")
    assert told + before == loop.told()


def reship(cloud: Cloud, change: Callable[[dict[str, Any]], None]) -> None:
    """Ship the workloads once more, changed."""
    s3 = cloud.client("s3")
    listing = s3.list_objects_v2(Bucket=cloud.packages, Prefix="shipped/workloads-")
    (place,) = ({"Bucket": cloud.packages, "Key": each["Key"]} for each in listing["Contents"])
    workloads = json.loads(s3.get_object(**place)["Body"].read())
    change(workloads)
    s3.put_object(**place, Body=json.dumps(workloads).encode())
