"""Rows that were predicted for, held against the baseline: what is missing, new, of another kind, or drifted.

A violation is news for the owner, not a failure: the files say it, and the program ends well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from jobs.tabular import loaders
from jobs.tabular.sketches import categorical_distance, chi_squared, numerical_distance
from jobs.tabular.statistics import described, whole
from jobs.tabular.tables import files_of, joined, numbers, read_table, texts
from signalbox.contracts.complaints import complaint
from signalbox.contracts.monitor import (
    CONSTRAINTS,
    STATISTICS,
    VIOLATIONS,
    CheckType,
    Constraints,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    Statistics,
    Violation,
    Violations,
)
from signalbox.contracts.tabular import ADDED, Tabular
from signalbox.errors import Rejected

M = TypeVar("M", bound=BaseModel)


def check_data(
    table: pa.Table, own: Collection[str], baseline: Path, out: Path, *, skip: bool = False
) -> Violations:
    """Compare rows with the baseline and write statistics.json and constraint_violations.json.

    Args:
        table: rows, as they were sent.
        own: columns beside those of the baseline that are no news, such as the id and the prediction.
        baseline: folder with statistics.json and constraints.json.
        out: folder for the files.
        skip: describe the rows, but find nothing wrong with them.

    Raises:
        Rejected: the baseline is not there, or none.
    """
    before = _read(baseline / STATISTICS, Statistics)
    asked = _read(baseline / CONSTRAINTS, Constraints)
    config = asked.monitoring_config
    kinds = {
        each.name: "category" if each.inferred_type == "String" else "number"
        for each in asked.features
        if each.name in table.column_names
    }
    now = described(table, kinds, config.datatype_check_threshold)
    found = list(_columns(table, asked, own)) + [
        violation
        for constraint in asked.features
        if constraint.name in kinds
        for violation in _feature(
            table[constraint.name], _of(now, constraint.name), _of(before, constraint.name),
            constraint, config,
        )
    ] if config.evaluate_constraints == "Enabled" and not skip else []  # fmt: skip
    violations = Violations(violations=found)
    out.mkdir(parents=True, exist_ok=True)
    (out / STATISTICS).write_text(now.text(), encoding="utf-8")
    (out / VIOLATIONS).write_text(violations.model_dump_json(indent=1), encoding="utf-8")
    return violations


def sent(folder: Path, told: Tabular, *, predicted: bool) -> pa.Table:
    """Read rows as they were sent, whatever they lack: predictions, which have a header, or inputs.

    Raises:
        Rejected: a file cannot be read, or holds no rows.
    """
    if told.loader != "plain" and not predicted:
        return loaders.rows(folder, told, with_target=False)
    names = None if predicted else told.names
    return joined([read_table(path, names) for path in files_of(folder)])


def own_of(told: Tabular) -> set[str]:
    """Columns of a tabular workload that are no inputs of its model."""
    own = {*ADDED, told.target, *filter(None, (told.id, told.group))}
    return own if told.loader == "plain" else own | {"station", "date"}


def _read(path: Path, kind: type[M]) -> M:
    if not path.is_file():
        raise Rejected(
            "no-baseline", f"{path} is not there; run baseline on the training rows first"
        )
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise Rejected("bad-baseline", f"{path.name}: {complaint(problem)}") from None


def _of(statistics: Statistics, name: str) -> FeatureStatistics:
    found = [each for each in statistics.features if each.name == name]
    if not found:
        raise Rejected("bad-baseline", f"{STATISTICS} says nothing of {name}; {CONSTRAINTS} does")
    return found[0]


def _columns(table: pa.Table, asked: Constraints, own: Collection[str]) -> Iterator[Violation]:
    wanted = [each.name for each in asked.features]
    missing = [name for name in wanted if name not in table.column_names]
    extra = [name for name in table.column_names if name not in wanted and name not in own]
    for names, kind, what in (
        (missing, "missing_column_check", "are missing"),
        (extra, "extra_column_check", "are new"),
    ):
        for name in names:
            yield _violation(name, kind, f"{len(names)} columns {what}: {', '.join(names)}")  # type: ignore[arg-type]


def _feature(
    column: pa.ChunkedArray, now: FeatureStatistics, before: FeatureStatistics,
    asked: FeatureConstraints, config: MonitoringConfig,
) -> Iterator[Violation]:  # fmt: skip
    rows = len(column)
    present = rows - column.null_count if now.common is None else now.common.num_present
    complete = present / rows
    # a constraint of the baseline's share, not of what it holds to the last digit
    if complete < asked.completeness - 1e-9:
        said = f"{complete:.4f} of the rows have a value, less than {asked.completeness:.4f}"
        yield _violation(asked.name, "completeness_check", said)
    if asked.inferred_type in ("Integral", "Fractional"):
        share = _of_another_type(column, asked.inferred_type == "Integral")
        if share > config.datatype_check_threshold:
            said = (
                f"{share:.4f} of the values are not {asked.inferred_type}, "
                f"more than {config.datatype_check_threshold:g}"
            )
            yield _violation(asked.name, "data_type_check", said)
    if asked.string_constraints is not None:
        yield from _values(column, asked, config.domain_content_threshold)
    if config.distribution_constraints.perform_comparison == "Enabled":
        yield from _drift(now, before, config)


def _of_another_type(column: pa.ChunkedArray, integral: bool) -> float:
    values, bad = numbers(column)
    finite = values[np.isfinite(values)]
    wrong = len(bad) + (int((~whole(finite)).sum()) if integral else 0)
    return wrong / max(1, len(bad) + len(finite))


def _values(
    column: pa.ChunkedArray, asked: FeatureConstraints, allowed: float
) -> Iterator[Violation]:
    domain = set(asked.string_constraints.domains) if asked.string_constraints else set()
    present = [each for each in texts(column) if each is not None]
    unknown = [each for each in present if each not in domain]
    share = len(unknown) / max(1, len(present))
    if share > allowed:
        some = ", ".join(sorted(set(unknown))[:5])
        said = f"{share:.4f} of the values are unknown to the training rows, more than {allowed:g}: {some}"
        yield _violation(asked.name, "categorical_values_check", said)


def _drift(
    now: FeatureStatistics, before: FeatureStatistics, config: MonitoringConfig
) -> Iterator[Violation]:
    told = config.distribution_constraints
    if now.numerical_statistics and before.numerical_statistics:
        sketches = [
            each.distribution.kll.sketch
            for each in (now.numerical_statistics, before.numerical_statistics)
        ]
        method, limit = told.comparison_method, told.comparison_threshold
        distance = numerical_distance(sketches[0], sketches[1], method)
    elif now.string_statistics and before.string_statistics:
        counts = [
            {bucket.value: bucket.count for bucket in each.distribution.categorical.buckets}
            for each in (now.string_statistics, before.string_statistics)
        ]
        limit = told.categorical_comparison_threshold
        if told.categorical_drift_method == "ChiSquared":
            chance = chi_squared(counts[0], counts[1])
            if chance is not None and chance < limit:
                said = f"ChiSquared: a p-value of {chance:.4g}, below {limit:g}"
                yield _violation(now.name, "baseline_drift_check", said)
            return
        method = told.comparison_method
        distance = categorical_distance(counts[0], counts[1], method)
    else:
        return  # of another type: that is another check's violation
    if distance > limit:
        said = f"{method}: a distance of {distance:.4f} from the training rows, above {limit:g}"
        yield _violation(now.name, "baseline_drift_check", said)


def _violation(name: str, kind: CheckType, description: str) -> Violation:
    return Violation(feature_name=name, constraint_check_type=kind, description=description)
