import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts import keys

hexadecimal = st.text("0123456789abcdefABCDEF", min_size=1, max_size=32)
source_keys = st.text(min_size=1, max_size=40).map(lambda path: f"raw/hvac/{path}")


def test_examples_in_the_docstrings_hold():
    assert doctest.testmod(keys).failed == 0
    assert doctest.testmod(keys).attempted >= 5


@given(hexadecimal, hexadecimal)
def test_text_order_of_normal_sequencers_is_age_order(one, other):
    ordered = keys.normal_sequencer(one) < keys.normal_sequencer(other)
    assert ordered == (int(one, 16) < int(other, 16))


@pytest.mark.parametrize("bad", ["", "xyz", "0x1f", "1" * 33, "12 34", "-1", "١"])
def test_what_is_no_sequencer_is_refused(bad):
    with pytest.raises(ValueError, match="sequencer"):
        keys.normal_sequencer(bad)


def test_a_file_without_event_is_older_than_any_event():
    year_2100 = keys.sequencer_without_event(4_102_444_800_000)
    assert keys.FIRST_SEQUENCER < year_2100 < keys.normal_sequencer("0055AED6DCD90281E5")
    assert keys.sequencer_without_event(1) < keys.sequencer_without_event(2)


@given(source_keys, hexadecimal)
def test_fragment_and_tombstone_keys_can_be_read_back(source_key, sequencer):
    for make, kind in ((keys.fragment_key, "parquet"), (keys.tombstone_key, "deleted")):
        found = keys.parse_fragment_key(make(source_key, sequencer))
        assert found == keys.FragmentKey(source_key, keys.normal_sequencer(sequencer), kind)


@pytest.mark.parametrize(
    "bad",
    [
        "raw/hvac/a.csv",
        "fragments/raw/a/12.parquet",
        f"fragments/raw/a/{'0' * 32}.csv",
        "fragments/",
    ],
)
def test_what_is_no_fragment_is_refused(bad):
    with pytest.raises(ValueError, match="fragment"):
        keys.parse_fragment_key(bad)


def test_the_newest_fragment_counts_and_deeper_keys_are_passed_over():
    one, two = keys.fragment_key("raw/h/a", "1"), keys.tombstone_key("raw/h/a", "2")
    other = keys.fragment_key("raw/h/a/b", "9")
    assert keys.newest("raw/h/a", [two, other, one]) == keys.FragmentKey(
        "raw/h/a", keys.normal_sequencer("2"), "deleted"
    )
    assert keys.newest("raw/h/a", [other]) is None
    assert keys.newest("raw/h/a", []) is None


@pytest.mark.parametrize("key", ["raw/hvac/a.csv", "history/hvac/2025/07/a b+c.parquet"])
def test_workload_of_a_file(key):
    assert keys.workload_of(key) == "hvac"


@pytest.mark.parametrize(
    "key", ["raw/a.csv", "raw//a.csv", "raw/hvac/", "backfill/h/a.json", "x", ""]
)
def test_a_key_without_workload_is_refused_with_the_way_out(key):
    with pytest.raises(ValueError, match="raw/<workload>/<path>"):
        keys.workload_of(key)


def test_a_key_too_long_to_derive_from_is_refused_but_can_be_rejected():
    longest = "raw/hvac/" + "é" * 507  # 1023 bytes: fine for S3
    with pytest.raises(ValueError, match="too long"):
        keys.fragment_key(longest, "1")
    parked = keys.rejected_key(longest)
    assert parked.startswith("rejected/long-keys/")
    assert len(parked) < keys.MAX_KEY_BYTES
    assert keys.rejected_key("raw/hvac/a.csv") == "rejected/raw/hvac/a.csv.json"


def test_run_keys_tell_versions_apart_and_can_be_read_back():
    run = keys.run_key("b", "backfill/x.json", "v1")
    assert run == keys.run_key("b", "backfill/x.json", "v1")
    assert (
        run
        != keys.run_key("b", "backfill/x.json", "v2")
        != keys.run_key("b", "backfill/x.json", None)
    )
    assert keys.parse_run_key(keys.report_key("hvac", run)) == ("hvac", run, "report.json")
    features = keys.features_key("hvac", run, "site 1/unit ä")
    assert keys.parse_run_key(features) == (
        "hvac",
        run,
        "features/site%201%2Funit%20%C3%A4.parquet",
    )
    with pytest.raises(ValueError, match="runs/"):
        keys.parse_run_key("runs/hvac/report.json")


def test_an_unreadable_event_has_its_place():
    assert keys.rejected_event_key("on_backfill", "e1") == "rejected/events/on_backfill/e1.json"
