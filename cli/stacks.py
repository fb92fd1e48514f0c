"""The stack of a place: what it keeps when it goes, also when it is gone already.

DeletionPolicy Retain: CloudFormation User Guide, "DeletionPolicy attribute". A stack that was deleted is
described by its id for 90 days ("DescribeStacks", "ListStackResources"), with what it kept as
DELETE_SKIPPED; so a teardown that ended half way finds it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from cli.place import Place
from cli.whereabouts import BadUse

RETAINED = {"DataBucket": "AWS::S3::Bucket", "FleetTable": "AWS::DynamoDB::Table"}
"""What template.yaml retains, by logical id; a test holds it against the template."""


class Stack(Protocol):
    """A stack: whether it is there, and what it keeps."""

    def names(self) -> list[str]:
        """Return its name, if it is there."""

    def delete(self) -> None:
        """Delete it, unless that has begun."""

    def buckets(self) -> list[str]:
        """Return the names of the data buckets that are there."""

    def kept(self) -> list[str]:
        """Return the names of what it keeps when it goes, of those that are there."""

    def drop(self, name: str) -> None:
        """Delete something it kept."""


def stack_of(place: Place) -> Stack:
    """Return the stack of a place."""
    return LocalStack(place) if place.profile is None else AwsStack(place)


@dataclass(frozen=True)
class LocalStack:
    """The stack of the cloud that is up: it goes when that ends."""

    place: Place

    def names(self) -> list[str]:
        """Return nothing: it cannot go."""
        return []

    def delete(self) -> None:
        """Do nothing."""

    def buckets(self) -> list[str]:
        """Return the data bucket."""
        return [self.place.environment("OnDataset")["DATA_BUCKET"]]

    def kept(self) -> list[str]:
        """Return the data bucket."""
        return self.buckets()

    def drop(self, name: str) -> None:
        """Do nothing: it belongs to the running cloud."""


@dataclass
class AwsStack:
    """A stack in an account; ``begun``: it was asked to go."""

    place: Place
    begun: bool = False

    def names(self) -> list[str]:
        """Return its name, if it is there; one that is being deleted is there still."""
        return [self.place.stack] if self._status() else []

    def delete(self) -> None:
        """Delete it, unless that has begun.

        Raises:
            BadUse: something in it cannot be deleted; CloudFormation says what.
        """
        status = self._status()
        if status == "DELETE_FAILED" and self.begun:
            raise BadUse(
                f"stack {self.place.stack} could not be deleted whole: its events say why "
                f"(aws cloudformation describe-stack-events --stack-name {self.place.stack})"
            )
        if status and status != "DELETE_IN_PROGRESS":
            self._client().delete_stack(StackName=self.place.stack)
        self.begun = True

    def buckets(self) -> list[str]:
        """Return the data bucket, if it is there."""
        return [name for kind, name in self._kept() if kind == "AWS::S3::Bucket"]

    def kept(self) -> list[str]:
        """Return bucket and tables that outlive it."""
        return [name for _, name in self._kept()]

    def drop(self, name: str) -> None:
        """Delete an empty bucket or a table."""
        if ("AWS::S3::Bucket", name) in self._kept():
            self.place.client("s3").delete_bucket(Bucket=name)
        else:
            self.place.client("dynamodb").delete_table(TableName=name)

    def _client(self) -> Any:
        return self.place.client("cloudformation")

    def _status(self) -> str:
        try:
            (told,) = self._client().describe_stacks(StackName=self.place.stack)["Stacks"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ValidationError":
                raise
            return ""  # of a name that no stack has
        status = str(told["StackStatus"])
        return "" if status == "DELETE_COMPLETE" else status

    def _kept(self) -> list[tuple[str, str]]:
        """Types and names of what it retains, of those that are there."""
        stack = self.place.stack if self._status() else self._gone()
        if stack is None:
            return []
        pages = self._client().get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [
            (str(each["ResourceType"]), str(each["PhysicalResourceId"]))
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["LogicalResourceId"] in RETAINED and each.get("PhysicalResourceId")
        ]
        return [(kind, name) for kind, name in found if self._there(kind, name)]

    def _gone(self) -> str | None:
        """The id of the stack of this name that was deleted last."""
        pages = (
            self._client()
            .get_paginator("list_stacks")
            .paginate(StackStatusFilter=["DELETE_COMPLETE"])
        )
        found: list[Mapping[str, Any]] = [
            each
            for page in pages
            for each in page["StackSummaries"]
            if each["StackName"] == self.place.stack
        ]
        newest = max(found, key=lambda each: each["CreationTime"], default=None)
        return None if newest is None else str(newest["StackId"])

    def _there(self, kind: str, name: str) -> bool:
        try:
            if kind == "AWS::S3::Bucket":
                self.place.client("s3").head_bucket(Bucket=name)
            else:
                self.place.client("dynamodb").describe_table(TableName=name)
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("404", "ResourceNotFoundException"):
                return False
            raise
        return True
