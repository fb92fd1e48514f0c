"""Files about a fleet in every format, good and bad, from a real bucket."""

import gzip
import io
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signalbox.adapters import fleet_files
from signalbox.adapters.fleet_files import FleetFolder
from signalbox.adapters.objects import Objects
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.domain.fleet import records
from signalbox.errors import Rejected
from simulator.files import FAULTS, REGISTRY, write_fleet
from simulator.fleet import Fleet
from tests.fakes import BUCKET, ref

CSV = 'unit,model,dealer,location,installed\nA1,RTU,north,"Oslo, NO",2024-05-01\n'
LINES = (
    '{"unit": "A1", "fault": "leak", "failed_at": "2026-07-01T12:00:00Z", "more": 1}\n'
    '\n{"unit": "A1", "fault": "leak", "failed_at": "2026-08-01T12:00:00Z", "withdrawn": true}'
)
OSLO = UnitRecord(
    unit="A1", model="RTU", dealer="north", location="Oslo, NO", installed=date(2024, 5, 1)
)


@pytest.fixture
def read(s3):
    folder = FleetFolder(Objects(BUCKET))

    def reading(key, body):
        kind = key.partition("/")[0]
        version = s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]
        contract = UnitRecord if kind == "registry" else FaultRecord
        source = ref(key, version=version)
        assert folder.size(source) == len(body)
        return records(kind, key, folder.rows(source, contract.model_fields))

    return reading


def parquet(**columns):
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("units.csv", CSV.encode()),
        ("units.CSV", ("\ufeff" + CSV).replace("\n", "\r\n").encode()),
        ("units.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("units.csv", gzip.compress(CSV.encode(), mtime=0)),
        ("units.csv", (CSV + "\n").encode()),
    ],
)
def test_units_as_csv(read, name, body):
    assert read(f"registry/hvac/{name}", body) == [OSLO]


@pytest.mark.parametrize("name", ["log.jsonl", "log.ndjson", "log.jsonl.gz"])
def test_faults_as_json_lines(read, name):
    body = LINES.encode()
    first, second = read(f"faults/hvac/{name}", gzip.compress(body) if ".gz" in name else body)
    assert (first.withdrawn, second.withdrawn) == (False, True)


def test_the_simulator_s_tables_are_read_as_they_come(read, tmp_path):
    fleet = Fleet(units=2, seed=7, days=400, faults_per_year=3)
    assert fleet.fault_log().num_rows
    for table, key, many in (
        (fleet.registry(), "registry/hvac/registry.parquet", 2),
        (fleet.fault_log(), "faults/hvac/fault_log.parquet", None),
    ):
        target = io.BytesIO()
        pq.write_table(table, target)
        found = read(key, target.getvalue())
        assert len(found) == (many or table.num_rows)
    write_fleet(fleet, tmp_path, days=[])
    units = read(REGISTRY, (tmp_path / REGISTRY).read_bytes())
    faults = read(FAULTS, (tmp_path / FAULTS).read_bytes())
    assert len(units) == 2
    assert [fault.unit for fault in faults] == fleet.fault_log()["unit"].to_pylist()


def test_faults_as_parquet_with_nulls(read):
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    body = parquet(
        unit=["A1"], fault=["leak"], failed_at=pa.array([at], pa.timestamp("ms", "UTC")),
        repaired_at=pa.array([None], pa.timestamp("ms", "UTC")), started=[1],
    )  # fmt: skip
    assert read("faults/hvac/a.parquet", body) == [
        FaultRecord(unit="A1", fault="leak", failed_at=at)
    ]


@pytest.mark.parametrize(
    ("name", "body", "reason", "place"),
    [
        ("a.xlsx", b"x", "unknown-format", {}),
        ("a", b"x", "unknown-format", {}),
        ("a.csv", b"unit,unit\n", "bad-header", {"line": 1}),
        ("a.csv", b"\n", "bad-header", {"line": 1}),
        ("a.csv", b"unit,model\nA1\n", "bad-row", {"line": 2}),
        ("a.csv", b'unit,model\n"A1\n', "bad-row", {"line": 2}),
        ("a.csv", b"unit\nA1\n", "bad-row", {"line": 2, "column": "model"}),
        ("a.csv", b"unit,model\nA1,\xff\n", "bad-text", {"line": 2}),
        ("a.csv.gz", gzip.compress(b"unit\n" * 99, mtime=0)[:20], "damaged", {}),
        ("a.csv.gz", b"\x1f\x8bno", "damaged", {}),
        ("a.jsonl", b"{}\n[]\n", "bad-row", {"line": 1}),
        ("a.jsonl", b"\n[]\n", "bad-row", {"line": 2}),
        ("a.jsonl", b"[" * 100_000, "bad-row", {"line": 1}),
        ("a.parquet", b"PAR1", "damaged", {}),
        ("a.parquet", parquet(unit=["A1"]), "bad-row", {"row": 0, "column": "model"}),
        ("a.parquet", parquet(unit=[7]), "bad-row", {"row": 0, "column": "unit"}),
    ],
)
def test_a_bad_file_says_what_is_bad_and_where(read, name, body, reason, place):
    with pytest.raises(Rejected) as problem:
        read(f"registry/hvac/{name}", body)
    told = {each: getattr(problem.value, each) for each in ("line", "row", "column")}
    assert problem.value.reason == reason
    assert {key: told[key] for key in place} == place


def test_what_unpacks_to_too_much_is_refused(read, monkeypatch):
    monkeypatch.setattr(fleet_files, "MAX_BYTES", 1000)
    with pytest.raises(Rejected, match="unpacks to more than 1000 bytes"):
        read("registry/hvac/a.csv.gz", gzip.compress(CSV.encode() * 99))


def test_a_table_of_too_many_rows_is_not_read(read, monkeypatch):
    monkeypatch.setattr(fleet_files, "MAX_ROWS", 1)
    with pytest.raises(Rejected, match="more than 1 rows"):
        read("registry/hvac/a.parquet", parquet(unit=["A1", "B2"]))


def test_a_file_that_is_gone_is_rejected(s3):
    with pytest.raises(Rejected):
        FleetFolder(Objects(BUCKET)).rows(ref("registry/hvac/a.csv", version=None), ["unit"])
