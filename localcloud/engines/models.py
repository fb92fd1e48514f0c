"""SageMaker models: what may be made, and the container that one is.

Citations: CreateModel and ContainerDefinition of the SageMaker API Reference; "Use Your Own
Inference Code with Hosting Services" of its Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engines.base import RunError
from localcloud.engines.container import started
from localcloud.engines.ml import MlFolder
from localcloud.engines.sagemaker import NAME, ROLE, must_match, only, refuse
from localcloud.images import Image
from localcloud.wiring import RefusedError
from localcloud.world import World

_UNPLAYED = ("InferenceExecutionConfig", "VpcConfig", "EnableNetworkIsolation")
_NOT_OF_CONTAINER = (
    "AdditionalModelDataSources", "ContainerMetricsConfig", "ImageConfig",
    "InferenceSpecificationName", "ModelDataSource", "MultiModelConfig",
)  # fmt: skip


@dataclass(frozen=True)
class Container:
    """What a model's container is made of.

    Attributes:
        role: ARN of the role it runs as.
        image: URI.
        data: S3 URI of model.tar.gz; "" for none.
        environment: its variables.
    """

    role: str
    image: str
    data: str
    environment: Mapping[str, str]


class Models:
    """Models of every account.

    Args:
        world: the cloud.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, facts: dict[str, Any]) -> None:
        """See that a model can be hosted here: one container, with or without model data.

        Raises:
            RefusedError: it cannot, or asks for what is not played.
        """
        must_match(facts, "ModelName", NAME)
        must_match({"ExecutionRoleArn": "", **facts}, "ExecutionRoleArn", ROLE)
        refuse(facts, *_UNPLAYED)
        containers = [facts.get("PrimaryContainer") or {}, *(facts.get("Containers") or [])]
        (container, *others) = [each for each in containers if each] or [{}]
        if others:
            raise RefusedError("more than one container is not supported by the local cloud")
        refuse(container, *_NOT_OF_CONTAINER)
        only(container, "Mode", "SingleModel")
        if bool(container.get("Image")) == bool(container.get("ModelPackageName")):
            raise RefusedError("a container needs an Image or a ModelPackageName, and not both")
        data = str(container.get("ModelDataUrl") or "s3://none")
        if not data.startswith("s3://"):
            raise RefusedError(f"ModelDataUrl {data!r} is not an S3 URI")
        facts["CreationTime"] = self._world.clock.now()
        facts.setdefault("EnableNetworkIsolation", False)

    def find(self, name: str, account: str) -> dict[str, Any]:
        """What DescribeModel answers.

        Raises:
            RefusedError: there is no such model, in the service's words.
        """
        try:
            answer: dict[str, Any] = self._world.client("sagemaker", account).describe_model(
                ModelName=name
            )
        except ClientError as error:
            raise RefusedError(error.response["Error"]["Message"]) from error
        return answer

    def container(self, name: str, account: str) -> Container:
        """The container of a model; one made of a model package is the package's.

        Raises:
            RefusedError: there is no such model or package, or the package has no single container.
        """
        facts = self.find(name, account)
        given = facts.get("PrimaryContainer") or facts["Containers"][0]
        environment = dict(given.get("Environment") or {})
        if given.get("ModelPackageName"):
            package = self._package(str(given["ModelPackageName"]), account)
            environment = {**(package.get("Environment") or {}), **environment}
            given = package
        return Container(
            str(facts["ExecutionRoleArn"]),
            str(given["Image"]),
            str(given.get("ModelDataUrl") or ""),
            environment,
        )

    def _package(self, name: str, account: str) -> dict[str, Any]:
        try:
            package = self._world.client("sagemaker", account).describe_model_package(
                ModelPackageName=name
            )
        except ClientError as error:
            raise RefusedError(error.response["Error"]["Message"]) from error
        containers: list[dict[str, Any]] = package.get("InferenceSpecification", {}).get(
            "Containers", []
        )
        if len(containers) != 1:
            raise RefusedError(f"model package {name} has not exactly one container")
        return containers[0]


def variant_summary(config: Mapping[str, Any], image: str, now: datetime) -> dict[str, Any]:
    """ProductionVariantSummary of a configuration's only variant, which serves from now on."""
    (variant,) = config["ProductionVariants"]
    weight, count = variant["InitialVariantWeight"], variant["InitialInstanceCount"]
    deployed = {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now}
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [deployed],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }


def serving(
    container: Container,
    images: Mapping[str, Image],
    ml: MlFolder,
    port: int,
    more: Mapping[str, str],
) -> tuple[Sequence[str], dict[str, str]]:
    """The command and environment of a container that serves, its model data in place.

    "docker run image serve"; it listens on the port of SIGNALBOX_PORT, since only a container has
    port 8080 for itself.

    Args:
        container: what to start.
        images: what is known of images.
        ml: its `/opt/ml`, with the S3 client of the model's role.
        port: where it shall listen, on 127.0.0.1.
        more: variables beside the container's own.

    Raises:
        RunError: the model data cannot be had, or nobody knows what the image starts.
    """
    ml.make("/opt/ml/model")
    if container.data:
        try:
            ml.unpack(container.data, "/opt/ml/model")
        except ClientError as error:
            message = f"ClientError: model data at {container.data} cannot be fetched: {error}"
            raise RunError(message) from error
    environment = {
        **ml.environment({**container.environment, **more}),
        "SIGNALBOX_HOST": "127.0.0.1",
        "SIGNALBOX_PORT": str(port),
    }
    return started(images, container.image, [], ["serve"], environment, ml)
