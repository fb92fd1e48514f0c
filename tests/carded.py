"""A cloud with five accounts: an owner of model cards, dev, test, prod, and a stranger."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console

from cli.chain import running
from cli.post import mailbox
from localcloud import Cloud
from localcloud.shares import SharingRules
from signalbox.adapters.resource_shares import Invitations
from signalbox.domain.inviting import Accepting, Outcome

OWNER, DEV, TEST, PROD, STRANGER, HUB = (
    "123456789012", "222222222222", "333333333333", "444444444444", "555555555555", "666666666666",
)  # fmt: skip
GROUP = "signalbox-abalone"
ACCOUNTS = {"DevAccount": DEV, "TestAccount": TEST, "ProdAccount": PROD}
QUALITY = {"regression_metrics": {"rmse": {"value": 2.1, "standard_deviation": 0.1}}}


def arn_of(version: int) -> str:
    """The ARN of the card of a version."""
    return f"arn:aws:sagemaker:eu-west-1:{OWNER}:model-card/{GROUP}-{version}"


class Cards:
    """What people of every account do, in short."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.bucket = cloud.physical_id("DataBucket")
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def register(self, run: str, *, quality: Any = None, execution: str = "") -> str:
        """Register a model as the pipelines do; returns the ARN of its package."""
        key = f"operations/abalone/{run}/evaluation.json"
        if quality is not None:
            self.cloud.client("s3").put_object(
                Bucket=self.bucket, Key=key, Body=json.dumps(quality)
            )
        made = {"MetadataProperties": {"GeneratedBy": execution}} if execution else {}
        answer = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties={"workload": "abalone", "run": run, "retuned": "false"},
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json", "S3Uri": f"s3://{self.bucket}/{key}",
                    }
                },
                "ModelDataQuality": {
                    "Constraints": {
                        "ContentType": "application/json", "S3Uri": f"s3://{self.bucket}/c.json",
                    }
                },
            },
            InferenceSpecification={
                "Containers": [
                    {"Image": "signalbox/programs:latest", "ModelDataUrl": f"s3://{self.bucket}/m"}
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            **made,
        )  # fmt: skip
        self.cloud.run_until_idle()
        return str(answer["ModelPackageArn"])

    def judge(self, package: str, approval: str) -> None:
        """Approve or reject a version."""
        self.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=approval)
        self.cloud.run_until_idle()

    def states(self) -> dict[int, str]:
        """The state of every card, by version."""
        return {
            int(each["ModelCardName"].rpartition("-")[2]): each["ModelCardStatus"]
            for page in self.sagemaker.get_paginator("list_model_cards").paginate()
            for each in page["ModelCardSummaries"]
        }

    def accept(self, account: str) -> Outcome:
        """Do what accept_share does in an account."""
        return Accepting(OWNER, Invitations(self.cloud.client("ram", account))).accept()

    def reads(self, account: str, version: int) -> bool:
        """Whether the administrator of an account can see a card."""
        return self._may(account, "describe_model_card", version)

    def edits(self, account: str, version: int) -> bool:
        """Whether the administrator of an account can change a card; it is changed then."""
        content = json.dumps({"model_overview": {"model_owner": account}})
        return self._may(account, "update_model_card", version, Content=content)

    def reads_copy(self, account: str, key: str) -> bool:
        """Whether the administrator of an account can read what lies in the bucket of cards."""
        return self._allowed(
            self.cloud.client("s3", account).get_object, Bucket=self.bucket, Key=key
        )

    def lists(self, account: str, prefix: str) -> bool:
        """Whether the administrator of an account can see what lies under a prefix of the bucket of cards."""
        return self._allowed(
            self.cloud.client("s3", account).list_objects_v2, Bucket=self.bucket, Prefix=prefix
        )

    def copies(self) -> list[str]:
        """What lies in the bucket of cards."""
        found = self.cloud.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="cards/")
        return [each["Key"] for each in found.get("Contents", [])]

    def told(self, name: str) -> list[dict[str, Any]]:
        """What the house said, of one kind."""
        return [
            record.detail["detail"]
            for record in self.cloud.journal
            if record.kind == "event" and record.name == name
        ]

    def changes(self, version: int) -> list[str]:
        """What became known of a card, in order: its states, and the stages it was shared with."""
        name = f"{GROUP}-{version}"
        found = []
        for record in self.cloud.journal:
            told = record.detail.get("detail", {}) if record.kind == "event" else {}
            if told.get("ModelCardName") == name:
                found.append(str(told["ModelCardStatus"]))
            elif record.name == "ModelCardShared" and told.get("card") == name:
                found.append(str(told["stage"]))
        return found

    def subscribe(self) -> str:
        """Have every mail about models in a queue; returns its URL."""
        return mailbox(self.cloud, "ModelsTopicArn", "everybody")[0]

    def kinds(self, queue: str) -> list[str]:
        """The kinds of the mails about cards that came into a queue since it was looked into last."""
        found = []
        sqs = self.cloud.client("sqs")
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
                attributes = json.loads(each["Body"])["MessageAttributes"]
                found.append(str(attributes["kind"]["Value"]))
        return sorted(kind for kind in found if kind.startswith("card-"))

    def shares(self) -> dict[str, dict[str, Any]]:
        """The shares of the owner that stand, by name."""
        found = self.cloud.client("ram").get_resource_shares(
            resourceOwner="SELF", resourceShareStatus="ACTIVE"
        )["resourceShares"]
        return {each["name"]: each for each in found}

    def invoke(self, door: str, event: Any) -> None:
        """Hand an event to a door, as a rule does."""
        self.cloud.client("lambda").invoke(
            FunctionName=self.cloud.physical_id(door), InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )  # fmt: skip

    def environment(self, function: str) -> dict[str, str]:
        """What the template tells a function: as `cli.place.Place` does."""
        found = self.cloud.client("lambda").get_function_configuration(
            FunctionName=self.cloud.physical_id(function)
        )
        return dict(found["Environment"]["Variables"])

    def table(self, logical_id: str) -> str:
        """The name of a table of the stack: as `cli.place.Place` does."""
        return self.cloud.physical_id(logical_id)

    def client(self, service: str) -> Any:
        """A client of the owner: as `cli.place.Place` does."""
        return self.cloud.client(service)

    def shown(self, show: Callable[..., int], *arguments: Any) -> tuple[int, Any]:
        """What a command shows of this cloud, as JSON, and its exit code."""
        console = Console(file=io.StringIO(), width=400)
        code = show(console, self, *arguments, as_json=True)
        return code, json.loads(console.file.getvalue())  # type: ignore[attr-defined]

    def denied(self) -> list[tuple[str, str]]:
        """What a role of the house wanted and was not allowed: action, resource."""
        return [
            (record.name, record.detail["resource"])
            for record in self.cloud.journal
            if record.kind == "call" and record.status == "denied" and record.detail.get("role")
        ]

    def _may(self, account: str, operation: str, version: int, **more: str) -> bool:
        call = getattr(self.cloud.client("sagemaker", account), operation)
        return self._allowed(call, ModelCardName=arn_of(version), **more)

    def _allowed(self, call: Callable[..., Any], **members: str) -> bool:
        """Whether a call is let through; what else is wrong with it is raised."""
        try:
            call(**members)
        except ClientError as problem:
            if not problem.response["Error"]["Code"].startswith("AccessDenied"):
                raise
            return False
        return True


@contextmanager
def cards(executor: str, rules: SharingRules | None = None, **parameters: str) -> Iterator[Cards]:
    """A cloud that shares cards with dev, test and prod."""
    told = {**ACCOUNTS, **parameters}
    with running(executor=executor, parameters=told, sharing=rules or SharingRules()) as cloud:
        yield Cards(cloud)
