from datetime import timedelta

from signalbox.domain.announce import backfill_started, features_ready, file_rejected
from signalbox.domain.recording import Cut
from signalbox.errors import Rejected
from tests.fakes import NOON, ref, rejection

RAW = ref("raw/hvac/a.csv")


def test_units_are_told_in_order():
    cut = Cut(("b", "a"), 1, 10, NOON, NOON + timedelta(hours=1), b"")
    event = features_ready("hvac", RAW, cut, "fragments/x")
    assert (event.units, event.cycles, event.rows) == (["a", "b"], 1, 10)


def test_a_rejected_file_tells_where_the_reason_is():
    event = file_rejected(rejection(Rejected("no-such-column", "no ts", column="ts", row=4), RAW))
    assert event.rejected_key == "rejected/raw/hvac/a.csv.json"
    assert (event.workload, event.column, event.row, event.line) == ("hvac", "ts", 4, None)


def test_a_rejected_manifest_has_no_workload():
    manifest = ref("backfill/x.json")
    assert file_rejected(rejection(Rejected("bad-manifest", "no"), manifest)).workload is None


def test_detail_types_are_class_names():
    assert backfill_started("hvac", RAW, "r", "jr", 1).detail_type() == "BackfillStarted"
