"""The model registry of SageMaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.packages import APPROVED, PENDING, Package

_NONE = frozenset({"ResourceNotFound", "ValidationException"})
"""What DescribeModelPackage answers where there is no such package; its ARN is known to be one."""


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

    def approved(self, group: str) -> Sequence[Package]:
        """Return the approved packages of a group, the newest version first."""
        found = [self.find(arn) for arn in self.listing(group, APPROVED)]
        packages = [each for each in found if each is not None and each.approval == APPROVED]
        return sorted(packages, key=lambda each: -each.version)

    def listing(self, group: str, approval: str | None = None) -> list[str]:
        """Return the ARNs of a group's packages, or of those with this approval status."""
        narrower = {} if approval is None else {"ModelApprovalStatus": approval}
        with calling("sagemaker:ListModelPackages", f"group {group}"):
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group, **narrower
            )
            return [
                str(each["ModelPackageArn"])
                for page in pages
                for each in page["ModelPackageSummaryList"]
            ]

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
    quality = (told.get("ModelMetrics") or {}).get("ModelQuality") or {}
    containers = (told.get("InferenceSpecification") or {}).get("Containers") or [{}]
    return Package(
        arn=told["ModelPackageArn"],
        status=told["ModelPackageStatus"],
        approval=told.get("ModelApprovalStatus", ""),
        statistics=(quality.get("Statistics") or {}).get("S3Uri"),
        model_data=containers[0].get("ModelDataUrl"),
        reason="; ".join(_reasons(told.get("ModelPackageStatusDetails") or {})),
        metadata=told.get("CustomerMetadataProperties") or {},
    )


def _reasons(details: dict[str, Any]) -> list[str]:
    found = [
        each.get("FailureReason")
        for kind in ("ValidationStatuses", "ImageScanStatuses")
        for each in details.get(kind) or []
    ]
    return [each for each in found if each]
