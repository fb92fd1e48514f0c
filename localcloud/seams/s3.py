"""S3 in moto: what is stored and deleted, told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, StoredObject

_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}


def _stored(bucket: Any, key: Any) -> StoredObject:
    version = key.version_id if bucket.is_versioned else None
    owner = str(bucket.account_id)
    return StoredObject(bucket.name, key.name, key.etag.strip('"'), key.size, version, owner)


def _tells_eventbridge(bucket: Any) -> bool:
    configured = bucket.notification_configuration
    return configured is not None and configured.event_bridge is not None


def _send_event(hooks: Hooks, account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
    del account_id
    reason = _REASONS.get(str(event_name.value))
    # moto completes a multipart upload through put_object and then tells it a second time; it
    # also tells of tags on every put. Removals come through delete_object, which knows more.
    repeated = reason == "PutObject" and key.multipart is not None
    if reason is not None and not repeated and _tells_eventbridge(bucket):
        hooks.object_created(_stored(bucket, key), reason)


EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def _delete_object(
    hooks: Hooks,
    original: Callable[..., tuple[bool, dict[str, Any]]],
    self: Any,
    bucket_name: str,
    key_name: str,
    version_id: str | None = None,
    bypass: bool = False,
) -> tuple[bool, dict[str, Any]]:
    bucket = self.get_bucket(bucket_name)
    before = {str(key.version_id): key for key in bucket.keys.getlist(key_name, [])}
    done, meta = original(self, bucket_name, key_name, version_id, bypass)
    if not done or not _tells_eventbridge(bucket):
        return done, meta
    owner = str(bucket.account_id)
    if bucket.is_versioned and version_id is None:
        marker = StoredObject(
            bucket_name, key_name, EMPTY_MD5, None, str(meta["version-id"]), owner
        )
        hooks.object_deleted(marker, "Delete Marker Created")
        return done, meta
    gone = before.get(str(version_id)) if bucket.is_versioned else next(iter(before.values()), None)
    if gone is not None:
        etag = getattr(gone, "etag", EMPTY_MD5).strip('"')
        stored = StoredObject(bucket_name, key_name, etag, None, version_id, owner)
        hooks.object_deleted(stored, "Permanently Deleted")
    return done, meta


SEAMS = (
    Seam("moto.s3.notifications", "send_event", "(account_id, event_name, bucket, key)",
         _send_event, plain=True),
    Seam("moto.s3.models:S3Backend", "delete_object",
         "(self, bucket_name, key_name, version_id=None, bypass=False)", _delete_object),
)  # fmt: skip
