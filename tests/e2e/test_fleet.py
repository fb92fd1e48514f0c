"""Files about the fleet: in every format, twice, out of order; what cannot be read is said."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from signalbox.adapters.fleet_table import FleetTable
from simulator.fleet import Fleet


def table(chain) -> FleetTable:
    cloud = chain.cloud
    return FleetTable(cloud.physical_id("FleetTable"), cloud.client("dynamodb"))


def parquet(found) -> bytes:
    target = io.BytesIO()
    pq.write_table(found, target)
    return target.getvalue()


@pytest.mark.ric
def test_the_simulated_fleet_is_known_unit_by_unit_and_fault_by_fault(chain):
    fleet = Fleet(units=3, seed=7, days=400, faults_per_year=3)
    chain.bucket.write("registry/hvac/registry.parquet", parquet(fleet.registry()))
    chain.bucket.write("faults/hvac/fault_log.parquet", parquet(fleet.fault_log()))
    chain.run()
    assert {e["kind"]: (e["rows"], e["changed"]) for e in chain.events("FleetRecordsMerged")} == {
        "registry": (3, 3),
        "faults": (fleet.fault_log().num_rows,) * 2,
    }
    known = table(chain)
    log = fleet.fault_log().to_pylist()
    for row in fleet.registry().to_pylist():
        assert known.unit("hvac", row["unit"]).dealer == row["dealer"]
        faults = [f.failed_at for f in known.faults("hvac", row["unit"])]
        assert faults == sorted(f["failed_at"] for f in log if f["unit"] == row["unit"])


def test_a_fault_is_corrected_and_taken_back(chain):
    log = "unit,fault,failed_at,repaired_at,withdrawn\nA1,leak,2026-07-01T12:00:00Z,,{}\n"
    chain.bucket.write("faults/hvac/1.csv", log.format("").encode())
    chain.run()
    assert len(table(chain).faults("hvac", "A1")) == 1
    chain.bucket.write("faults/hvac/2.csv", log.format("true").encode())
    chain.run()
    assert table(chain).faults("hvac", "A1") == []


def test_a_bad_row_is_parked_and_nothing_of_its_file_is_merged(chain):
    chain.bucket.write("registry/hvac/units.csv", b"unit,model\nA1,RTU\n")
    chain.bucket.write("registry/units.csv", b"unit\n")
    chain.run()
    reasons = {key: note["reason"] for key, note in chain.bucket.rejections().items()}
    assert reasons == {"registry/hvac/units.csv": "bad-row", "registry/units.csv": "bad-key"}
    assert table(chain).unit("hvac", "A1") is None
