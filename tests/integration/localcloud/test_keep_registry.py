"""The model registry outlives a cloud whose state is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from localcloud import Cloud
from tests.integration.localcloud.builds import write_build
from tests.integration.localcloud.pipelines import PACKAGE, details

GROUP = """
  Group:
    Type: AWS::SageMaker::ModelPackageGroup
    Properties: {ModelPackageGroupName: ages, Tags: [{Key: team, Value: a}]}
"""


def register(cloud: Cloud, group: str) -> str:
    answer = cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=group, CustomerMetadataProperties={"run": "1"}
    )
    return str(answer["ModelPackageArn"])


def described(cloud: Cloud, arn: str) -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
    answer.pop("ResponseMetadata")
    return dict(answer)


def test_packages_and_their_numbers_go_on(tmp_path: Path) -> None:
    build, state = write_build(tmp_path, GROUP, {}), tmp_path / "state"
    with Cloud(build, state=state) as cloud:
        cloud.deploy()
        client = cloud.client("sagemaker")
        client.create_model_package_group(
            ModelPackageGroupName="mine", Tags=[{"Key": "k", "Value": "v"}]
        )
        arns = [register(cloud, "ages"), register(cloud, "ages"), register(cloud, "mine")]
        client.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
        client.delete_model_package(ModelPackageName=arns[1])
        before = [described(cloud, arns[0]), described(cloud, arns[2])]
        cloud.run_until_idle()
    with Cloud(build, state=state) as cloud:
        cloud.deploy()
        told = len(details(cloud, PACKAGE))
        assert [described(cloud, arns[0]), described(cloud, arns[2])] == before
        assert register(cloud, "ages").endswith("/3")
        assert len(details(cloud, PACKAGE)) == told + 1  # what came back told nothing
        client = cloud.client("sagemaker")
        arn = client.describe_model_package_group(ModelPackageGroupName="mine")[
            "ModelPackageGroupArn"
        ]
        assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
