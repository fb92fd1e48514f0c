"""Whole units for training, validation and test; none in two of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.errors import BadHistory
from jobs.dataset.split import split_from, split_units


def dealt(units, failed=None, seed=0, validation=0.2, test=0.2):
    failed = failed or {unit: int(unit) % 2 == 0 for unit in units}
    return dict(zip(units, split_units(units, failed, validation, test, seed), strict=True))


def names(count):
    return [str(number) for number in range(1, count + 1)]


@given(
    st.lists(st.booleans(), max_size=80), st.floats(0.05, 0.45), st.floats(0.05, 0.45),
    st.integers(0, 99),
)  # fmt: skip
def test_each_kind_of_unit_is_dealt_by_the_same_shares(kinds, validation, test, seed):
    units = names(len(kinds))
    of = dealt(units, dict(zip(units, kinds, strict=True)), seed, validation, test)
    for kind in (True, False):
        group = [unit for unit, failed in zip(units, kinds, strict=True) if failed is kind]
        count = Counter(of[unit] for unit in group)
        assert abs(count["test"] - len(group) * test) <= 0.5
        assert abs(count["validation"] - len(group) * validation) <= 0.5
        assert sum(count.values()) == len(group)


def test_the_order_of_the_units_does_not_matter():
    units = names(40)
    assert dealt(units) == dealt(units[::-1])


def test_another_seed_deals_otherwise():
    assert dealt(names(40), seed=1) != dealt(names(40), seed=2)


@given(st.integers(10, 120), st.integers(0, 50))
def test_a_unit_more_moves_hardly_any_other(count, seed):
    before, after = dealt(names(count), seed=seed), dealt(names(count + 1), seed=seed)
    moved = [unit for unit in before if before[unit] != after[unit]]
    assert len(moved) <= 3  # at most those beside the borders of its own kind


def test_a_fleet_twice_as_large_keeps_most_units_where_they_were():
    before, after = dealt(names(200)), dealt(names(400))
    assert sum(before[unit] != after[unit] for unit in before) < 30


def split_file(folder, text):
    (folder / "split.csv").write_text(text, encoding="utf-8")
    return folder / "split.csv"


def refused(path, units):
    with pytest.raises(BadHistory) as problem:
        split_from(path, units)
    return problem.value


def test_a_file_may_say_which_unit_is_for_what(tmp_path):
    path = split_file(tmp_path, "\ufeffsplit,unit\ntest,b\ntrain,a\nvalidation,c\ntrain,a\n")
    assert split_from(path, ["a", "b", "c"]) == ["train", "test", "validation"]


def test_a_unit_in_two_splits_is_refused_and_named(tmp_path):
    problem = refused(split_file(tmp_path, "unit,split\na,train\nb,test\na,test\n"), ["a", "b"])
    assert problem.reason == "overlapping-splits"
    assert "unit a is in train and in test" in problem.message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("unit,split\na,train\n", "b"),
        ("unit,split\na,train\nb,dev\n", "'dev'"),
        ("unit,use\na,train\n", "columns unit and split"),
        ("", "columns unit and split"),
    ],
)
def test_a_file_that_does_not_say_it_of_every_unit_is_refused(tmp_path, text, named):
    problem = refused(split_file(tmp_path, text), ["a", "b"])
    assert problem.reason == "bad-split"
    assert named in problem.message
