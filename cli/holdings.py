"""What a deployment holds outside its stack, kind by kind: how to list it, and how to remove one.

In the order in which it can go: what runs ends first; shares go before the cards that they share, endpoints
before their configurations and models, packages before their group. All names begin with ``signalbox-``, but
those of models that scored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.place import Place
from cli.runs import deployed
from cli.workloads import names
from signalbox.adapters.resource_shares import READER
from signalbox.contracts.cards import parse_share_name
from signalbox.contracts.registry import PREFIX
from signalbox.contracts.sagemaker import SCORES_JOB

_MOST_KEYS = 1000  # DeleteObjects


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of things: ``named`` lists them as people know them, ``remove`` takes one of those."""

    title: str
    named: Callable[[], list[str]]
    remove: Callable[[str], None]


def kinds(place: Place) -> list[Kind]:
    """Return all kinds but the stack and data, in the order in which they go."""
    sagemaker, ram, cloudwatch = map(place.client, ("sagemaker", "ram", "cloudwatch"))

    def of(operation: str, listed: str, name: str) -> Callable[[], list[str]]:
        return lambda: sorted(_own(sagemaker, operation, listed, name))

    def packages() -> list[str]:
        return [arn for group in groups() for arn in _packages(sagemaker, group)]

    groups = of(
        "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"
    )
    return [
        Kind(
            "run of a pipeline", lambda: _running(sagemaker, place), lambda arn: _stop(sagemaker, arn)
        ),
        Kind(
            "share of a model card", lambda: sorted(_shares(ram)), lambda each: _unshare(ram, each)
        ),
        Kind(
            "permission to read cards", lambda: _permissions(ram),
            lambda arn: ram.delete_permission(permissionArn=arn),
        ),
        Kind(
            "model card", of("list_model_cards", "ModelCardSummaries", "ModelCardName"),
            lambda name: sagemaker.delete_model_card(ModelCardName=name),
        ),
        Kind(
            "endpoint", of("list_endpoints", "Endpoints", "EndpointName"),
            lambda name: _end(sagemaker, name),
        ),
        Kind(
            "alarm of an endpoint", lambda: _alarms(cloudwatch),
            lambda name: cloudwatch.delete_alarms(AlarmNames=[name]),
        ),
        Kind(
            "endpoint configuration",
            of("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
            lambda name: sagemaker.delete_endpoint_config(EndpointConfigName=name),
        ),
        Kind(
            "model", lambda: _models(sagemaker),
            lambda name: sagemaker.delete_model(ModelName=name),
        ),
        Kind(
            "model package", packages,
            lambda arn: sagemaker.delete_model_package(ModelPackageName=arn),
        ),
        Kind(
            "group of model packages", groups,
            lambda name: sagemaker.delete_model_package_group(ModelPackageGroupName=name),
        ),
    ]  # fmt: skip


def content(place: Place, buckets: Callable[[], list[str]]) -> Kind:
    """Return the kind of what lies in buckets: named by bucket, removed by up to a thousand versions."""
    s3 = place.client("s3")
    return Kind(
        "content of a bucket",
        lambda: [each for each in buckets() if _versions(s3, each)],
        lambda bucket: _empty(s3, bucket),
    )


def _models(sagemaker: Any) -> list[str]:
    """Models behind endpoints, and those that scored: ``scores-<workload>-<version>-<digest>``."""
    scored = re.compile(rf"{SCORES_JOB}({'|'.join(each.replace('_', '-') for each in names())})-.+")
    pages = sagemaker.get_paginator("list_models").paginate()
    found = [str(each["ModelName"]) for page in pages for each in page["Models"]]
    return sorted(each for each in found if each.startswith(PREFIX) or scored.fullmatch(each))


def _own(client: Any, operation: str, listed: str, name: str) -> Iterator[str]:
    for page in client.get_paginator(operation).paginate():
        for each in page[listed]:
            if str(each[name]).startswith(PREFIX):
                yield str(each[name])


def _packages(sagemaker: Any, group: str) -> list[str]:
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    return [
        str(each["ModelPackageArn"]) for page in pages for each in page["ModelPackageSummaryList"]
    ]


def _running(sagemaker: Any, place: Place) -> list[str]:
    return [
        str(each["PipelineExecutionArn"])
        for name in deployed(sagemaker, place)
        for page in sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=name)
        for each in page["PipelineExecutionSummaries"]
        if each["PipelineExecutionStatus"] in ("Executing", "Stopping")
    ]


def _stop(sagemaker: Any, arn: str) -> None:
    token = hashlib.sha256(f"teardown {arn}".encode()).hexdigest()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)


def _shares(ram: Any) -> Iterator[str]:
    pages = ram.get_paginator("get_resource_shares").paginate(resourceOwner="SELF")
    for page in pages:
        for each in page["resourceShares"]:
            ours = parse_share_name(each["name"]) is not None
            if ours and each["status"] not in ("DELETING", "DELETED"):
                yield str(each["name"])


def _unshare(ram: Any, name: str) -> None:
    found = ram.get_resource_shares(resourceOwner="SELF", name=name)["resourceShares"]
    for each in found:
        if each["status"] not in ("DELETING", "DELETED"):
            ram.delete_resource_share(resourceShareArn=each["resourceShareArn"])


def _permissions(ram: Any) -> list[str]:
    found: list[dict[str, Any]] = []
    asked: dict[str, str] = {}
    while True:  # botocore has no paginator of it
        page = ram.list_permissions(**asked)
        found += page["permissions"]
        if not page.get("nextToken"):
            break
        asked = {"nextToken": page["nextToken"]}
    return [
        str(each["arn"])
        for each in found
        if each["name"] == READER and each.get("status") not in ("DELETING", "DELETED")
    ]


def _end(sagemaker: Any, name: str) -> None:
    """Delete an endpoint; one that is being deleted is left to it."""
    told = sagemaker.describe_endpoint(EndpointName=name)
    if told["EndpointStatus"] != "Deleting":
        sagemaker.delete_endpoint(EndpointName=name)


def _alarms(cloudwatch: Any) -> list[str]:
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=PREFIX)
    return [
        str(each["AlarmName"])
        for page in pages
        for each in page["MetricAlarms"]
        if str(each["AlarmName"]).endswith("-errors")
    ]


def _versions(s3: Any, bucket: str) -> list[dict[str, str]]:
    """Up to a thousand versions and delete markers of a bucket; none of a bucket that is gone."""
    try:
        told = s3.list_object_versions(Bucket=bucket, MaxKeys=_MOST_KEYS)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return []
    found = [*told.get("Versions", []), *told.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def _empty(s3: Any, bucket: str) -> None:
    while some := _versions(s3, bucket):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
