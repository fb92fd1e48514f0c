"""Objects of moto's buckets with all their versions, read and put back without anybody being told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from moto.moto_api._internal import mock_random
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends


class Objects:
    """The objects of every bucket of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def buckets(self) -> list[str]:
        """Names of all buckets."""
        return sorted(s3_backends[self._account]["aws"].buckets)

    def versions(self, bucket: str) -> Iterator[tuple[dict[str, Any], Callable[[], bytes] | None]]:
        """All versions, each key's oldest first: facts, and what reads the bytes (None: delete marker)."""
        backend = s3_backends[self._account]["aws"]
        keys = backend.get_bucket(bucket).keys
        for name in list(keys):
            for version in keys.getlist(name, []):
                facts: dict[str, Any] = {
                    "key": name,
                    "version": vars(version).get("_version_id"),
                    "modified": version.last_modified.isoformat(),
                }
                if isinstance(version, FakeDeleteMarker):
                    yield facts, None
                    continue
                facts |= {
                    "etag": version.etag.strip('"'),
                    "metadata": dict(version.metadata),
                    "storage": version.storage_class,
                    "versioned": bool(vars(version)["_is_versioned"]),
                    "checksum": version.checksum_value,
                    "algorithm": version.checksum_algorithm,
                    "tags": backend.tagger.get_tag_dict_for_resource(version.arn),
                }
                yield facts, partial(_bytes, version)

    def put(self, bucket: str, facts: dict[str, Any], body: bytes | None) -> None:
        """Put a version on top of its key as it was; `body` is None for a delete marker."""
        backend = s3_backends[self._account]["aws"]
        keys = backend.get_bucket(bucket).keys
        stored = FakeKey(
            facts["key"], body or b"", self._account, self._region,
            storage=facts.get("storage"), etag=facts.get("etag"),
            is_versioned=facts.get("versioned", False), version_id=facts["version"],
            bucket_name=bucket, checksum_value=facts.get("checksum"),
        )  # fmt: skip
        version: Any = stored
        if body is None:
            version = FakeDeleteMarker(stored)
            vars(version)["_version_id"] = facts["version"]
        else:
            stored.metadata.update(facts["metadata"])
            stored.checksum_algorithm = facts["algorithm"]
            tags = backend.tagger.convert_dict_to_tags_input(facts["tags"])
            backend.tagger.tag_resource(stored.arn, tags)
        version.last_modified = datetime.fromisoformat(facts["modified"])
        keys.setlist(facts["key"], [*keys.getlist(facts["key"], []), version])


def _bytes(version: FakeKey) -> bytes:
    return bytes(version.value)


def other_ids(starts: int) -> None:
    """Let moto make other ids than the clouds before this one with the same state did."""
    mock_random.seed(20 + starts)
