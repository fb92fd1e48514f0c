"""The `/opt/ml` folder of a SageMaker job, under a root of its own, and its S3 inputs and outputs.

On AWS the folder is the container's; here it stands under the job's temporary folder, and the
program is told where in `SIGNALBOX_ML_ROOT`. Whatever a request says of `/opt/ml` (entry point,
arguments, environment, local paths) is turned into that place; files of configuration say what
AWS's say. Citations: "How Amazon SageMaker Training Storage Paths", "S3DataSource" and
"ProcessingS3Input" of the SageMaker documentation.
"""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from localcloud.engines.base import RunError

ROOT_VARIABLE = "SIGNALBOX_ML_ROOT"
HOSTS = {"current_host": "algo-1", "hosts": ["algo-1"]}
_PLACE = re.compile(r"(?<![\w./-])/opt/ml(?=/|$)")
_LONGEST_REASON = 1024


class MlFolder:
    """`/opt/ml` of one job.

    Args:
        folder: the job's own folder.
        s3: client with the job's credentials.
    """

    def __init__(self, folder: Path, s3: Any) -> None:
        self.root = folder / "opt" / "ml"
        self._s3 = s3

    def here(self, text: str) -> str:
        """A text with every `/opt/ml` in it at its place here."""
        return _PLACE.sub(lambda _: str(self.root), text)

    def path(self, place: str) -> Path:
        """Where a path of the container is here.

        Raises:
            RunError: it is not under /opt/ml, where only the container could have it.
        """
        if not _PLACE.match(place) or ".." in Path(place).parts:
            raise RunError(f"ClientError: {place} is not under /opt/ml")
        return Path(self.here(place))

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The job's variables, and the root."""
        return {name: self.here(str(each)) for name, each in given.items()} | {
            ROOT_VARIABLE: str(self.root)
        }

    def make(self, *places: str) -> None:
        """Make folders that the service makes."""
        for place in places:
            self.path(place).mkdir(parents=True, exist_ok=True)

    def write(self, place: str, content: Any) -> None:
        """Write a file of configuration."""
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, default=str), encoding="utf-8")

    def read(self, place: str) -> str:
        """The beginning of a file the program may have left, as much as the API tells of it."""
        path = self.path(place)
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace").strip()[:_LONGEST_REASON]

    def fetch(self, uri: str, data_type: str, place: str) -> dict[str, str]:
        """Download what an S3 prefix or a manifest names into a folder.

        Returns the URI of each object by its path in the folder.

        Raises:
            RunError: nothing is there, or it may not be read.
        """
        target = self.path(place)
        target.mkdir(parents=True, exist_ok=True)
        bucket, key = split(uri)
        try:
            found = self._manifest(bucket, key) if data_type == "ManifestFile" else None
            pairs = list(found if found is not None else self._prefix(bucket, key))
            for name, relative in pairs:
                path = target / relative
                if target not in path.resolve().parents:
                    raise RunError(f"ClientError: Data download failed: {name} leaves {place}")
                path.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(bucket, name, str(path))
        except ClientError as error:
            raise RunError(f"ClientError: Data download failed: {error} ({uri})") from error
        if not pairs:
            message = "ClientError: Data download failed: No S3 objects found under S3 URL"
            raise RunError(f'{message} "{uri}" given in input data source.')
        return {relative: f"s3://{bucket}/{name}" for name, relative in pairs}

    def _prefix(self, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
        base = prefix.rstrip("/")
        for page in self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix
        ):
            for each in page.get("Contents", []):
                key = each["Key"]
                if key.endswith("/"):
                    continue
                if base and key.startswith(base + "/"):
                    yield key, key[len(base) + 1 :]
                else:  # the object itself, or names that only begin so
                    yield key, key[prefix.rfind("/") + 1 :]

    def _manifest(self, bucket: str, key: str) -> Iterator[tuple[str, str]]:
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            head, *names = json.loads(body)
            of_bucket, prefix = split(head["prefix"])
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"ClientError: s3://{bucket}/{key} is not a manifest") from error
        if of_bucket != bucket:
            raise RunError("ClientError: a manifest of another bucket is not supported here")
        return ((prefix + name, name) for name in names)

    def put(self, place: str, uri: str, key_id: str | None) -> None:
        """Upload every file of a folder under an S3 prefix; a folder that is not there is empty."""
        folder = self.path(place)
        bucket, prefix = split(uri)
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/")
            self._upload(path, bucket, key, key_id)

    def put_archive(self, place: str, uri: str, key_id: str | None) -> bool:
        """Upload a folder as one .tar.gz; False if it is empty."""
        folder = self.path(place)
        if not folder.is_dir() or not any(folder.iterdir()):
            return False
        archive = self.root.parent / Path(uri).name
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)
        bucket, key = split(uri)
        self._upload(archive, bucket, key, key_id)
        return True

    def _upload(self, path: Path, bucket: str, key: str, key_id: str | None) -> None:
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
        try:
            self._s3.upload_file(str(path), bucket, key, ExtraArgs=extra)
        except S3UploadFailedError as error:
            raise RunError(f"ClientError: Data upload failed: {error}") from error

    def unpack(self, uri: str, place: str) -> None:
        """Download a .tar.gz and unpack it into a folder."""
        bucket, key = split(uri)
        archive = self.root.parent / "source.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(bucket, key, str(archive))
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(self.path(place), filter="data")
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise RunError(f"ClientError: {uri} cannot be unpacked: {error}") from error


def split(uri: str) -> tuple[str, str]:
    """(bucket, key or prefix) of an S3 URI.

    Raises:
        RunError: it is none.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise RunError(f"ClientError: {uri!r} is not an S3 URI")
    return bucket, key
