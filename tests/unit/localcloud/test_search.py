"""Where a tuning job looks: points within their ranges, the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.engines.search import Range, Search
from localcloud.wiring import RefusedError

UNIT = st.floats(0, 1)


@given(UNIT, st.sampled_from(["Linear", "Logarithmic"]))
def test_a_continuous_value_lies_in_its_range(place: float, scale: str) -> None:
    assert 0.001 <= float(Range("x", 0.001, 0.1, scale).text(place)) <= 0.1


@given(UNIT)
def test_a_reversed_scale_lies_in_its_range(place: float) -> None:
    assert 0.9 <= float(Range("x", 0.9, 0.999, "ReverseLogarithmic").text(place)) <= 0.999


@given(UNIT, st.sampled_from(["Linear", "Logarithmic"]))
def test_an_integer_lies_in_its_range(place: float, scale: str) -> None:
    assert int(Range("n", 2, 5, scale, whole=True).text(place)) in {2, 3, 4, 5}


def test_a_logarithmic_scale_takes_every_decade_alike() -> None:
    given_range = Range("x", 0.001, 10.0, "Logarithmic")
    assert float(given_range.text(0.5)) == pytest.approx(0.1)
    reversed_range = Range("x", 0.0, 0.999, "ReverseLogarithmic")
    assert float(reversed_range.text(0.5)) == pytest.approx(1 - 0.001**0.5)


def ranges(**more: Any) -> dict[str, Any]:
    one = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
    return {"ContinuousParameterRanges": [one], **more}


def test_a_bayesian_search_beats_chance_on_a_valley() -> None:
    def found(strategy: str) -> float:
        search, seen = Search(strategy, ranges(), "seed"), []
        for _ in range(12):
            point = search.next(seen, maximize=False)
            seen.append((point, (float(search.hyperparameters(point)["x"]) - 0.37) ** 2))
        return min(value for _, value in seen)

    assert found("Bayesian") < 1e-4 < found("Random")


def test_points_under_way_are_not_looked_at_again() -> None:
    search = Search("Bayesian", ranges(), "seed")
    seen: list[Any] = [((0.1 * n,), float(n)) for n in range(4)] + [((0.5,), None)]
    assert search.next(seen, maximize=True) != (0.5,)
    same = Search("Bayesian", ranges(), "seed")
    assert same.next(seen, maximize=True) == Search("Bayesian", ranges(), "seed").next(
        seen, maximize=True
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (ranges(CategoricalParameterRanges=[{"Name": "x", "Values": ["a"]}]), "two ranges"),
        (
            ranges(AutoParameters=[{"Name": "y", "ValueHint": "1"}]),
            "AutoParameters is not supported",
        ),
        (
            {"IntegerParameterRanges": [{"Name": "n", "MinValue": "0.5", "MaxValue": "2"}]},
            "parameter range n",
        ),
        (
            {"IntegerParameterRanges": [{"Name": "n", "MinValue": "3", "MaxValue": "2"}]},
            "3 to 2 is no Linear range",
        ),
    ],
)
def test_malformed_ranges_are_named(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        Search("Random", wanted, "seed")
