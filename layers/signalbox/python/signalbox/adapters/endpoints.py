"""Real-time endpoints of SageMaker, each with an alarm that an update watches.

Source: CreateModel, CreateEndpointConfig, CreateEndpoint, UpdateEndpoint, DescribeEndpoint of the
SageMaker API Reference; "Auto-Rollback Configuration and Monitoring" of its Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.packages import Smoke
from signalbox.domain.endpoints import Endpoint
from signalbox.errors import Transient

VARIANT = "main"
BAKE_S = 300
"""How long an update is watched before the former fleet goes."""
_LONGEST_S = 3600
_REFUSED = "ValidationException"
_FROM_MODEL = "ModelError"
_PATIENCE_S = 25
"""As long as a sample may take: the door that asks has 60 s, and a model that hangs must be told of."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """What packaged models run as, and on what; ``device`` is told to the house's own container."""

    role: str
    instance_type: str
    device: str


def alarm_of(endpoint: str) -> str:
    """Return the name of the alarm that watches an endpoint."""
    return f"{endpoint}-errors"


class SageMakerEndpoints:
    """Endpoints of one variant on one instance."""

    def __init__(
        self, hosting: Hosting, sagemaker: Any = None, runtime: Any = None, cloudwatch: Any = None
    ) -> None:
        self._hosting = hosting
        self._sagemaker = sagemaker or connect("sagemaker")
        self._runtime = runtime or connect("sagemaker-runtime", attempts=1, read_s=_PATIENCE_S)
        self._cloudwatch = cloudwatch or connect("cloudwatch")

    def look(self, name: str) -> Endpoint | None:
        """Return what is known of an endpoint, or None if there is none."""
        with calling("sagemaker:DescribeEndpoint", f"endpoint {name}"):
            try:
                told = self._sagemaker.describe_endpoint(EndpointName=name)
            except ClientError as problem:
                if code_of(problem) == _REFUSED:  # a good name that is not known
                    return None
                raise
        return Endpoint(
            status=told["EndpointStatus"],
            # none while an endpoint is created, and after that failed
            config=told.get("EndpointConfigName", ""),
            modified=told["LastModifiedTime"].isoformat(),
            reason=told.get("FailureReason", ""),
        )

    def prepare(self, package: str, config: str) -> None:
        """Make a model of the package and a configuration of it, both of this name, unless there.

        AWS answers a name that is taken as it answers any bad request, so the thing is asked for.
        """
        told, sagemaker = self._hosting, self._sagemaker
        with calling("sagemaker:CreateModel", f"model {config}"):
            _unless_there(
                lambda: sagemaker.create_model(
                    ModelName=config,
                    ExecutionRoleArn=told.role,
                    PrimaryContainer={
                        "ModelPackageName": package,
                        "Environment": {"SIGNALBOX_DEVICE": told.device},
                    },
                ),
                lambda: sagemaker.describe_model(ModelName=config),
            )
        variant = {
            "VariantName": VARIANT,
            "ModelName": config,
            "InstanceType": told.instance_type,
            "InitialInstanceCount": 1,
        }
        with calling("sagemaker:CreateEndpointConfig", f"endpoint configuration {config}"):
            _unless_there(
                lambda: sagemaker.create_endpoint_config(
                    EndpointConfigName=config, ProductionVariants=[variant]
                ),
                lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config),
            )

    def create(self, name: str, config: str) -> None:
        """Create an endpoint unless it is there."""
        with calling("sagemaker:CreateEndpoint", f"endpoint {name}"):
            _unless_there(
                lambda: self._sagemaker.create_endpoint(
                    EndpointName=name, EndpointConfigName=config
                ),
                lambda: self._sagemaker.describe_endpoint(EndpointName=name),
            )

    def update(self, name: str, config: str, *, guarded: bool) -> None:
        """Serve by another configuration; guarded: it goes back by itself if its alarm goes off.

        Raises:
            Transient: it is just being changed.
        """
        more: dict[str, Any] = {}
        if guarded:
            self._watch(name)
            shift = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": BAKE_S}
            more["DeploymentConfig"] = {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": shift,
                    "MaximumExecutionTimeoutInSeconds": _LONGEST_S,
                },
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_of(name)}]},
            }
        with calling("sagemaker:UpdateEndpoint", f"endpoint {name}"):
            try:
                self._sagemaker.update_endpoint(
                    EndpointName=name, EndpointConfigName=config, **more
                )
            except ClientError as problem:
                found = self.look(name)
                if found is not None and not found.settled:
                    raise Transient(f"endpoint {name} is just being changed") from problem
                raise

    def delete(self, name: str) -> None:
        """Delete an endpoint unless it is gone."""
        with calling("sagemaker:DeleteEndpoint", f"endpoint {name}"):
            try:
                self._sagemaker.delete_endpoint(EndpointName=name)
            except ClientError as problem:
                found = self.look(name)
                if found is not None and found.status != "Deleting":
                    raise problem from None

    def invoke(self, name: str, sample: Smoke) -> str | None:
        """Ask the model; return why that did not work, or None."""
        with calling("sagemaker:InvokeEndpoint", f"endpoint {name}"):
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=name,
                    ContentType=sample.content_type,
                    Accept=sample.accept,
                    Body=sample.body.encode(),
                )
                why_not = sample.differs(answer["Body"].read())
            except ClientError as problem:
                if code_of(problem) != _FROM_MODEL:
                    raise
                said = str(problem.response.get("OriginalMessage", ""))[:300]
                status = problem.response.get("OriginalStatusCode", code_of(problem))
                return f"the sample request was answered with {status}: {said}".rstrip(": ")
            except ReadTimeoutError:
                return f"the sample request was not answered within {_PATIENCE_S} s"
        return None if why_not is None else f"the sample request was {why_not}"

    def _watch(self, name: str) -> None:
        """The alarm of an endpoint: any answer that is the container's fault, within a minute."""
        with calling("cloudwatch:PutMetricAlarm", f"alarm {alarm_of(name)}"):
            self._cloudwatch.put_metric_alarm(
                AlarmName=alarm_of(name),
                AlarmDescription=f"endpoint {name} answers with server errors; an update goes back",
                Namespace="AWS/SageMaker",
                MetricName="Invocation5XXErrors",
                Dimensions=[
                    {"Name": "EndpointName", "Value": name},
                    {"Name": "VariantName", "Value": VARIANT},
                ],
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=0,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="notBreaching",
            )


def _unless_there(create: Callable[[], Any], describe: Callable[[], Any]) -> None:
    try:
        create()
    except ClientError as problem:
        try:
            describe()
        except ClientError:
            raise problem from None
