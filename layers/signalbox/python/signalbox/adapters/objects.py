"""The data bucket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.keys import sequencer_without_event
from signalbox.contracts.objects import ObjectRef

MISSING = frozenset({"404", "405", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "NotFound"})
"""What a head answers when there is no such version; 405 where the version is a delete marker."""


class Objects:
    """One S3 bucket: heads, versions, listings, whole objects."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        self.bucket = bucket
        self._s3 = client or connect("s3")

    def size(self, ref: ObjectRef) -> int | None:
        """Return the bytes of this version by its head, or None if there is no such version."""
        head = self._head(ref.key, ref.version_id)
        return None if head is None else int(head["ContentLength"])

    def current(self, key: str) -> tuple[ObjectRef, int] | None:
        """Return the current version of a file that no event told of, and its bytes, or None."""
        head = self._head(key, None)
        if head is None:
            return None
        modified = sequencer_without_event(int(head["LastModified"].timestamp() * 1000))
        version = head.get("VersionId")
        source = ObjectRef(bucket=self.bucket, key=key, version_id=version, sequencer=modified)
        return source, int(head["ContentLength"])

    def exists(self, key: str) -> bool:
        """Whether the key has a current version."""
        return self._head(key, None) is not None

    def children(self, prefix: str) -> list[str]:
        """Return the keys directly under ``prefix``, oldest name first."""
        return list(self._keys(prefix, Delimiter="/"))

    def keys(self, prefix: str) -> list[str]:
        """Return every key under ``prefix``, however deep, oldest name first."""
        return list(self._keys(prefix))

    def present(self, keys: Collection[str]) -> list[str]:
        """Return those of some keys that have a current version, in order.

        One listing from the first to the last of them, rather than a head for each.
        """
        if not keys:
            return []
        wanted, first, last, found = set(keys), min(keys), max(keys), []
        same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        # a key without its last letter sorts before it
        for key in self._keys("".join(a for a, _ in same), StartAfter=first[:-1]):
            if key > last:
                break
            if key in wanted:
                found.append(key)
        return found

    def count(self, prefix: str) -> int:
        """Return how many files lie under ``prefix``, folder markers not counted."""
        return sum(not key.endswith("/") for key in self._keys(prefix))

    def read(self, key: str, version_id: str | None = None) -> bytes:
        """Return the content of one version of ``key``, the current one if none is named.

        Raises:
            Rejected: there is no such object.
        """
        with calling("s3:GetObject", self._name(key)):
            found = self._s3.get_object(Bucket=self.bucket, Key=key, **_version(version_id))
            return bytes(found["Body"].read())

    def find(self, key: str) -> bytes | None:
        """Return the content of ``key``, or None if there is no such object."""
        return self.read(key) if self.exists(key) else None

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        """Return the content of ``key`` and the tag of these bytes, or None if there is no such object."""
        if not self.exists(key):
            return None
        with calling("s3:GetObject", self._name(key)):
            found = self._s3.get_object(Bucket=self.bucket, Key=key)
            return bytes(found["Body"].read()), str(found["ETag"])

    def swap(self, key: str, content: bytes, tag: str | None) -> None:
        """Write ``content`` under a key that still has this tag, or, for None, is still not there.

        Source: S3 User Guide, "How to prevent object overwrites with conditional writes".

        Raises:
            Transient: somebody else wrote it since.
        """
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with calling("s3:PutObject", self._name(key)):
            self._s3.put_object(
                Bucket=self.bucket, Key=key, Body=content, ContentType="application/json", **condition
            )  # fmt: skip

    @contextmanager
    def local(self, ref: ObjectRef) -> Iterator[Path]:
        """Lend a local copy of this version of an object; it is gone when the block ends.

        The copy keeps the file's ending, by which readers know the format.

        Raises:
            Rejected: there is no such version.
        """
        with tempfile.TemporaryDirectory(prefix="signalbox-") as folder:
            path = Path(folder) / f"file{''.join(PurePosixPath(ref.key).suffixes[-2:])[-32:]}"
            with calling("s3:GetObject", self._name(ref.key)), path.open("wb") as copy:
                found = self._s3.get_object(
                    Bucket=self.bucket, Key=ref.key, **_version(ref.version_id)
                )
                shutil.copyfileobj(found["Body"], copy, length=1 << 20)
            yield path

    def put(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``; the same bytes again change nothing."""
        kind = (
            "application/json"
            if key.endswith((".json", ".deleted"))
            else "application/octet-stream"
        )
        with calling("s3:PutObject", self._name(key)):
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=kind)

    def remove(self, key: str) -> None:
        """Remove an object; its earlier versions stay. One that is not there is removed already."""
        with calling("s3:DeleteObject", self._name(key)):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def _head(self, key: str, version_id: str | None) -> Any:
        with calling("s3:GetObject", self._name(key)):
            try:
                return self._s3.head_object(Bucket=self.bucket, Key=key, **_version(version_id))
            except ClientError as problem:
                if code_of(problem) in MISSING:
                    return None
                raise

    def _keys(self, prefix: str, **narrower: str) -> Iterator[str]:
        with calling("s3:ListBucket", self._name(prefix)):
            pages = self._s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix, **narrower):
                for entry in page.get("Contents", []):
                    yield entry["Key"]

    def _name(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def _version(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"VersionId": version_id}
