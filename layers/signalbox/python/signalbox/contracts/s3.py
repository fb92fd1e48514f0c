"""What S3 says through EventBridge when an object is written or deleted.

Source: Amazon S3 User Guide, "EventBridge event message structure". Keys arrive raw
here, unlike in S3's direct notifications, where they are URL-encoded.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from signalbox.contracts.eventbridge import AWS, Envelope
from signalbox.contracts.objects import ObjectRef, Sequencer

__all__ = ["ObjectCreated", "ObjectDeleted", "ObjectRef"]


class _Bucket(BaseModel):
    model_config = AWS

    name: str = Field(min_length=1)


class _Object(BaseModel):
    model_config = AWS

    key: str = Field(min_length=1)
    version_id: str | None = Field(default=None, alias="version-id")
    sequencer: Sequencer


class _Detail(BaseModel):
    model_config = AWS

    bucket: _Bucket
    object: _Object
    reason: str | None = None


class _DeletedDetail(_Detail):
    # "Delete Marker Created" or "Permanently Deleted"
    deletion_type: str = Field(alias="deletion-type")


class _ObjectEvent(Envelope):
    source: Literal["aws.s3"]
    detail: _Detail

    @property
    def ref(self) -> ObjectRef:
        """The version of the object that the event speaks of."""
        found = self.detail.object
        return ObjectRef(
            bucket=self.detail.bucket.name,
            key=found.key,
            version_id=found.version_id,
            sequencer=found.sequencer,
        )


class ObjectCreated(_ObjectEvent):
    """An object was written: put, copied, posted, or its multipart upload completed."""

    detail_type: Literal["Object Created"] = Field(alias="detail-type")


class ObjectDeleted(_ObjectEvent):
    """An object got a delete marker, or one of its versions is gone for good."""

    detail_type: Literal["Object Deleted"] = Field(alias="detail-type")
    detail: _DeletedDetail

    @property
    def one_version_only(self) -> bool:
        """Whether a version was removed, which may leave the key with another one."""
        return self.detail.deletion_type == "Permanently Deleted"
