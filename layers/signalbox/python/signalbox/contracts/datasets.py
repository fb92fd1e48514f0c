"""Files that drive pipelines: what a run takes, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from signalbox.contracts.operation_keys import DatasetKind
from signalbox.contracts.workload import Workload

Pipeline = Literal["train", "tune", "batch"]
PIPELINE_OF: dict[DatasetKind, Pipeline] = {
    "training": "train",
    "inference": "batch",
    "ground-truth": "batch",
}

READY = ("_SUCCESS",)
"""Names of files that say that all others are there, as Spark and Hadoop write them."""

NO_TRUTH = "none"
"""The parameter ``Truth`` of a batch run without ground truth: parameters cannot be absent."""


JUDGED_RUNS = 50
"""Batch runs, the latest ones, whose predictions ground truth is held against."""


class Consumed(BaseModel):
    """A run of one kind: what it was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    inputs: str
    at: AwareDatetime
    execution: str


def program_of(workload: Workload) -> str:
    """Return the module that a workload's pipelines start: ``jobs.tabular`` or ``jobs.faults``."""
    return f"jobs.{workload.kind}"


def says_ready(key: str) -> bool:
    """Whether a file holds no data but says that the others are complete."""
    return key.rpartition("/")[2] in READY


def is_data(key: str) -> bool:
    """Whether a file holds data: folder markers and hidden files do not."""
    name = key.rpartition("/")[2]
    return bool(name) and not name.startswith(("_", "."))


def manifest(bucket: str, keys: Sequence[str]) -> bytes:
    """List files as an input of type ManifestFile wants it.

    Source: SageMaker API Reference, "S3DataSource": a list of which the first member is ``prefix`` and the
    others are what follows it in each file's URI.
    """
    listed: list[object] = [{"prefix": f"s3://{bucket}/"}, *sorted(keys)]
    return json.dumps(listed, indent=1).encode()
