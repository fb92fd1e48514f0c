"""The model registry of SageMaker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.packages import APPROVED, PENDING, REJECTED, Package, group_and_version

_NONE = frozenset({"ResourceNotFound", "ValidationException"})
"""What is answered where there is no such package or group: SageMaker names no code for that."""


class ModelRegistry:
    """Model packages, by their ARNs."""

    def __init__(self, client: Any = None) -> None:
        self._sagemaker = client or connect("sagemaker")

    def find(self, arn: str) -> Package | None:
        """Return a package as it is now, or None if there is none."""
        with calling("sagemaker:DescribeModelPackage", arn):
            try:
                found = self._sagemaker.describe_model_package(ModelPackageName=arn)
            except ClientError as problem:
                if code_of(problem) in _NONE:
                    return None
                raise
        return package_of(found)

    def approved(self, group: str) -> Iterator[Package]:
        """Give the approved packages of a group, the highest version first, each when it is asked for."""
        arns = self.listing(group, APPROVED)
        for arn in sorted(arns, key=lambda arn: -group_and_version(arn)[1]):
            package = self.find(arn)
            if package is not None and package.approval == APPROVED:
                yield package

    def listing(self, group: str, approval: str | None = None) -> list[str]:
        """Return the ARNs of a group's packages, or of those with this approval status; none of no group."""
        narrower = {} if approval is None else {"ModelApprovalStatus": approval}
        with calling("sagemaker:ListModelPackages", f"group {group}"):
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group, **narrower
            )
            try:
                return [
                    str(each["ModelPackageArn"])
                    for page in pages
                    for each in page["ModelPackageSummaryList"]
                ]
            except ClientError as problem:
                if code_of(problem) in _NONE:  # no group: nothing was ever registered
                    return []
                raise

    def groups(self, beginning: str) -> list[str]:
        """Return the names of all package groups that begin like this."""
        with calling("sagemaker:ListModelPackageGroups", beginning):
            pages = self._sagemaker.get_paginator("list_model_package_groups").paginate(
                NameContains=beginning
            )
            names = [
                str(each["ModelPackageGroupName"])
                for page in pages
                for each in page["ModelPackageGroupSummaryList"]
            ]
        return sorted(name for name in names if name.startswith(beginning))

    def put_back(self, package: Package, why: str) -> None:
        """Make an approved package wait for approval again."""
        self.decide(package, PENDING, why, {})

    def reject(self, package: Package, why: str) -> None:
        """Reject an approved package."""
        self.decide(package, REJECTED, " ".join(why.split()), {})

    def decide(self, package: Package, approval: str, why: str, metadata: dict[str, str]) -> None:
        """Set a package's approval status; ``metadata`` is added to what it has."""
        told = {"ApprovalDescription": why[:1024]} if why else {}
        with calling("sagemaker:UpdateModelPackage", package.arn):
            self._sagemaker.update_model_package(
                ModelPackageArn=package.arn,
                ModelApprovalStatus=approval,
                CustomerMetadataProperties={**package.metadata, **metadata},
                **told,
            )


def package_of(told: dict[str, Any]) -> Package:
    """Return what the house reads of DescribeModelPackage's answer."""
    metrics = told.get("ModelMetrics") or {}
    # what later data are held against; a package of other hands may have the baseline of its own data alone
    drift = told.get("DriftCheckBaselines") or metrics
    containers = (told.get("InferenceSpecification") or {}).get("Containers") or []
    return Package(
        arn=told["ModelPackageArn"],
        status=told["ModelPackageStatus"],
        approval=told.get("ModelApprovalStatus", ""),
        statistics=_place(metrics, "ModelQuality", "Statistics"),
        constraints=_place(drift, "ModelDataQuality", "Constraints"),
        reason="; ".join(_reasons(told.get("ModelPackageStatusDetails") or {})),
        metadata=told.get("CustomerMetadataProperties") or {},
        images=tuple(each["Image"] for each in containers if "Image" in each),
        artifacts=tuple(each["ModelDataUrl"] for each in containers if "ModelDataUrl" in each),
        execution=(told.get("MetadataProperties") or {}).get("GeneratedBy"),
    )


def _place(metrics: dict[str, Any], kind: str, what: str) -> str | None:
    return ((metrics.get(kind) or {}).get(what) or {}).get("S3Uri")


def _reasons(details: dict[str, Any]) -> list[str]:
    found = [
        each.get("FailureReason")
        for kind in ("ValidationStatuses", "ImageScanStatuses")
        for each in details.get(kind) or []
    ]
    return [each for each in found if each]
