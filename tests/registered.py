"""Models of the workload hvac in the local cloud: registered as its pipeline would, approved by people."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from cli.post import mailbox
from cli.publish import packed
from localcloud import Cloud
from signalbox.contracts.packages import APPROVED, PENDING, promotion_of
from signalbox.contracts.registry import group_of
from tests.promoted import DEPLOY, RUN, evaluation
from tests.standin import model_folder

GROUP = group_of("hvac")
SAMPLE = json.dumps({"windows": [[0.0, 0.0]] * 4, "valid": 4}) + "\n"
LINES = "application/jsonlines"


class Models:
    """A cloud whose workload hvac has an owner, an endpoint if wanted, and a deploy pipeline."""

    def __init__(self, cloud: Cloud, host: str, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.s3, self.bucket = cloud.client("s3"), cloud.physical_id("DataBucket")
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        cloud.client("secretsmanager").create_secret(
            Name="signalbox/gitlab", SecretString="glptt-5up3r53cr3t"
        )
        self.operate(deploy=DEPLOY | {"host": host})
        self.queue = self._subscribed()

    def operate(self, **told: object) -> None:
        """Ship workloads of which hvac has operations."""
        s3 = self.s3
        listing = s3.list_objects_v2(Bucket=self.cloud.packages, Prefix="shipped/workloads-")
        (place,) = ({"Bucket": self.cloud.packages, "Key": e["Key"]} for e in listing["Contents"])
        workloads = json.loads(s3.get_object(**place)["Body"].read())
        own = {"owner": "models@example.com", "card": {"purpose": "foretell faults"}}
        workloads["hvac"]["operations"] = workloads["hvac"].get("operations", {}) | own | told
        s3.put_object(**place, Body=json.dumps(workloads).encode())

    def _subscribed(self) -> str:
        wanted = {"owner": ["models@example.com"], "kind": ["model"]}
        return mailbox(self.cloud, "ModelsTopicArn", "owner", wanted)[0]

    def register(self, number: int, *, sample: str | None = SAMPLE, **metadata: str) -> str:
        """What the pipeline's last step does; returns the package's ARN."""
        run = f"{RUN[:-1]}{number}"
        place, bucket = f"operations/hvac/{run}/evaluation.json", self.bucket
        self.write(place, evaluation(rmse=2.0 + number))
        archive = f"packages/hvac/{run}/model.tar.gz"
        self.write(archive, packed(model_folder(self.folder / str(number))))
        if sample is not None:
            told = {"content_type": LINES, "accept": LINES, "body": sample}
            self.write(f"operations/hvac/{run}/smoke.json", json.dumps(told).encode())
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP, ModelApprovalStatus=PENDING,
            CustomerMetadataProperties={"workload": "hvac", "run": run, **metadata},
            ModelMetrics={
                "ModelQuality": {"Statistics": {
                    "ContentType": "application/json", "S3Uri": f"s3://{bucket}/{place}"}},
                "ModelDataQuality": {"Constraints": {
                    "ContentType": "application/json", "S3Uri": f"s3://{bucket}/constraints.json"}},
            },
            InferenceSpecification={
                "Containers": [{
                    "Image": "signalbox/onnx-inference:latest",
                    "ModelDataUrl": f"s3://{bucket}/{archive}"}],
                "SupportedContentTypes": [LINES], "SupportedResponseMIMETypes": [LINES],
            },
        )  # fmt: skip
        self.rest()
        return str(made["ModelPackageArn"])

    def write(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def prepare(self, package: str) -> None:
        """What a promotion that died has made: model and configuration."""
        name = promotion_of(package)
        role = self.cloud.client("iam").get_role(RoleName=self.cloud.physical_id("EndpointRole"))
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=role["Role"]["Arn"],
            PrimaryContainer={"ModelPackageName": package},
        )  # fmt: skip
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large",
                   "InitialInstanceCount": 1}  # fmt: skip
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])

    def decide(self, package: str, status: str, **more: dict[str, str]) -> None:
        self.sagemaker.update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status, **more
        )

    def approve(self, package: str, **more: dict[str, str]) -> None:
        self.decide(package, APPROVED, **more)
        self.rest()

    def rest(self) -> None:
        """Everything there is to do, and the ten minutes that an endpoint takes at most."""
        self.cloud.run_until_idle()
        self.cloud.run_for(timedelta(minutes=10))
        self.cloud.run_until_idle()

    def mails(self) -> list[str]:
        """The statuses of the mails since last time."""
        return [each["MessageAttributes"]["status"]["Value"] for each in self.letters()]

    def letters(self) -> list[dict]:
        found, sqs = [], self.cloud.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in messages:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return found

    def serving(self) -> str:
        """The configuration of the endpoint, which answers."""
        answer = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=GROUP, ContentType=LINES, Accept=LINES, Body=SAMPLE.encode()
        )
        assert json.loads(answer["Body"].read())["log_probabilities"]
        return str(self.sagemaker.describe_endpoint(EndpointName=GROUP)["EndpointConfigName"])

    def events(self, name: str) -> list[dict]:
        """The details of the events of the house of this name."""
        return [
            r.detail["detail"]
            for r in self.cloud.journal
            if r.kind == "event" and r.name == name and r.detail["source"] == "signalbox"
        ]

    def said(self) -> list[str]:
        """What the house said of models, in order."""
        names = (
            "ModelPendingApproval", "ModelPromoted", "PromotionFailed", "DeployCalled",
            "DeployCallFailed",
        )  # fmt: skip
        return [r.name for r in self.cloud.journal if r.kind == "event" and r.name in names]
