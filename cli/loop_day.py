"""The loop on bad days: data to model to predictions to a better model, and what all of it left behind.

The programs of the pipelines are stand-ins (`cli.stand_in`): what is tried is that every door does once
what is to be done once. So the same runs, promotions, mails, packages, cards and shares must be there.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli import stand_in
from cli.chain import Bucket, running
from cli.post import Post
from localcloud import Chaos, Cloud, EndState
from signalbox.contracts.own import SOURCE
from signalbox.contracts.registry import group_of

START = datetime(2026, 7, 1, tzinfo=UTC)
WORKLOAD = "abalone"
ACCOUNTS = {
    "DevAccount": "222222222222", "TestAccount": "333333333333", "ProdAccount": "444444444444",
}  # fmt: skip
WINDOW = timedelta(minutes=11)
"""Longer than the quiet time of a workload and two beats of start_pipelines."""
PIPELINES = ("train", "tune", "batch")
BOARD = {"review_board": "A. Board"}

_GIVEN = re.compile(
    r"[0-9a-f]{32,64}|\d{4}-?\d\d-?\d\dT[0-9:.+]+Z?|(?<=/)[\w-]+(?=/output/)|(?<=-\d-)[0-9a-f]{8}"
)
"""What differs from run to run: digests of what holds an instant, instants, names of jobs."""
_LIVE = ("ACTIVE", "PENDING")


def loop_job(chaos: Chaos, **options: Any) -> tuple[EndState, Cloud]:
    """Go the whole loop, let the cloud come to rest, and look at what is left; the cloud is closed."""
    with running(start=START, chaos=chaos, parameters=ACCOUNTS, **options) as cloud:
        day = LoopDay(cloud)
        day.go()
        return day.ended(), cloud


class LoopDay:
    """What people do on one day, each time after all that follows from it is over."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.bucket = Bucket(cloud.client("s3"), cloud.physical_id("DataBucket"))
        self.sagemaker = cloud.client("sagemaker")
        self._stand_in()
        self.post = Post(cloud)

    def go(self) -> None:
        """Train, approve, predict, meet strange data and wrong truth, tune, approve, predict again."""
        self._drop("training", "a.csv", "b.csv")
        self._approve(1)
        self._drop("inference", "monday.csv")
        self._drop("inference", "tuesday.csv", says=stand_in.STRANGE)
        self._drop("ground-truth", "tuesday.csv", says=stand_in.WRONG)
        self._approve(2)  # a retuned model without its board waits again
        self._approve(2, **BOARD)
        self._drop("inference", "wednesday.csv")
        self._drop("ground-truth", "wednesday.csv", says=stand_in.WRONG)  # too soon to tune again

    def ended(self) -> EndState:
        """Packages, cards and shares as they stand; runs, steps, mails, events, objects and items counted.

        An event that was said again word for word counts once, and as a repeat.
        """
        effects = dict([*self._packages(), *self._cards(), *self._shares()])
        said: dict[str, Counter[str]] = {}
        for record in self.cloud.journal:
            if record.kind == "event" and record.detail["source"] == SOURCE:
                told = json.dumps(record.detail["detail"], sort_keys=True)
                said.setdefault(f"event {record.name}", Counter())[told] += 1
        counts = Counter({name: len(different) for name, different in said.items()})
        counts.update({f"mail {subject}": n for subject, n in self.post.subjects().items()})
        for found in (self._runs(), self._objects(), self._items(), self._dead()):
            counts.update(found)
        repeats = sum(total.total() - len(total) for total in said.values())
        return EndState(effects, counts, repeats)

    def _stand_in(self) -> None:
        """Ship the stand-in in the place of the programs."""
        told = self.cloud.client("lambda").get_function_configuration(
            FunctionName=self.cloud.physical_id("StartPipelines")
        )["Environment"]["Variables"]
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("jobs/__init__.py", "")
            archive.writestr("jobs/tabular/__init__.py", "")
            archive.write(Path(stand_in.__file__), "jobs/tabular/__main__.py")
        self.bucket.s3.put_object(
            Bucket=told["ARTIFACT_BUCKET"], Key=told["KERNEL_KEY"], Body=target.getvalue()
        )

    def _drop(self, room: str, *names: str, says: str = "fine") -> None:
        for name in names:
            self.bucket.write(f"{room}/{WORKLOAD}/{name}", f"{says}\n".encode())
        self.rest()

    def _approve(self, version: int, **metadata: str) -> None:
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=group_of(WORKLOAD))
        for each in found["ModelPackageSummaryList"]:
            if each["ModelPackageVersion"] == version:
                self.sagemaker.update_model_package(
                    ModelPackageArn=each["ModelPackageArn"], ModelApprovalStatus="Approved",
                    **({"CustomerMetadataProperties": metadata} if metadata else {}),
                )  # fmt: skip
        self.rest()

    def rest(self) -> None:
        """Let all that is under way be over."""
        self.cloud.run_until_idle()
        self.cloud.run_for(WINDOW)
        self.cloud.run_until_idle()

    def _packages(self) -> Iterator[tuple[str, str]]:
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=group_of(WORKLOAD))
        for each in found["ModelPackageSummaryList"]:
            arn = each["ModelPackageArn"]
            told = self.sagemaker.describe_model_package(ModelPackageName=arn)
            metadata = json.dumps(told["CustomerMetadataProperties"], sort_keys=True)
            yield f"package {arn}", f"{told['ModelApprovalStatus']} {_GIVEN.sub('#', metadata)}"

    def _cards(self) -> Iterator[tuple[str, str]]:
        for each in self.sagemaker.list_model_cards()["ModelCardSummaries"]:
            name = each["ModelCardName"]
            versions = self.sagemaker.list_model_card_versions(ModelCardName=name)
            count = len(versions["ModelCardVersionSummaryList"])
            yield f"card {name}", f"{each['ModelCardStatus']}, {count} versions"

    def _shares(self) -> Iterator[tuple[str, str]]:
        ram = self.cloud.client("ram")
        for each in ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]:
            if each["status"] not in _LIVE:
                continue
            arn = each["resourceShareArn"]
            permissions = ram.list_resource_share_permissions(resourceShareArn=arn)["permissions"]
            members = ram.get_resource_share_associations(
                associationType="PRINCIPAL", resourceShareArns=[arn]
            )["resourceShareAssociations"]
            who = sorted(f"{m['associatedEntity']} {m['status']}" for m in members)
            by = sorted(str(p["name"]) for p in permissions)
            yield f"share {each['name']}", f"{', '.join(who)} by {', '.join(by)}"

    def _runs(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for name in PIPELINES:
            runs = self.sagemaker.list_pipeline_executions(PipelineName=f"signalbox-{name}")
            for run in runs["PipelineExecutionSummaries"]:
                found[f"run {name}: {run['PipelineExecutionStatus']}"] += 1
                steps = self.sagemaker.list_pipeline_execution_steps(
                    PipelineExecutionArn=run["PipelineExecutionArn"]
                )["PipelineExecutionSteps"]
                found.update(f"step {name} {s['StepName']}: {s['StepStatus']}" for s in steps)
        return found

    def _objects(self) -> Counter[str]:
        return Counter(f"object {_GIVEN.sub('#', key)}" for key in self.bucket.listing(""))

    def _items(self) -> Counter[str]:
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.cloud.physical_id("OperationsTable"))
        )
        keys = (f"{i['pk']['S']} {i['sk']['S']}" for page in pages for i in page["Items"])
        return Counter(f"item {_GIVEN.sub('#', key)}" for key in keys)

    def _dead(self) -> Counter[str]:
        return Counter(
            f"dead letter in {queue.logical_id}"
            for queue in self.cloud.stack.of_type("AWS::SQS::Queue")
            for _ in self.cloud.messages(queue.attributes["Arn"])
        )
