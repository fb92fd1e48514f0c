"""SageMaker: models, endpoints, pipelines and groups of model packages, played by localcloud.engines."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

_LONGEST_NAME = 63


@resource(
    "AWS::SageMaker::Model", "EnableNetworkIsolation", "ExecutionRoleArn", "ModelName",
    "PrimaryContainer", "Tags",
)  # fmt: skip
def model(props: Props, maker: Maker) -> Made:
    """A model of one container. Ref is its ARN: "Return values" of the CloudFormation page."""
    name = props.text("ModelName") or maker.name(_LONGEST_NAME)
    role = str(props.need("ExecutionRoleArn"))
    container = props.group("PrimaryContainer")
    if container is None:
        raise props.error("PrimaryContainer", "is required")
    names = ("ContainerHostname", "Image", "Mode", "ModelDataUrl", "ModelPackageName")
    request: dict[str, Any] = _texts(container, *names)
    variables = container.take("Environment") or {}
    request["Environment"] = {str(key): str(value) for key, value in variables.items()}
    if props.boolean("EnableNetworkIsolation"):
        raise props.error("EnableNetworkIsolation", "is not supported by the local cloud")
    arn = maker.client("sagemaker").create_model(
        ModelName=name, ExecutionRoleArn=role, PrimaryContainer=request, Tags=_tags(props)
    )["ModelArn"]
    return Made(arn, {"ModelArn": arn, "ModelName": name}, {"role": role})


@resource(
    "AWS::SageMaker::EndpointConfig", "AsyncInferenceConfig", "EndpointConfigName", "KmsKeyId",
    "ProductionVariants", "Tags", kept=("KmsKeyId",),
)  # fmt: skip
def endpoint_config(props: Props, maker: Maker) -> Made:
    """A configuration of one variant on one instance."""
    name = props.text("EndpointConfigName") or maker.name(_LONGEST_NAME)
    variants = [_variant(each) for each in props.groups("ProductionVariants")]
    more: dict[str, Any] = _texts(props, "KmsKeyId")
    if (later := props.group("AsyncInferenceConfig")) is not None:
        more["AsyncInferenceConfig"] = _later(later)
    arn = maker.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, Tags=_tags(props), **more
    )["EndpointConfigArn"]
    return Made(arn, {"EndpointConfigArn": arn, "EndpointConfigName": name})


def _later(given: Props) -> dict[str, Any]:
    """AsyncInferenceConfig."""
    output = given.group("OutputConfig")
    if output is None:
        raise given.error("OutputConfig", "is required")
    told: dict[str, Any] = _texts(output, "KmsKeyId", "S3FailurePath", "S3OutputPath")
    if (topics := output.group("NotificationConfig")) is not None:
        told["NotificationConfig"] = _texts(topics, "ErrorTopic", "SuccessTopic")
    config: dict[str, Any] = {"OutputConfig": told}
    if (client := given.group("ClientConfig")) is not None:
        most = client.integer("MaxConcurrentInvocationsPerInstance")
        config["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": most}
    return config


def _texts(props: Props, *names: str) -> dict[str, str]:
    """Those of some texts that are there."""
    return {name: props.text(name) for name in names if name in props}


def _variant(given: Props) -> dict[str, Any]:
    variant: dict[str, Any] = {
        "VariantName": given.need("VariantName"),
        "ModelName": given.need("ModelName"),
        "InstanceType": given.need("InstanceType"),
        "InitialInstanceCount": given.integer("InitialInstanceCount", 1),
        "InitialVariantWeight": float(given.take("InitialVariantWeight", 1.0)),
    }
    for name in (
        "ContainerStartupHealthCheckTimeoutInSeconds", "ModelDataDownloadTimeoutInSeconds",
        "VolumeSizeInGB",
    ):  # fmt: skip
        if name in given:
            variant[name] = given.integer(name)
    if "InferenceAmiVersion" in given:
        variant["InferenceAmiVersion"] = given.text("InferenceAmiVersion")
    return variant


@resource("AWS::SageMaker::Endpoint", "EndpointConfigName", "EndpointName", "Tags")
def endpoint(props: Props, maker: Maker) -> Made:
    """An endpoint; deploying does not wait for it, as time does not pass meanwhile."""
    name = props.text("EndpointName") or maker.name(_LONGEST_NAME)
    arn = maker.client("sagemaker").create_endpoint(
        EndpointName=name,
        EndpointConfigName=str(props.need("EndpointConfigName")),
        Tags=_tags(props),
    )["EndpointArn"]
    return Made(arn, {"EndpointArn": arn, "EndpointName": name})


@resource(
    "AWS::SageMaker::Pipeline", "ParallelismConfiguration", "PipelineDefinition",
    "PipelineDescription", "PipelineDisplayName", "PipelineName", "RoleArn", "Tags",
)  # fmt: skip
def pipeline(props: Props, maker: Maker) -> Made:
    """A pipeline; its definition is checked here. Ref is its name."""
    name, role = str(props.need("PipelineName")), str(props.need("RoleArn"))
    given = props.group("PipelineDefinition")
    if given is None:
        raise props.error("PipelineDefinition", "is required")
    request: dict[str, Any] = _texts(props, "PipelineDescription", "PipelineDisplayName")
    if (parallel := props.group("ParallelismConfiguration")) is not None:
        most = parallel.integer("MaxParallelExecutionSteps")
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": most}
    maker.client("sagemaker").create_pipeline(
        PipelineName=name, RoleArn=role, Tags=_tags(props), **_definition(given, maker), **request
    )
    return Made(name, facts={"role": role})


def _definition(given: Props, maker: Maker) -> dict[str, Any]:
    """PipelineDefinitionBody or PipelineDefinitionS3Location, as the API has them."""
    place = given.group("PipelineDefinitionS3Location")
    if (place is None) == ("PipelineDefinitionBody" not in given):
        raise given.error("PipelineDefinitionBody", "or PipelineDefinitionS3Location is required")
    if place is None:
        body = given.take("PipelineDefinitionBody")
        return {"PipelineDefinition": body if isinstance(body, str) else json.dumps(body)}
    where = {"Bucket": str(place.need("Bucket")), "ObjectKey": str(place.need("Key"))}
    if version := place.text("Version"):
        where["VersionId"] = version
    if etag := place.text("ETag"):
        asked = {"Bucket": where["Bucket"], "Key": where["ObjectKey"]}
        asked |= {"VersionId": version} if version else {}
        found = maker.client("s3").head_object(**asked)["ETag"].strip('"')
        if found != etag.strip('"'):
            raise place.error("ETag", f"is not that of the object, {found}")
    return {"PipelineDefinitionS3Location": where}


@resource(
    "AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupDescription", "ModelPackageGroupName",
    "Tags",
)  # fmt: skip
def model_package_group(props: Props, maker: Maker) -> Made:
    """A group of model packages. Ref is its ARN."""
    name = str(props.need("ModelPackageGroupName"))
    client = maker.client("sagemaker")
    arn = client.create_model_package_group(
        ModelPackageGroupName=name,
        Tags=_tags(props),
        **_texts(props, "ModelPackageGroupDescription"),
    )["ModelPackageGroupArn"]
    facts = client.describe_model_package_group(ModelPackageGroupName=name)
    attributes = {
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupStatus": str(facts["ModelPackageGroupStatus"]),
        "CreationTime": facts["CreationTime"].isoformat(),
    }
    return Made(arn, attributes)


def _tags(props: Props) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in props.tags().items()]
