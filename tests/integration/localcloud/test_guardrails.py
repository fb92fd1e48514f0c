"""Updates of endpoints that are watched: traffic goes over, bakes, and comes back if an alarm trips."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.test_endpoints import (
    Ready,
    create,
    describe,
    invoke,
    processes,
    ready,
    runs,
    statuses,
)

__all__ = ["ready"]

MINUTE = timedelta(minutes=1)
POLICY = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}}


def watched(alarm: str = "fleet-errors", **policy: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": POLICY | policy,
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }


def begin(cloud: Cloud, **changes: Any) -> None:
    """An endpoint whose alarm hears of server errors is updated, and the new fleet is healthy."""
    create(cloud)
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="fleet-errors", Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": "Fleet"}, {"Name": "VariantName", "Value": "main"},
        ],
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=0,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip
    cloud.client("sagemaker").update_endpoint(
        EndpointName="Fleet", EndpointConfigName="v2", DeploymentConfig=watched() | changes
    )
    cloud.run_for(MINUTE * 1.5)


def test_traffic_goes_over_bakes_and_stays(ready: Ready) -> None:
    cloud = ready("v1", "v2")
    begin(cloud)
    assert describe(cloud)["EndpointStatus"] == "Updating"
    assert invoke(cloud) == b"v2:1\n"
    assert [runs(process) for process in processes(cloud)] == [True, True]
    cloud.run_for(6 * MINUTE)
    endpoint = describe(cloud)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "v2")
    assert endpoint["LastDeploymentConfig"] == watched()
    assert [runs(process) for process in processes(cloud)] == [False, True]
    assert statuses(cloud)[2:] == ["UPDATING", "IN_SERVICE"]


def test_an_answer_that_is_the_containers_fault_takes_it_back(ready: Ready) -> None:
    cloud = ready("v1", "v2")
    begin(cloud)
    with pytest.raises(ClientError, match="no luck"):
        invoke(cloud, b"broken")
    cloud.run_for(6 * MINUTE)
    endpoint = describe(cloud)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "v1")
    assert endpoint["FailureReason"] == "alarm fleet-errors tripped during the deployment"
    assert invoke(cloud) == b"v1:1\n"
    assert [runs(process) for process in processes(cloud)] == [True, False]
    assert statuses(cloud)[2:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_an_alarm_that_is_not_there_takes_it_back_too(ready: Ready) -> None:
    cloud = ready("v1", "v2")
    begin(cloud, **watched("nobodys"))
    cloud.run_for(6 * MINUTE)
    assert describe(cloud)["FailureReason"] == "there is no alarm nobodys"


NARROW = """
  Narrow:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: some
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: ["s3:GetObject", "logs:*"], Resource: "*"}
"""


def test_the_models_role_reads_the_alarms(ready: Ready) -> None:
    cloud = ready("v1", "v2", resources=BUCKET + ROLE + NARROW)
    sagemaker = cloud.client("sagemaker")
    container = sagemaker.describe_model(ModelName="v2")["PrimaryContainer"]
    sagemaker.delete_model(ModelName="v2")
    sagemaker.create_model(
        ModelName="v2", PrimaryContainer=container,
        ExecutionRoleArn="arn:aws:iam::123456789012:role/signalbox-Narrow",
    )  # fmt: skip
    begin(cloud)
    cloud.run_for(6 * MINUTE)
    endpoint = describe(cloud)
    assert endpoint["EndpointConfigName"] == "v1"
    assert "cannot be read" in endpoint["FailureReason"]
    assert "cloudwatch:DescribeAlarms" in endpoint["FailureReason"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {
                "Type": "CANARY", "WaitIntervalInSeconds": 60,
                "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}}},
            "CANARY",
        ),
        (
            {"RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                "WaitIntervalInSeconds": 60}},
            "RollingUpdatePolicy",
        ),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}, "BlueGreenUpdatePolicy"),
    ],
)  # fmt: skip
def test_steps_that_one_instance_has_not_are_refused(
    ready: Ready, config: dict[str, Any], message: str
) -> None:
    cloud = ready("v1", "v2")
    create(cloud)
    with pytest.raises(ClientError, match=message):
        cloud.client("sagemaker").update_endpoint(
            EndpointName="Fleet", EndpointConfigName="v2", DeploymentConfig=config
        )
