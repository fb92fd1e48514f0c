"""A fleet is plausible, the same every time, and indifferent to what was asked before."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from simulator.catalogue import BY_NAME, SENSORS
from simulator.climate import CLIMATES
from simulator.faults import KINDS
from simulator.fleet import Fleet, write_raw_day
from simulator.units import MODELS

SUMMER = date(2024, 7, 10)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(units=10, seed=7, days=90)


@pytest.fixture(scope="module")
def day(fleet: Fleet) -> pa.Table:
    return fleet.raw_day("hp-0003", SUMMER)


def column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy()


def test_a_unit_day_is_eight_million_readings_of_ninety_sensors(day):
    assert len(SENSORS) == len(BY_NAME) == 90
    assert day.column_names == ["ts", "unit", *(s.name for s in SENSORS)]
    assert day.schema.field("ts").type == pa.timestamp("ms", tz="UTC")
    assert pa.types.is_dictionary(day.schema.field("unit").type)
    assert all(day.schema.field(s.name).type == pa.float32() for s in SENSORS)
    assert 7_900_000 < day.num_rows * 90 <= 8_000_010
    assert day["unit"].unique().to_pylist() == ["hp-0003"]


def test_rows_come_every_972_ms_but_for_short_gaps(day):
    t = column(day, "ts").astype("datetime64[ms]").astype(np.int64)
    steps = np.diff(t)
    assert np.median(steps) == 972
    assert steps.min() == 972
    assert steps.max() < 300_000
    assert datetime.fromtimestamp(t[0] / 1000, UTC) == datetime(2024, 7, 10, tzinfo=UTC)


def test_some_sensors_drop_out_and_the_running_signal_never(fleet):
    tables = [fleet.raw_day("hp-0003", SUMMER + timedelta(days=k)) for k in range(2)]
    missing = [int(np.isnan(column(t, s.name)).sum()) for t in tables for s in SENSORS]
    assert sum(1 for m in missing if m) >= 2
    assert sum(missing) < 0.02 * sum(t.num_rows for t in tables) * 90
    assert not any(np.isnan(column(t, "compressor_power")).any() for t in tables)


def test_readings_are_physical(day):
    running = column(day, "compressor_power") > 0.45
    resting = ~running
    assert column(day, "compressor_power")[resting].max() < 0.1
    assert column(day, "compressor_power")[running].min() > 0.7
    settled = running & np.roll(running, 300)
    suction, discharge = (column(day, f"{x}_pressure")[settled] for x in ("suction", "discharge"))
    assert np.nanmin(suction) > 600
    assert np.nanmax(discharge) < 4200
    assert (discharge > 1.3 * suction)[~np.isnan(suction + discharge)].all()
    assert 3 < np.nanmean(column(day, "suction_superheat")[settled]) < 12
    assert 2 < np.nanmean(column(day, "subcooling")[settled]) < 11
    assert np.nanmean(column(day, "discharge_temperature")[settled]) > 45
    split = (column(day, "return_air_temperature") - column(day, "supply_air_temperature"))[settled]
    assert 6 < np.nanmean(split) < 16
    assert 3300 < np.nanmean(column(day, "compressor_speed")[settled]) < 3560
    room = column(day, "room_temperature")
    assert 19 < np.nanmin(room) <= np.nanmax(room) < 29
    assert np.all(np.diff(column(day, "compressor_starts")) >= 0)


def test_about_eighteen_cycles_a_day_in_season(fleet):
    counts = []
    for unit in fleet.units:
        start = fleet.life(unit)[0].cycles.start
        of_day = np.bincount((start // 86_400).astype(int), minlength=90)
        locked = [f for f in fleet.faults(unit) if 0 < f.failed < 90 * 86_400]
        if not locked:
            counts.append(of_day.mean())
    assert len(counts) >= 4
    assert np.mean(counts) == pytest.approx(18, abs=6)


def test_the_same_whatever_was_asked_before_and_however_large_the_fleet(fleet, day, tmp_path):
    other = Fleet(units=3, seed=7, days=45)
    other.cycle_history("hp-0003")
    other.raw_day("hp-0001", date(2024, 6, 1))
    again = other.raw_day("hp-0003", SUMMER)
    for name in day.column_names:
        ours, theirs = column(again, name), column(day, name)
        assert np.array_equal(ours, theirs, equal_nan=ours.dtype == np.float32), name
    write_raw_day(other, "hp-0003", SUMMER, tmp_path / "a.parquet")
    write_raw_day(fleet, "hp-0003", SUMMER, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_longer_span_has_the_same_history_first(fleet):
    short = Fleet(units=2, seed=7, days=40).cycle_history("hp-0002")
    long = fleet.cycle_history("hp-0002").slice(0, short.num_rows)
    last_whole = short.num_rows - 2  # the last cycle may be cut by the end of the span
    assert short.slice(0, last_whole).equals(long.slice(0, last_whole))


def test_seeds_units_and_days_differ(fleet, day):
    power = column(day, "compressor_power")
    for other in (
        fleet.raw_day("hp-0003", SUMMER + timedelta(days=1)),
        fleet.raw_day("hp-0002", SUMMER),
        Fleet(units=3, seed=8, days=45).raw_day("hp-0003", SUMMER),
    ):
        theirs = column(other, "compressor_power")
        rows = min(len(power), len(theirs))
        assert np.mean(power[:rows] == theirs[:rows]) < 0.5


def test_days_join_at_midnight(fleet):
    """Temperatures change no faster over midnight than elsewhere: the unit runs on."""
    a, b = (fleet.raw_day("hp-0003", SUMMER + timedelta(days=k)) for k in range(2))
    for name in ("discharge_temperature", "room_temperature", "outdoor_air_temperature"):
        before, after = column(a, name)[-20:], column(b, name)[:20]
        assert abs(np.nanmean(after) - np.nanmean(before)) < 1.5, name


def test_registry_and_fault_log_agree(fleet):
    registry, log = fleet.registry(), fleet.fault_log()
    assert registry.column_names == ["unit", "model", "dealer", "location", "installed"]
    assert registry["unit"].to_pylist() == list(fleet.units)
    assert set(registry["model"].to_pylist()) <= set(MODELS)
    dealers = {c.place: c.dealers for c in CLIMATES}
    for row in registry.to_pylist():
        assert row["dealer"] in dealers[row["location"]]
        assert row["installed"] < fleet.start
    assert log.column_names == ["unit", "fault", "started", "failed_at", "repaired_at"]
    assert log.num_rows > 0
    end = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(days=90)
    for row in log.to_pylist():
        assert row["unit"] in fleet.units
        assert row["fault"] in KINDS
        assert row["started"] < row["failed_at"] < end
        assert row["repaired_at"] is None or row["failed_at"] < row["repaired_at"] < end


def test_a_failed_unit_stands_still_until_it_is_repaired(fleet):
    for row in fleet.fault_log().to_pylist():
        failed = np.datetime64(row["failed_at"].replace(tzinfo=None))
        history = fleet.cycle_history(row["unit"])
        starts, ends = column(history, "cycle_start"), column(history, "cycle_end")
        assert not ((starts < failed) & (ends > failed)).any()
        if row["repaired_at"] is not None:
            repaired = np.datetime64(row["repaired_at"].replace(tzinfo=None))
            assert not ((starts >= failed) & (starts < repaired)).any()
            assert (starts >= repaired).any()


def test_unknown_units_and_days_are_refused_by_name(fleet):
    with pytest.raises(KeyError, match="hp-9999"):
        fleet.raw_day("hp-9999", SUMMER)
    with pytest.raises(ValueError, match="2031"):
        fleet.raw_day("hp-0001", date(2031, 1, 1))
    with pytest.raises(ValueError, match="at least one unit"):
        Fleet(units=0)
