"""What S3 tells EventBridge.

Citation: "EventBridge event message structure" and "Using EventBridge" of the Amazon S3 User Guide.
Objects created and deleted only; no events for tags, ACLs, restores, storage classes, lifecycle.
"""

from __future__ import annotations

import threading
from typing import Any

from localcloud.bus import Bus
from localcloud.wiring import StoredObject
from localcloud.world import World


class S3Events:
    """Turns stored and deleted objects into events on the default bus.

    Args:
        world: the cloud.
        bus: where the events go.
    """

    def __init__(self, world: World, bus: Bus) -> None:
        self._world = world
        self._bus = bus
        self._count = 0
        self._lock = threading.Lock()

    def created(self, stored: StoredObject, reason: str, cause: int | None) -> None:
        """Object Created; `reason` is the API: PutObject, CopyObject, CompleteMultipartUpload."""
        self._publish("Object Created", stored, {"reason": reason}, cause)

    def deleted(self, stored: StoredObject, deletion_type: str, cause: int | None) -> None:
        """Object Deleted by a request: Permanently Deleted or Delete Marker Created."""
        extra = {"reason": "DeleteObject", "deletion-type": deletion_type}
        self._publish("Object Deleted", stored, extra, cause)

    def _publish(
        self, detail_type: str, stored: StoredObject, extra: dict[str, str], cause: int | None
    ) -> None:
        about: dict[str, Any] = {"key": stored.key}
        if stored.size is not None:
            about["size"] = stored.size
        about["etag"] = stored.etag
        if stored.version_id is not None:
            about["version-id"] = stored.version_id
        about["sequencer"] = self._sequencer()
        detail = {
            "version": "0",
            "event-version": "1.0",
            "bucket": {"name": stored.bucket},
            "object": about,
            "request-id": self._world.new_id().replace("-", "")[:16].upper(),
            "requester": self._world.account,
            "source-ip-address": "127.0.0.1",
            **extra,
        }
        resources = [f"arn:aws:s3:::{stored.bucket}"]
        self._bus.publish(
            "aws.s3",
            detail_type,
            detail,
            resources=resources,
            cause=cause,
            account=stored.account,
        )

    def _sequencer(self) -> str:
        """Hexadecimal, growing with every event of the cloud; compared padded to equal length."""
        with self._lock:
            self._count += 1
            return f"{int(self._world.clock.now().timestamp()):08x}{self._count:08x}"
