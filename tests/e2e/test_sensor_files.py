"""Sensor files through the whole chain: once, twice, replaced, deleted, late, broken."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pyarrow as pa
import pytest

from cli.workloads import load
from signalbox.runtime.once import EXPIRES_AFTER_S

KEY = "raw/hvac/unit=A1/day.parquet"


@pytest.mark.ric
def test_a_file_becomes_features_and_its_path_is_told(chain, hvac_file):
    chain.bucket.write(KEY, hvac_file())
    chain.run()
    journey = chain.journey(KEY)
    assert [step.name.removeprefix("signalbox-") for step in journey.steps] == [
        "Object Created", "RawFiles", "RawFileQueue", "OnSensorFile", "CycleFeaturesReady",
    ]  # fmt: skip
    assert (journey.outcome, journey.units, journey.cycles) == ("features", ("A1",), 2)
    table = chain.features()
    assert (
        table.num_rows == 3
    )  # the third is open at the file's end, and closed when nothing follows
    assert table.column_names[:5] == ["unit", "cycle_start", "cycle_end", "duration_s", "rows"]
    assert len(table.column_names) > 60
    assert table["rows"].to_pylist() == [200, 200, 200]


@pytest.mark.ric
def test_the_same_event_again_changes_nothing_and_is_not_worked_on_again(chain, hvac_file):
    chain.bucket.write(KEY, hvac_file())
    chain.run()
    before = {key: chain.bucket.read(key) for key in chain.bucket.listing("")}
    for _ in range(3):
        chain.deliver_again(KEY)
        chain.run()
    assert {key: chain.bucket.read(key) for key in chain.bucket.listing("")} == before
    fragments = [k for k in before if k.startswith("fragments/")]
    versions = chain.cloud.client("s3").list_object_versions(
        Bucket=chain.bucket.name, Prefix="fragments/"
    )
    assert len(versions["Versions"]) == len(fragments) == 1
    assert len(chain.events("CycleFeaturesReady")) == 1


def test_when_the_record_of_an_event_has_expired_by_the_clouds_clock_it_is_worked_on_again(
    chain, hvac_file
):
    chain.stop_schedules()
    chain.bucket.write(KEY, hvac_file())
    chain.run()
    for seconds in (EXPIRES_AFTER_S - 60, 120):
        chain.cloud._world.clock.follow(chain.cloud.now() + timedelta(seconds=seconds))
        chain.deliver_again(KEY)
        chain.run()
    lines = [r.detail["line"] for r in chain.cloud.journal if r.kind == "log"]
    told = [json.loads(line).get("message") for line in lines]
    outcomes = ("cut", "repeated", "announced-again")
    assert [message for message in told if message in outcomes] == list(outcomes)
    assert len(chain.bucket.listing("fragments/")) == 1


def test_a_newer_version_replaces_and_a_deletion_withdraws(chain, hvac_file):
    chain.bucket.write(KEY, hvac_file())
    chain.run()
    first = chain.features()
    chain.bucket.write(KEY, hvac_file(shift=5.0))
    chain.run()
    second = chain.features()
    assert second.num_rows == first.num_rows
    column = "discharge_pressure__mean"
    assert second[column].to_pylist() == pytest.approx([v + 5.0 for v in first[column].to_pylist()])
    chain.cloud.client("s3").delete_object(Bucket=chain.bucket.name, Key=KEY)
    chain.run()
    assert chain.features().num_rows == 0
    assert [e["source"]["key"] for e in chain.events("CycleFeaturesWithdrawn")] == [KEY]


def test_an_older_version_arriving_late_changes_nothing(chain, hvac_file):
    chain.bucket.write(KEY, hvac_file())
    chain.bucket.write(KEY, hvac_file(shift=5.0))
    chain.run()
    newest = chain.features()
    chain.deliver_again(KEY)  # the first version's event once more
    chain.run()
    assert chain.features().equals(newest)


def test_a_recording_cut_into_files_in_any_order_gives_the_cycles_of_the_whole(chain, hvac_file):
    cuts = [(700, 500), (0, 330), (330, 370)]
    for start, rows in cuts:
        chain.bucket.write(
            f"raw/hvac/unit=A1/{start:05d}.parquet", hvac_file(rows=rows, start=start)
        )
        chain.run()
    cut = chain.features()
    chain.bucket.write(
        "raw/hvac/unit=A1/whole.parquet", hvac_file()
    )  # overlaps with all of them, equal rows
    chain.run()
    whole = chain.features()
    assert cut.num_rows == whole.num_rows == 3
    for name in cut.column_names:
        a, b = cut[name].to_pylist(), whole[name].to_pylist()
        assert a == b or a == pytest.approx(b, rel=1e-5, abs=1e-9), name


BAD = {
    "no-such-column.parquet": ("no-such-column", {"compressor_power": None}),
    "missing-unit.parquet": ("missing-unit", {"unit": pa.nulls(1200, pa.string())}),
    "time-back.parquet": ("time-back", {"ts": pa.array(list(range(1200, 0, -1)), pa.timestamp("s"))}),
    "time-twice.parquet": ("time-twice", {"ts": pa.array([5] * 1200, pa.timestamp("s"))}),
    "clock-jump.parquet": (
        "clock-jump", {"ts": pa.array([*range(1199), 4_000_000_000], pa.timestamp("s"))},
    ),
    "silent.parquet": ("no-readings", {"discharge_pressure": pa.nulls(1200, pa.float32())}),
}  # fmt: skip


def test_every_bad_file_is_rejected_with_its_reason_and_the_rest_of_the_batch_is_done(
    chain, hvac_file
):
    good = hvac_file()
    bodies = {name: hvac_file(**change) for name, (_, change) in BAD.items()}
    expected = {name: reason for name, (reason, _) in BAD.items()}
    bodies |= {
        "empty.parquet": b"", "torn.parquet": good[: len(good) // 2], "not.parquet": b"ts,unit\n1,2\n",
        "torn.csv": b"ts,unit\n2026-01-01,A1\n2026-0", "notes.txt": b"hello",
        "half.csv.gz": gzip.compress(b"ts,unit\n" * 9000)[:-20],
    }  # fmt: skip
    expected |= {
        "empty.parquet": "empty", "torn.parquet": "truncated", "not.parquet": "not-what-it-says",
        "torn.csv": "no-such-column", "notes.txt": "unknown-format", "half.csv.gz": "truncated",
    }  # fmt: skip
    for name, body in bodies.items():
        chain.bucket.write(f"raw/hvac/{name}", body)
        chain.bucket.write(f"raw/hvac/unit=A1/beside-{name}.parquet", hvac_file(rows=10))
    chain.bucket.write("raw/nobody/x.parquet", good)
    chain.run()
    notes = {key.removeprefix("raw/hvac/"): note for key, note in chain.bucket.rejections().items()}
    unknown = notes.pop("raw/nobody/x.parquet")
    assert {name: note["reason"] for name, note in notes.items()} == expected
    assert unknown["reason"] == "unknown-workload"
    assert notes["no-such-column.parquet"]["column"] == "compressor_power"
    assert notes["time-back.parquet"]["row"] == 1
    for name, body in bodies.items():
        assert chain.bucket.read(f"raw/hvac/{name}") == body  # the original is kept
    told = {e["source"]["key"].removeprefix("raw/hvac/") for e in chain.events("FileRejected")}
    assert told == {*expected, "raw/nobody/x.parquet"}
    done = chain.events("CycleFeaturesReady")
    assert len(done) == len(bodies)
    assert not [r for r in chain.cloud.journal if r.kind == "dead-letter"]


def test_a_file_above_its_workloads_limit_is_rejected(chain, hvac_file):
    small = load("hvac").mapping()
    small["recording"]["max_bytes"] = 1000
    s3, bucket = chain.cloud.client("s3"), chain.cloud.packages
    shipped = s3.list_objects_v2(Bucket=bucket, Prefix="shipped/workloads")["Contents"]
    assert len(shipped) == 1
    s3.put_object(Bucket=bucket, Key=shipped[0]["Key"], Body=json.dumps({"hvac": small}).encode())
    chain.bucket.write(KEY, hvac_file())
    chain.run()
    assert chain.bucket.rejections()[KEY]["reason"] == "too-large"


@pytest.mark.ric
def test_logs_hold_no_payload(chain, hvac_file):
    chain.bucket.write(KEY, hvac_file())
    chain.bucket.write("raw/hvac/torn.csv", b"ts,unit,compressor_power\nsecret-reading,A1\n")
    chain.run()
    logs = " ".join(str(r) for r in chain.cloud.journal if r.kind == "log")
    assert "on_sensor_file" in logs
    assert "secret-reading" not in logs
