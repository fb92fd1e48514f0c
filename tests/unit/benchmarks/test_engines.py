"""A ratio between engines means something only if they compute the same numbers."""

from __future__ import annotations

import pytest

from benchmarks.engines import ENGINES
from benchmarks.rounds import Cost, Ratio, ratios
from benchmarks.unitday import UnitDay

DAY = UnitDay(rows=9_000, sensors=5, cycles=4)
RELATIVE = {"mean": 1e-6, "std": 1e-4, "slope": 1e-5}


@pytest.mark.parametrize("other", ["pandas", "polars"])
def test_every_engine_gives_the_kernels_numbers(other, tmp_path):
    path = tmp_path / "day.parquet"
    DAY.write_parquet(path)
    ours = ENGINES["kernel"](path, DAY)
    theirs = ENGINES[other](path, DAY)
    assert set(ours) == set(theirs)
    assert len(ours) == 5 * 9
    for name, values in ours.items():
        stat = name.rsplit("__", 1)[1]
        expected = list(theirs[name])
        assert len(expected) == 4
        if stat == "above_s":
            assert values.to_pylist() == pytest.approx(expected)
        else:
            assert values.to_pylist() == pytest.approx(
                expected, rel=RELATIVE.get(stat, 0), abs=1e-12
            ), name


def test_ratios_are_taken_round_by_round():
    slow, fast = [Cost(2.0, 1), Cost(9.0, 1)], [Cost(1.0, 1), Cost(3.0, 1)]
    figure = Ratio("x", ratios(slow, fast), "-")
    assert figure.values == (2.0, 3.0)
    assert figure.median == 2.5
