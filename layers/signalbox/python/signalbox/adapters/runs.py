"""Manifests, and what the runs they started left behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from signalbox.adapters.aws import connect
from signalbox.adapters.glue import GlueJob
from signalbox.adapters.objects import Objects
from signalbox.contracts.backfill import Manifest, RunReport
from signalbox.contracts.complaints import complaint
from signalbox.contracts.keys import report_key
from signalbox.contracts.objects import ObjectRef
from signalbox.errors import Misconfigured, Rejected


class ManifestFolder:
    """Manifests in the data bucket, and the history they speak of."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def manifest(self, source: ObjectRef) -> Manifest:
        """Read this version of a manifest.

        Raises:
            Rejected: it is none.
        """
        content = self._objects.read(source.key, source.version_id)
        try:
            return Manifest.model_validate_json(content)
        except ValidationError as problem:
            raise Rejected("bad-manifest", f"{source.key!r}: {complaint(problem)}") from None

    def count(self, prefix: str) -> int:
        """Return how many files lie under a prefix."""
        return self._objects.count(prefix)


class RunFolder:
    """Runs of the Glue jobs and the reports they write into the data bucket."""

    def __init__(self, objects: Objects, client: Any = None) -> None:
        self._objects = objects
        self._glue = client or connect("glue")

    def arguments(self, job_name: str, job_run_id: str) -> Mapping[str, str]:
        """Return the arguments a run was started with."""
        return GlueJob(job_name, self._glue).arguments(job_run_id)

    def report(self, workload: str, run_key: str) -> RunReport | None:
        """Return what the run says became of every file, or None if it wrote no report.

        Raises:
            Misconfigured: the report is not what this door understands.
        """
        key = report_key(workload, run_key)
        content = self._objects.find(key)
        if content is None:
            return None
        try:
            return RunReport.model_validate_json(content)
        except ValidationError as problem:
            raise Misconfigured(
                f"{key!r}: {complaint(problem)}; job and doors are of different versions: "
                "make package, deploy, and start the run again"
            ) from None
