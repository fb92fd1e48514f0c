"""From cycle tables and a fault log to a dataset that a model learns from.

Units are read one by one, twice: once the training units, to learn what is usual and how features
spread; then all of them, each written into its place of the one array.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.errors import BadHistory
from cycles.history import UNKNOWN, Past, Sequences, Standard, fit_past, label, lives
from cycles.history.labels import time_to_fault
from cycles.history.sequences import FEATURES, SPLITS
from jobs.dataset.split import split_from, split_units
from jobs.dataset.tables import History, columns_of, fault_log, histories, table_files
from signalbox.contracts.model_schema import Adjustment
from signalbox.contracts.prediction import ASKED, Prediction
from signalbox.contracts.workload import Workload

Faults = Mapping[str, npt.NDArray[np.float64]]
Progress = Callable[[str, int, int], None]
LEARNED_FROM = 400  # units are plenty to learn from what is usual
HEALTHY_HORIZONS = 3  # a cycle is healthy when no fault comes within so many horizons


@dataclass(frozen=True)
class Sources:
    """Where a dataset comes from.

    Attributes:
        cycles: a cycle table, a folder of them, or several tables.
        faults: a fault log, or several, if there are any.
        split: a file that says which unit is for what; dealt by ``seed`` if there is none.
        leave_out: whether units and labels that cannot be used are left out and listed, rather than
            refused.
    """

    cycles: Path | Sequence[Path]
    faults: Path | Sequence[Path] | None = None
    split: Path | None = None
    seed: int = 0
    leave_out: bool = False

    def tables(self) -> list[Path]:
        """The cycle tables.

        Raises:
            BadHistory: there is none.
        """
        return table_files(self.cycles) if isinstance(self.cycles, Path) else list(self.cycles)

    def logs(self) -> list[Path]:
        """The fault logs."""
        if self.faults is None:
            return []
        return [self.faults] if isinstance(self.faults, Path) else list(self.faults)


def build(
    workload: Workload, sources: Sources, folder: Path, told: Progress = lambda *_: None
) -> Sequences:
    """Make the dataset of a workload in ``folder``; what stood there is replaced.

    Raises:
        BadHistory: says what is missing, doubled, unknown or impossible, and the way out.
    """
    prediction = prediction_of(workload)
    columns = columns_of(workload)
    files = sources.tables()
    found = sorted(histories(files, workload, columns), key=lambda each: _natural(each.unit))
    told("units read", len(found), len(found))
    faults, left_out = _faults(workload, prediction, sources, found)
    if not found:
        named = ", ".join(path.name for path in files)
        raise BadHistory("no-unit", f"{named} holds no unit with a cycle")
    units = [each.unit for each in found]
    split = _dealt(prediction, sources, units, faults)
    known_until = max(float(each.times[-1]) for each in found)
    past = _learned(prediction, columns, found, split, faults)
    features, standard, offsets = _written(past, found, split, faults, folder, told)
    ends = [known_until if prediction.time == "days" else float(h.times[-1]) for h in found]
    labels = [
        label(h.times, faults[h.unit], prediction.horizon, end)
        for h, end in zip(found, ends, strict=True)
    ]
    times = np.concatenate([each.times for each in found])
    manifest: dict[str, Any] = {
        "workload": workload.name,
        "units": units,
        "split": split,
        "features": past.names,
        "past": past_mapping(past),
        "standard": {"centre": standard.centre.tolist(), "scale": standard.scale.tolist()},
        "prediction": prediction.model_dump(mode="json", exclude=set(ASKED)),
        "known_until": known_until,
        "left_out": left_out,
        "seed": sources.seed,
    }
    made = Sequences(
        features=features, offsets=offsets, times=times, labels=np.concatenate(labels),
        eligible=in_season(times, prediction),
        faults=tuple(faults[unit] for unit in units), manifest=manifest,
    )  # fmt: skip
    manifest["digest"] = _digest(made)
    _refuse_one_sided(made)
    made.write(folder)
    return made


def prediction_of(workload: Workload) -> Prediction:
    """The workload's section ``prediction``.

    Raises:
        BadHistory: it has none.
    """
    if workload.prediction is None:
        raise BadHistory(
            "no-prediction",
            f"workload {workload.name!r} says nothing of predicting faults; "
            + (
                "its tables are learned from by pipelines (docs/tabular.md)"
                if workload.tabular
                else "give it a section prediction (docs/workloads.md)"
            ),
        )
    return workload.prediction


def in_season(times: npt.NDArray[np.float64], prediction: Prediction) -> npt.NDArray[np.bool_]:
    """Which cycles lie in the months that predictions are made in; all, where none are named."""
    if prediction.months is None:
        return np.ones(len(times), np.bool_)
    months = (times * 86_400).astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
    return np.isin(months, prediction.months)


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)


def _faults(
    workload: Workload, prediction: Prediction, sources: Sources, found: list[History]
) -> tuple[Faults, list[str]]:
    """Faults of each unit; what cannot be used is refused, or left out and listed."""
    logs = sources.logs()
    if not logs:
        if not prediction.run_to_failure:
            raise BadHistory(
                "no-fault-log",
                f"workload {workload.name!r} needs a fault log (columns unit, failed_at): "
                "without one nothing says when a unit failed",
            )
        return {each.unit: each.times[-1:] for each in found}, []
    logged = fault_log(logs, workload)
    first = {each.unit: float(each.times[0]) for each in found}
    wrong = [f"{unit}: a unit with no cycle" for unit in sorted(set(logged) - set(first))]
    kept: dict[str, npt.NDArray[np.float64]] = {}
    for unit, start in first.items():
        times = logged.get(unit, np.empty(0))
        if (times < start).any():
            wrong.append(f"{unit}: a label before the first cycle")
        kept[unit] = times[times >= start]
    if wrong and not (sources.leave_out or prediction.leave_out):
        raise BadHistory(
            "unusable-labels",
            f"{', '.join(map(str, logs))}: {'; '.join(wrong[:10])}"
            f"{f' and {len(wrong) - 10} more' if len(wrong) > 10 else ''}; "
            "mend the log, or leave them out (prediction.leave_out of the workload, or --leave-out of "
            "signalbox train)",
        )
    return kept, wrong


def _dealt(
    prediction: Prediction, sources: Sources, units: Sequence[str], faults: Faults
) -> list[str]:
    if sources.split is not None:
        return split_from(sources.split, units)
    failed = {unit: len(faults[unit]) > 0 for unit in units}
    shares = prediction.split
    return split_units(units, failed, shares.validation, shares.test, sources.seed)


def _learned(
    prediction: Prediction,
    columns: Sequence[str],
    found: Sequence[History],
    split: Sequence[str],
    faults: Faults,
) -> Past:
    """What is usual, from the training units."""
    taught = [h for h, of in zip(found, split, strict=True) if of == "train"][:LEARNED_FROM]
    far = prediction.horizon * HEALTHY_HORIZONS
    values, healthy = [], []
    for each in taught:
        begins = lives(each.times, faults[each.unit])[1:]
        values += np.split(each.values, begins)
        healthy += np.split(time_to_fault(each.times, faults[each.unit]) > far, begins)
    return fit_past(values, healthy, columns, prediction.baseline.model_dump())


def _written(
    past: Past,
    found: Sequence[History],
    split: Sequence[str],
    faults: Faults,
    folder: Path,
    told: Progress,
) -> tuple[npt.NDArray[np.float16], Standard, npt.NDArray[np.int64]]:
    """Features of all units in their place on disk."""
    offsets = np.concatenate([[0], np.cumsum([len(h.times) for h in found])]).astype(np.int64)
    taught = [h for h, of in zip(found, split, strict=True) if of == "train"][:LEARNED_FROM]
    total, squares, count = np.zeros(len(past.names)), np.zeros(len(past.names)), 0
    for history in taught:
        made = past.of_lives(history.values, lives(history.times, faults[history.unit]))
        made = made.astype(np.float64)
        total, squares, count = total + made.sum(0), squares + (made**2).sum(0), count + len(made)
    mean = total / count
    standard = Standard.of(mean, np.sqrt(np.maximum(squares / count - mean**2, 0)))
    folder.mkdir(parents=True, exist_ok=True)
    place = (folder / FEATURES).resolve()
    place.unlink(missing_ok=True)
    features = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        place, mode="w+", dtype=np.float16, shape=(int(offsets[-1]), len(past.names))
    )
    for k, history in enumerate(found):
        made = past.of_lives(history.values, lives(history.times, faults[history.unit]))
        features[offsets[k] : offsets[k + 1]] = standard.apply(made)
        told("units written", k + 1, len(found))
    return features, standard, offsets


def _digest(made: Sequences) -> str:
    """Fingerprint of all that is learned from: settings, features, labels, faults."""
    found = hashlib.sha256(json.dumps(made.manifest, sort_keys=True).encode())
    for array in (made.features, made.offsets, made.times, made.labels, made.eligible):
        found.update(np.ascontiguousarray(array).data)
    for times in made.faults:
        found.update(f"{len(times)}:".encode() + times.tobytes())
    return found.hexdigest()[:16]


def _refuse_one_sided(made: Sequences) -> None:
    """A split that knows only one answer can neither teach nor judge."""
    for split in SPLITS:
        spans = [made.span(unit) for unit in made.members(split)]
        known = [made.labels[span][made.eligible[span]] for span in spans]
        there = set(np.unique(np.concatenate(known))) - {UNKNOWN} if known else set()
        if split == "train" and there != {0, 1}:
            only = "no cycle" if not there else "only positives" if 1 in there else "no positive"
            raise BadHistory(
                "one-sided",
                f"{split}: {only} among its labels; give more units, or another seed or split",
            )


def past_mapping(past: Past) -> dict[str, Any]:
    """What a manifest keeps of how features are made."""
    held = {name: getattr(past, name) for name in Past.__dataclass_fields__}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in held.items()
    }


def adjustment_of(told: Mapping[str, Any]) -> Adjustment:
    """The part of it that a model's schema keeps under ``adjustment``."""
    return Adjustment(**{name: told[name] for name in Adjustment.model_fields})
