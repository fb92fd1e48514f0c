"""Statistics of columns in Model Monitor's format, of training rows and of what comes later alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from jobs.tabular.sketches import sketched
from jobs.tabular.tables import numbers, texts
from signalbox.contracts.monitor import (
    Categories,
    Category,
    Dataset,
    FeatureStatistics,
    Inferred,
    NumericalDistribution,
    NumericalStatistics,
    Presence,
    Statistics,
    StringDistribution,
    StringStatistics,
)

MOST_VALUES = 1000
"""Of a column of text at most so many values are counted, the most frequent ones."""


def described(table: pa.Table, kinds: Mapping[str, str], share: float = 0.0) -> Statistics:
    """Statistics of columns.

    Args:
        table: rows.
        kinds: the columns wanted, ``number`` or ``category``.
        share: a column of numbers of which more cells than this are none is one of text.
    """
    return Statistics(
        dataset=Dataset(item_count=table.num_rows),
        features=[column(name, table[name], kind, share) for name, kind in kinds.items()],
    )


def column(name: str, told: pa.ChunkedArray, kind: str, share: float) -> FeatureStatistics:
    """Statistics of one column."""
    if kind == "number":
        values, bad = numbers(told)
        finite = values[np.isfinite(values)]
        if len(finite) and len(bad) <= share * (len(bad) + len(finite)):
            missing = len(values) - len(finite) - len(bad)
            common = Presence(num_present=len(values) - missing, num_missing=missing)
            inferred: Inferred = "Integral" if whole(finite).all() else "Fractional"
            return FeatureStatistics(
                name=name, inferred_type=inferred, numerical_statistics=_numbers(finite, common)
            )
    found = texts(told)
    counts = Counter(each for each in found if each is not None)
    if not counts:
        return FeatureStatistics(name=name, inferred_type="Unknown")
    present = counts.total()
    return FeatureStatistics(
        name=name, inferred_type="String",
        string_statistics=StringStatistics(
            common=Presence(num_present=present, num_missing=len(found) - present),
            distinct_count=len(counts),
            distribution=StringDistribution(
                categorical=Categories(
                    buckets=[
                        Category(value=value, count=count)
                        for value, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
                    ][:MOST_VALUES]
                )
            ),
        ),
    )  # fmt: skip


def whole(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Which numbers are whole."""
    return np.asarray(values == np.floor(values))


def _numbers(finite: np.ndarray, common: Presence) -> NumericalStatistics:  # type: ignore[type-arg]
    return NumericalStatistics(
        common=common, mean=float(finite.mean()), sum=float(finite.sum()),
        std_dev=float(finite.std()), min=float(finite.min()), max=float(finite.max()),
        distribution=NumericalDistribution(kll=sketched(finite)),
    )  # fmt: skip
