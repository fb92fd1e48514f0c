"""Predictions held against what came true."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.tabular import loaders
from jobs.tabular.evaluate import GATE, gate
from jobs.tabular.predicted import latest, of_service, read, refuse_unclear
from jobs.tabular.quality import quality
from jobs.tabular.tables import numbers, require, texts
from signalbox.contracts.gate import BELOW
from signalbox.contracts.model_quality import EVALUATION
from signalbox.contracts.tabular import ID, PREDICTION, PROBABILITY, Tabular
from signalbox.errors import Rejected, SignalboxError

NAMED = 5


class BelowThreshold(SignalboxError):  # noqa: N818 - named for what it says
    """The model is not good enough any more; the message is one sentence for its owner."""


def check_model(
    workload: str, told: Tabular, predictions: Path, truth: Path, out: Path, package: str = ""
) -> dict[str, Any]:
    """Join by id, measure, write evaluation.json and gate.json.

    Predictions whose truth is not known yet are left out; they are counted in gate.json. So are those of
    other versions of the model than the one in service. Where there are only such, they are judged, and
    nothing follows: to tune would be to mend what is gone.

    Args:
        workload: its name.
        told: its section ``tabular``.
        predictions: folder of predictions, of any number of runs.
        truth: folder of files that hold the target.
        out: folder for the files.
        package: the version of the model in service; empty if it is not known.

    Raises:
        Rejected: no truth, truth of other ids than were predicted, or a value that is none.
        BelowThreshold: the workload's threshold is not met; the files are written all the same.
    """
    every = read(predictions)
    table = latest(every)
    ids, answers = _predicted(table, told)
    known, came = loaders.truth(truth, told)
    place = {name: row for row, name in enumerate(ids)}
    strange = [name for name in known if name not in place]
    if strange:
        raise Rejected(
            "other-ids",
            f"truth of {len(strange)} ids that were not predicted for: {', '.join(strange[:NAMED])}"
            f"{', ...' if len(strange) > NAMED else ''}; predicted was, for instance, {ids[0]}",
        )
    if told.loader == "plain" and told.id is None:
        refuse_unclear(every, known)
    true = np.full(len(ids), np.nan)
    rows = np.asarray([place[name] for name in known], np.intp)
    true[rows] = _values(came, known, told)
    chosen = of_service(table, rows, package)
    if told.problem == "binary" and len(np.unique(true[chosen.rows])) < len((0, 1)):
        raise Rejected(
            "one-sided",
            f"the {len(chosen.rows)} rows that can be judged came out the same; nothing about a model that "
            "tells two answers apart can be said until both have come",
        )
    found = quality(told.problem, true[chosen.rows], answers[chosen.rows], told.threshold)
    judged = gate(told.gate, found, workload, len(chosen.rows))
    judged |= {"without_truth": len(ids) - len(rows), "of_other_versions": chosen.others}
    settle(found.text(), judged, out, chosen.former)
    return judged


def settle(evaluation: str, judged: dict[str, Any], out: Path, former: str = "") -> None:
    """Write evaluation.json and gate.json.

    Args:
        evaluation: the first.
        judged: the second; of a former version its sentence is made to say so.
        out: folder for the files.
        former: the version that was judged, if it is not in service.

    Raises:
        BelowThreshold: the gate is not passed by the model in service; the files are written all the same.
    """
    if former:
        said = str(judged["sentence"]).removesuffix(f": {BELOW}")
        judged["sentence"] = f"{said}; version {former} predicted it, which is not in service"
    out.mkdir(parents=True, exist_ok=True)
    (out / EVALUATION).write_text(evaluation, encoding="utf-8")
    (out / GATE).write_text(json.dumps(judged, indent=1), encoding="utf-8")
    if not judged["passed"] and not former:
        raise BelowThreshold(str(judged["sentence"]))


def _predicted(table: pa.Table, told: Tabular) -> tuple[list[str], np.ndarray]:  # type: ignore[type-arg]
    column = PROBABILITY if told.problem == "binary" else PREDICTION
    require(table, [ID, column], "the predictions")
    ids = texts(table[ID])
    answers, _ = numbers(table[column])
    gaps = np.flatnonzero(np.isnan(answers))
    if len(gaps):
        raise Rejected("not-a-number", f"{column} of {ids[int(gaps[0])]} is no number")
    return [each or "" for each in ids], answers


def _values(came: Sequence[str | None], ids: Sequence[str], told: Tabular) -> np.ndarray:  # type: ignore[type-arg]
    values, _ = numbers(pa.chunked_array([pa.array(came, pa.string())]))
    wrong = np.isnan(values) if told.problem == "regression" else ~np.isin(values, (0, 1))
    if wrong.any():
        some = [ids[int(row)] for row in np.flatnonzero(wrong)[:NAMED]]
        wanted = "a number" if told.problem == "regression" else "0 or 1"
        raise Rejected(
            "bad-truth",
            f"{told.target} is not {wanted} for {int(wrong.sum())} ids: {', '.join(some)}",
        )
    return values
