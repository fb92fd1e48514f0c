"""What later rows are held against: statistics of the training features, and constraints drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from jobs.tabular.preprocess import read
from jobs.tabular.statistics import described
from signalbox.contracts.gate import Drift
from signalbox.contracts.monitor import (
    CONSTRAINTS,
    STATISTICS,
    Constraints,
    DistributionConstraints,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumberConstraints,
    Statistics,
    StringConstraints,
)
from signalbox.errors import Rejected


def baseline(train: Path, workload: str, out: Path) -> Constraints:
    """Write statistics.json and constraints.json of the training rows.

    Raises:
        Rejected: they are not there, not whole, or of another workload.
    """
    table, schema = read(train)
    if schema.workload != workload:
        raise Rejected("other-workload", f"the rows are of {schema.workload}, not of {workload}")
    return draw(table, schema.tabular.columns, schema.tabular.drift, out)


def draw(table: pa.Table, kinds: Mapping[str, str], drift: Drift, out: Path) -> Constraints:
    """Write statistics.json and constraints.json of rows.

    Args:
        table: the training rows.
        kinds: the columns wanted, ``number`` or ``category``.
        drift: how far the workload lets others stray.
        out: folder for the files.
    """
    found = described(table, kinds)
    drawn = constraints(found, drift)
    out.mkdir(parents=True, exist_ok=True)
    (out / STATISTICS).write_text(found.text(), encoding="utf-8")
    (out / CONSTRAINTS).write_text(drawn.text(), encoding="utf-8")
    return drawn


def constraints(found: Statistics, drift: Drift) -> Constraints:
    """What the training rows satisfied, and how far the workload lets others stray."""
    return Constraints(
        features=[
            _constraint(feature, found.dataset.item_count, drift.missing)
            for feature in found.features
        ],
        monitoring_config=MonitoringConfig(
            emit_metrics="Disabled",  # what is found is told by files alone
            distribution_constraints=DistributionConstraints(
                comparison_threshold=drift.threshold,
                comparison_method=drift.method,
                categorical_comparison_threshold=drift.categorical_threshold,
                categorical_drift_method=drift.categorical_method,
            ),
        ),
    )


def _constraint(feature: FeatureStatistics, rows: int, missing: float) -> FeatureConstraints:
    common = feature.common
    numerical, text = feature.numerical_statistics, feature.string_statistics
    domains = [each.value for each in text.distribution.categorical.buckets] if text else []
    return FeatureConstraints(
        name=feature.name,
        inferred_type=feature.inferred_type,
        completeness=max(0.0, common.num_present / rows - missing) if common else 0.0,
        num_constraints=NumberConstraints(is_non_negative=numerical.min >= 0)
        if numerical
        else None,
        string_constraints=StringConstraints(domains=sorted(domains)) if text else None,
    )
