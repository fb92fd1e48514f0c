"""A promoted fault model scores from now on: ``models/<workload>/current.json`` names it.

The archive is copied before the pointer is written, so whoever reads the pointer finds the model. The
pointer goes forward only: it is read first, then a newer version that counts is looked for, and it is
written on condition that nobody wrote it meanwhile. Going back is rejecting the newer version: what counts
then is promoted again, and put here.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.contracts.keys import current_model_key, model_key
from signalbox.contracts.model_schema import FILE, ONNX, ModelSchema
from signalbox.contracts.packages import Package
from signalbox.contracts.scoring import CurrentModel
from signalbox.domain.registry import Packages, overtaken


class Folder(Protocol):
    """The data bucket."""

    @property
    def bucket(self) -> str:
        """Its name."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""

    def find(self, key: str) -> bytes | None:
        """Return the content of a file, or None."""

    def put(self, key: str, content: bytes) -> None:
        """Write a file."""

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        """Return the content of a file and the tag of these bytes, or None."""

    def swap(self, key: str, content: bytes, tag: str | None) -> None:
        """Write a file that still has this tag, or is still not there.

        Raises:
            Transient: somebody else wrote it.
        """


@dataclass(frozen=True, slots=True)
class InService:
    """What a promoted model meets; ``scored`` are the workloads whose fleets are."""

    scored: Collection[str]
    packages: Packages
    folder: Folder

    def put(self, workload: str, package: Package) -> str | None:
        """Let a promoted model score, where its workload's fleet is; return why it cannot, or None.

        Raises:
            Transient: somebody else changes what scores.
        """
        if workload not in self.scored:
            return None
        content = self._archive(package)
        if content is None:
            return f"its archive, {_artifact(package)}, is not in s3://{self.folder.bucket}/"
        try:
            schema = schema_of(content)
        except ValueError as problem:
            return f"{_artifact(package)} is no fault model: {problem}"
        if schema.workload != workload:
            return f"{_artifact(package)} is a model of {schema.workload!r}, not of {workload!r}"
        self._point(workload, package, schema, content)
        return None

    def _archive(self, package: Package) -> bytes | None:
        place = f"s3://{self.folder.bucket}/"
        uri = _artifact(package)
        return self.folder.find(uri.removeprefix(place)) if uri.startswith(place) else None

    def _point(self, workload: str, package: Package, schema: ModelSchema, content: bytes) -> None:
        key = current_model_key(workload)
        found = self.folder.tagged(key)
        if overtaken(package, self.packages):
            return  # this promotion is late
        archive = model_key(workload, schema.version)
        if not self.folder.exists(archive):  # a version names its weights: equal ones are equal
            self.folder.put(archive, content)
        pointer = CurrentModel(
            model_data=f"s3://{self.folder.bucket}/{archive}", package=package.arn, schema=schema
        )
        if found is None or _read(found[0]) != pointer:
            told = pointer.model_dump_json(by_alias=True, indent=1).encode()
            self.folder.swap(key, told, found[1] if found else None)


def schema_of(archive: bytes) -> ModelSchema:
    """Read what a model.tar.gz was made from.

    Raises:
        ValueError: it is no archive, or not of a fault model.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            names = {member.name.removeprefix("./"): member for member in tar.getmembers()}
            lacking = {FILE, ONNX} - set(names)
            file = None if lacking else tar.extractfile(names[FILE])
            content = b"" if file is None else file.read()
    except (OSError, EOFError, tarfile.TarError) as problem:
        raise ValueError(f"it cannot be unpacked ({problem})") from problem
    if lacking or not content:
        raise ValueError(f"it holds no {', '.join(sorted(lacking)) or FILE}")
    try:
        return ModelSchema.model_validate_json(content)
    except ValidationError as problem:
        raise ValueError(f"{FILE}: {complaint(problem)}") from None


def _read(content: bytes) -> CurrentModel | None:
    """What a pointer says; one that is none stands in nobody's way."""
    try:
        return CurrentModel.model_validate_json(content)
    except ValidationError:
        return None


def _artifact(package: Package) -> str:
    return package.artifacts[0] if package.artifacts else ""
