"""Bad input is refused with its place; good input reads the same in every format."""

from __future__ import annotations

import gzip
import math
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycles import BadRecording, BadSpec, CycleSpec, cut, open_recording, stitch
from cycles.readers import text

WORKLOAD = {
    "recording": {"timestamp": {"column": "ts"}, "unit": {"column": "unit"}},
    "cycles": {
        "running": {"signal": "power", "above": 1.0}, "min_on_s": 2, "min_off_s": 2, "max_gap_s": 30,
        "max_jump_s": 86400,
    },
    "statistics": ["n", "mean", "std", "min", "max", "first", "last", "slope"],
    "sensors": [{"name": "power"}, {"name": "x"}, {"name": "spare", "required": False}],
}  # fmt: skip
SPEC = CycleSpec.from_mapping(WORKLOAD)
T0 = 1_780_000_000_000


def day(rows=120, unit="u1"):
    """A table with a cycle every 40 s."""
    t = np.arange(rows) * 1000 + T0
    power = np.where((np.arange(rows) // 20) % 2 == 1, 3.0, 0.0)
    x = np.sin(np.arange(rows) / 7) * 10
    x[5:8] = np.nan
    return pa.table(
        {"ts": pa.array(t, pa.timestamp("ms")), "unit": [unit] * rows, "power": power, "x": x}
    )


@pytest.fixture
def stored(tmp_path):
    def store(table, name="raw/w/day.parquet", **options):
        path = tmp_path / name.rsplit("/", 1)[-1]
        if name.endswith(".parquet"):
            pq.write_table(table, path, **options)
        else:
            sink = pa.BufferOutputStream()
            pacsv.write_csv(table, sink)
            body = sink.getvalue().to_pybytes()
            path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        return path

    return store


def refusal(path, name="raw/w/day.parquet", spec=SPEC):
    with pytest.raises(BadRecording) as caught:
        cut(path, spec, name)
    assert name in caught.value.message or path.name in caught.value.message
    return caught.value


def replaced(table, name, values):
    return table.set_column(table.column_names.index(name), name, [values])


def cycles_of(path, name, spec=SPEC):
    return stitch([(name, cut(path, spec, name))], spec, {}.__getitem__).table


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz"])
def test_text_and_parquet_give_the_same_cycles(stored, name):
    table = day()
    whole = cycles_of(stored(table), "day.parquet")
    assert whole.num_rows == 3
    assert whole.equals(cycles_of(stored(table, name), name))


def test_long_and_wide_give_the_same_cycles(stored):
    table = day()
    long = pa.concat_tables(
        [
            pa.table(
                {
                    "ts": table["ts"],
                    "unit": table["unit"],
                    "sensor": [s] * table.num_rows,
                    "value": table[s],
                }
            )
            for s in ("power", "x")
        ]
    )
    spec = CycleSpec.from_mapping(
        WORKLOAD
        | {
            "recording": WORKLOAD["recording"]
            | {"layout": "long", "long": {"sensor": "sensor", "value": "value"}},
        }
    )
    wide = cycles_of(stored(table), "day.parquet")
    for order in (long, long.sort_by("ts")):
        for name in ("long.parquet", "long.csv"):
            assert_close(cycles_of(stored(order, name), name, spec), wide)
    twice = pa.concat_tables([long, long.slice(3, 1)])
    assert refusal(stored(twice, "long.parquet"), "long.parquet", spec).reason in (
        "time-back",
        "time-twice",
    )


def assert_close(found, expected):
    assert found.column_names == expected.column_names
    for name in found.column_names:
        a, b = found[name].to_pylist(), expected[name].to_pylist()
        assert a == b or a == pytest.approx(b, rel=1e-12, abs=1e-12)


def test_several_units_in_one_file_are_told_apart(stored):
    a, b = day(unit="a"), day(unit="b")
    for table in (pa.concat_tables([a, b]), pa.concat_tables([a, b]).sort_by("ts")):
        found = cycles_of(stored(table), "day.parquet")
        assert found["unit"].to_pylist() == ["a"] * 3 + ["b"] * 3
    alone = cycles_of(stored(a), "day.parquet")
    assert found.filter(pa.compute.equal(found["unit"], "a")).equals(alone)


def test_integers_booleans_and_absent_optional_sensors_are_read(stored):
    table = replaced(day(), "power", pa.array([bool((k // 20) % 2) for k in range(120)]))
    spec = CycleSpec.from_mapping(
        WORKLOAD
        | {"cycles": WORKLOAD["cycles"] | {"running": {"status": {"column": "power", "on": [1]}}}}
    )
    found = cycles_of(stored(table), "day.parquet", spec)
    assert found.num_rows == 3
    assert found["spare__n"].to_pylist() == [0, 0, 0]
    assert found["spare__mean"].null_count == 3


def test_a_status_in_words_defines_running(stored):
    words = pa.array(["on" if (k // 20) % 2 else "off" for k in range(120)])
    spec = CycleSpec.from_mapping(
        WORKLOAD
        | {
            "cycles": WORKLOAD["cycles"]
            | {"running": {"status": {"column": "mode", "on": ["on", "boost"]}}},
        }
    )
    table = day().append_column("mode", words)
    for name in ("day.parquet", "day.csv"):
        assert cycles_of(stored(table, name), name, spec).num_rows == 3


def test_no_such_column_names_those_that_look_alike(stored):
    found = refusal(stored(day().rename_columns(["ts", "unit", "powr", "x"])))
    assert (found.reason, found.column) == ("no-such-column", "power")
    assert "'powr'" in found.message


def test_missing_and_wrong_units(stored):
    found = refusal(stored(replaced(day(), "unit", pa.array(["u1"] * 60 + [None] + ["u1"] * 59))))
    assert (found.reason, found.row) == ("missing-unit", 60)
    name = "raw/w/unit=u2/day.parquet"
    assert refusal(stored(day(), name), name).reason == "wrong-unit"
    assert refusal(stored(day(unit="../etc"))).reason == "wrong-unit"
    by_name = CycleSpec.from_mapping(
        WORKLOAD
        | {"recording": WORKLOAD["recording"] | {"unit": {"pattern": "^(?P<unit>AHU[0-9]+)"}}}
    )
    assert refusal(stored(day()), "day.parquet", by_name).reason == "missing-unit"


def test_times_that_go_back_come_twice_or_jump(stored):
    t = day()["ts"].to_pylist()
    kind = pa.timestamp("ms")
    back = replaced(day(), "ts", pa.array(t[:70] + t[65:115], kind))
    assert (refusal(stored(back)).reason, refusal(stored(back)).row) == ("time-back", 70)
    twice = replaced(day(), "ts", pa.array(t[:50] + t[49:119], kind))
    assert (refusal(stored(twice)).reason, refusal(stored(twice)).row) == ("time-twice", 50)
    ms = [int(v) for v in day()["ts"].cast(pa.int64()).to_pylist()]
    jump = replaced(
        day(), "ts", pa.array(ms[:60] + [v + 10 * 86_400_000 for v in ms[60:]]).cast(kind)
    )
    assert (refusal(stored(jump)).reason, refusal(stored(jump)).row) == ("clock-jump", 60)
    missing = replaced(day(), "ts", pa.array([*t[:30], None, *t[31:]], kind))
    assert (refusal(stored(missing)).reason, refusal(stored(missing)).row) == ("bad-timestamp", 30)


def test_silent_sensors(stored):
    found = refusal(stored(replaced(day(), "x", pa.array([math.nan] * 120))))
    assert (found.reason, found.column) == ("no-readings", "x")
    found = refusal(stored(replaced(day(), "power", pa.nulls(120, pa.float64()))))
    assert (found.reason, found.column) == ("no-readings", "power")


def test_empty_files(stored, tmp_path):
    (tmp_path / "day.csv").touch()
    assert refusal(tmp_path / "day.csv", "day.csv").reason == "empty"
    assert refusal(stored(day(0))).reason == "empty"
    assert refusal(stored(day(0), "day.csv"), "day.csv").reason == "empty"


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.99])
def test_a_truncated_parquet(stored, keep):
    path = stored(day(2000))
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * keep)])
    assert refusal(path).reason == "truncated"


def test_a_damaged_row_group_is_named(stored):
    path = stored(day(3000), row_group_size=1000, compression="zstd")
    place = pq.ParquetFile(path).metadata.row_group(1).column(3)
    body = bytearray(path.read_bytes())
    start = place.dictionary_page_offset or place.data_page_offset
    body[start + 20 : start + 220] = b"\xff" * 200
    path.write_bytes(bytes(body))
    found = refusal(path)
    assert (found.reason, found.row_group) == ("truncated", 1)


def test_a_truncated_gzip(stored):
    path = stored(day(5000), "day.csv.gz")
    path.write_bytes(path.read_bytes()[:-4000])
    assert refusal(path, "day.csv.gz").reason in ("truncated", "torn-line")


def test_a_torn_last_line_is_named(stored):
    path = stored(day(), "day.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1][:12]]))
    found = refusal(path, "day.csv")
    assert (found.reason, found.line) == ("torn-line", 121)


def test_text_where_a_number_belongs_is_found(stored):
    path = stored(day(), "day.csv")
    lines = path.read_text().splitlines()
    lines[40] = lines[40].rsplit(",", 1)[0] + ",broken"
    path.write_text("\n".join(lines) + "\n")
    found = refusal(path, "day.csv")
    assert (found.reason, found.column, found.line) == ("not-a-number", "x", 41)
    assert "broken" not in found.message  # what a file holds is not repeated in messages


def test_a_file_that_is_not_what_its_name_says(stored, tmp_path):
    parquet = stored(day())
    renamed = tmp_path / "day.csv"
    renamed.write_bytes(parquet.read_bytes())
    assert refusal(renamed, "day.csv").reason == "not-what-it-says"
    (tmp_path / "text.parquet").write_text("ts,unit\n1,2\n")
    assert refusal(tmp_path / "text.parquet", "text.parquet").reason == "not-what-it-says"
    (tmp_path / "zip.csv").write_bytes(b"PK\x03\x04" + bytes(100))
    assert refusal(tmp_path / "zip.csv", "zip.csv").reason == "not-what-it-says"
    (tmp_path / "notes.txt").write_text("hello")
    assert refusal(tmp_path / "notes.txt", "notes.txt").reason == "unknown-format"


def test_files_above_the_limit_are_refused(stored):
    small = CycleSpec.from_mapping(
        WORKLOAD | {"recording": WORKLOAD["recording"] | {"max_bytes": 1000}}
    )
    assert refusal(stored(day()), spec=small).reason == "too-large"


def test_a_gzip_that_unpacks_to_too_much_is_refused(stored, monkeypatch):
    monkeypatch.setattr(text, "DECODED_LIMIT", 100_000)
    assert refusal(stored(day(9000), "day.csv.gz"), "day.csv.gz").reason == "too-large"


def test_strings_are_no_readings(stored):
    found = refusal(stored(replaced(day(), "x", pa.array(["a"] * 120))))
    assert (found.reason, found.column) == ("wrong-type", "x")


@pytest.mark.parametrize(
    ("column", "stamp"),
    [
        (pa.array(np.arange(120) + T0 // 1000), {"column": "ts", "unit": "s"}),
        (pa.array(np.arange(120) + T0 / 1000.0), {"column": "ts", "unit": "s"}),
        (pa.array(np.arange(120) * 1_000_000 + T0 * 1000), {"column": "ts", "unit": "us"}),
        (day()["ts"].cast(pa.timestamp("us", tz="UTC")), {"column": "ts"}),
        (day()["ts"].cast(pa.string()), {"column": "ts"}),
        (pa.compute.strftime(day()["ts"], format="%Y-%m-%dT%H:%M:%SZ"), {"column": "ts"}),
        (
            pa.array([v.strftime("%d.%m.%Y %H:%M:%S") for v in day()["ts"].to_pylist()]),
            {"column": "ts", "format": "%d.%m.%Y %H:%M:%S"},
        ),
    ],
)
def test_times_in_every_notation(stored, column, stamp):
    spec = CycleSpec.from_mapping(
        WORKLOAD | {"recording": WORKLOAD["recording"] | {"timestamp": stamp}}
    )
    path = stored(replaced(day(), "ts", column))
    recording = open_recording(path, spec, "day.parquet")
    assert recording.times.tolist() == [(T0 + k * 1000) * 1_000_000 for k in range(120)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sensors": []}, "at least one sensor"),
        ({"sensors": [{"name": "x", "statistics": ["median"]}]}, "no statistic 'median'"),
        ({"sensors": [{"name": "x", "statistics": ["above_s"]}]}, "above_s needs the level"),
        ({"sensors": [{"name": "x"}, {"name": "x"}]}, "twice"),
        (
            {"cycles": {"running": {"signal": "p", "above": 1, "below": 0}, "max_gap_s": 1}},
            "exactly one",
        ),
        (
            {"cycles": {"running": {"signal": "p", "above": 1, "release": 2}, "max_gap_s": 1}},
            "release",
        ),
        (
            {"cycles": {"running": {"signal": "p", "below": 1, "release": 0}, "max_gap_s": 1}},
            "release",
        ),
        ({"cycles": {"running": {"signal": "p", "above": 1}}}, "max_gap_s"),
        (
            {"recording": {"timestamp": {"column": "t"}, "unit": {"pattern": "(x"}}},
            "regular expression",
        ),
        (
            {"recording": {"timestamp": {"column": "t"}, "unit": {"pattern": "x"}}},
            "group named unit",
        ),
        (
            {"recording": {"timestamp": {"column": "t"}, "unit": {}}},
            "exactly one of column or pattern",
        ),
    ],
)
def test_a_specification_that_cannot_work_says_why(change, words):
    with pytest.raises(BadSpec, match=words):
        CycleSpec.from_mapping(WORKLOAD | change)


def test_two_columns_of_one_name_are_refused(stored):
    table = day().append_column("x", pa.array(np.zeros(120)))
    found = refusal(stored(table))
    assert (found.reason, found.column) == ("duplicate-column", "x")
    assert refusal(stored(table, "day.csv"), "day.csv").reason == "duplicate-column"


@pytest.mark.parametrize(
    ("stamp", "values"),
    [
        ({"column": "ts", "unit": "s"}, np.arange(120) + T0),  # milliseconds taken for seconds
        ({"column": "ts", "unit": "ms"}, np.arange(120) * 1000 + T0 * 1_000_000),
        ({"column": "ts", "unit": "s"}, (np.arange(120) + T0) * 1.0),
        ({"column": "ts", "unit": "ns"}, np.full(120, 2**63 + 5, np.uint64)),
        ({"column": "ts"}, [f"1500-01-01 00:{k // 60:02d}:{k % 60:02d}" for k in range(120)]),
        ({"column": "ts"}, [f"9999-01-01 00:{k // 60:02d}:{k % 60:02d}.000000001" for k in range(120)]),
        ({"column": "ts", "format": "%Y-%m-%d %H:%M:%S"},
         [f"3000-01-01 00:{k // 60:02d}:{k % 60:02d}" for k in range(120)]),
    ],
)  # fmt: skip
def test_times_that_nanoseconds_cannot_tell_are_refused_not_wrapped(stored, stamp, values):
    spec = CycleSpec.from_mapping(
        WORKLOAD | {"recording": WORKLOAD["recording"] | {"timestamp": stamp}}
    )
    assert (
        refusal(stored(replaced(day(), "ts", pa.array(values))), spec=spec).reason
        == "bad-timestamp"
    )


def test_nanoseconds_in_text_keep_every_digit(stored):
    stamps = np.arange(120) * 1_000_000_007 + T0 * 1_000_000
    spec = CycleSpec.from_mapping(
        WORKLOAD
        | {"recording": WORKLOAD["recording"] | {"timestamp": {"column": "ts", "unit": "ns"}}}
    )
    path = stored(replaced(day(), "ts", pa.array(stamps)), "day.csv")
    assert open_recording(path, spec, "day.csv").times.tolist() == stamps.tolist()
    iso = pa.array(stamps).cast(pa.timestamp("ns")).cast(pa.string())
    path = stored(replaced(day(), "ts", iso))
    assert open_recording(path, SPEC, "day.parquet").times.tolist() == stamps.tolist()


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (pa.array([["u1"]] * 120), "unreadable"),
        (pa.array([1.5] * 120), "wrong-type"),
        (pa.array(["u1\n"] * 120), "wrong-unit"),
    ],
)
def test_units_are_names(stored, unit, reason):
    assert refusal(stored(replaced(day(), "unit", unit))).reason == reason


def test_a_units_pattern_is_matched_on_the_files_own_name_first(stored):
    named = WORKLOAD["recording"] | {"unit": {"pattern": "(?P<unit>AHU[0-9]+)"}}
    spec = CycleSpec.from_mapping(WORKLOAD | {"recording": named})
    path = stored(day())
    assert cut(path, spec, "AHU9-study/AHU3-day.parquet").units == ["AHU3"]
    assert cut(path, spec, "raw/w/AHU9/day.parquet").units == ["AHU9"]
    assert refusal(path, "raw/w/unit=AHU1/AHU3-day.parquet", spec).reason == "wrong-unit"


def test_rows_of_text_files_are_named_by_line_too(stored):
    t = day()["ts"].to_pylist()
    twice = replaced(day(), "ts", pa.array(t[:50] + t[49:119], pa.timestamp("ms")))
    found = refusal(stored(twice, "day.csv"), "day.csv")
    assert (found.row, found.line) == (50, 52)


@settings(max_examples=150)
@given(st.sampled_from(["day.parquet", "day.csv", "day.csv.gz"]), st.data())
def test_whatever_is_damaged_is_cut_or_refused_and_nothing_else(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    path = folder / name
    body = bytearray(body_of(name))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(body[: data.draw(st.integers(len(body) // 2, len(body)))]))
    refused = ""
    try:
        cut(path, SPEC, name)
    except BadRecording as problem:
        refused = problem.message
    assert not refused or name in refused


@cache
def body_of(name):
    sink = pa.BufferOutputStream()
    if name.endswith(".parquet"):
        pq.write_table(day(), sink)
        return sink.getvalue().to_pybytes()
    pacsv.write_csv(day(), sink)
    body = sink.getvalue().to_pybytes()
    return gzip.compress(body, mtime=0) if name.endswith(".gz") else body
