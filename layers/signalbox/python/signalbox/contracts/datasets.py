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

Trained = Literal["trained"]
"""Beside what was given to runs: what the latest training run was given that succeeded."""

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
    *folders, name = _path(key)
    return name in READY and not any(map(_hidden, folders))


def is_data(key: str) -> bool:
    """Whether a file holds data: folder markers, hidden files and what lies in hidden folders do not.

    Spark and Hadoop write into ``_temporary/`` and move files to their place when they are whole.

    >>> is_data("training/abalone/day=1/part-0.csv"), is_data("training/abalone/_temporary/0/part-0.csv")
    (True, False)
    """
    path = _path(key)
    return bool(path[-1]) and not any(map(_hidden, path))


def _path(key: str) -> list[str]:
    """Return what follows ``<kind>/<workload>/``, part by part."""
    return key.split("/")[2:]


def _hidden(part: str) -> bool:
    return part.startswith(("_", "."))


def manifest(bucket: str, keys: Sequence[str]) -> bytes:
    """List files as an input of type ManifestFile wants it.

    Source: SageMaker API Reference, "S3DataSource": a list of which the first member is ``prefix`` and the
    others are what follows it in each file's URI.
    """
    listed: list[object] = [{"prefix": f"s3://{bucket}/"}, *sorted(keys)]
    return json.dumps(listed, indent=1).encode()


def listed(content: bytes) -> list[str]:
    """Return the keys that a manifest lists.

    >>> listed(manifest("data", ["training/abalone/a.csv"]))
    ['training/abalone/a.csv']
    """
    _, *keys = json.loads(content)
    return [str(key) for key in keys]
