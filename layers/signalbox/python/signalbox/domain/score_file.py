"""A score file arrives: is it what the model of its run would say, line by line?

All of a file is read before anything is done about any of it, so a file is used whole or refused whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from signalbox.contracts.alerts import place_of
from signalbox.contracts.complaints import complaint
from signalbox.contracts.keys import parse_scores_key, windows_manifest_key
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.scoring import Score, WindowsManifest
from signalbox.contracts.workload import Workload
from signalbox.errors import Rejected


class Store(Protocol):
    """The data bucket, as far as scores need it."""

    def read(self, key: str, version_id: str | None = None) -> bytes:
        """Return the content of one version of ``key``.

        Raises:
            Rejected: there is no such object.
        """

    def find(self, key: str) -> bytes | None:
        """Return the content of ``key``, or None if there is no such object."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A score file that can be believed: the model, what its workload wants, and the scores.

    Scores stand in the order in which their units' cycles ended, whatever the order of the lines.
    """

    schema: ModelSchema
    prediction: Prediction
    scores: tuple[Score, ...]


def read_scores(source: ObjectRef, store: Store, workloads: Mapping[str, Workload]) -> Scores:
    """Read a version of a score file, held against the manifest of its run.

    Raises:
        Rejected: it is none, or not of the model, schema and workload of its run.
    """
    try:
        name, run = parse_scores_key(source.key)
    except ValueError as problem:
        raise Rejected("bad-key", str(problem)) from problem
    told = workloads.get(name)
    if told is None or told.prediction is None:
        known = ", ".join(sorted(n for n, each in workloads.items() if each.prediction is not None))
        raise Rejected(
            "unknown-workload",
            f"{source.key!r} names workload {name!r}; faults are predicted for: {known or 'none'}",
        )
    schema = _manifest(store, name, run).model.schema_
    if schema.workload != name or schema.time != told.prediction.time:
        raise Rejected(
            "schema-mismatch",
            f"{source.key!r}: the model of its run is for workload {schema.workload!r}, in "
            f"{schema.time}; {name!r} counts {told.prediction.time}",
        )
    lines = store.read(source.key, source.version_id).split(b"\n")
    scores = [
        _score(line, number, source.key, schema)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not scores:
        raise Rejected("empty", f"{source.key!r} holds no score; run its transform job again")
    scores.sort(key=lambda score: (score.unit, place_of(schema.time, score.at, score.cycle)))
    return Scores(schema, told.prediction, tuple(scores))


def _manifest(store: Store, workload: str, run: str) -> WindowsManifest:
    key = windows_manifest_key(workload, run)
    content = store.find(key)
    if content is None:
        raise Rejected(
            "no-manifest", f"{key!r} is not there: nobody knows which model these scores are of"
        )
    try:
        found = WindowsManifest.model_validate_json(content)
    except ValidationError as problem:
        raise Rejected("bad-manifest", f"{key!r}: {complaint(problem)}") from None
    if (found.workload, found.run) != (workload, run):
        raise Rejected("schema-mismatch", f"{key!r} is of {found.workload!r}, run {found.run}")
    return found


def _score(line: bytes, number: int, key: str, schema: ModelSchema) -> Score:
    try:
        score = Score.model_validate_json(line)
    except ValidationError as problem:
        raise Rejected(
            "bad-scores", f"{key!r} line {number}: {complaint(problem)}", line=number
        ) from None
    for what, there, wanted in (
        ("schema", score.schema_, schema.digest),
        ("model", score.model, schema.version),
    ):
        if there != wanted:
            raise Rejected(
                "schema-mismatch",
                f"{key!r} line {number}: {what} {there!r}, its run is of {wanted!r}; no alert is "
                "made of scores of another model",
                line=number,
            )
    if not all(math.isfinite(value) and value <= 0 for value in score.log_probabilities):
        raise Rejected(
            "bad-scores",
            f"{key!r} line {number}: log_probabilities must be finite and not above 0; does the "
            "model end in LogSoftmax?",
            line=number,
        )
    return score
