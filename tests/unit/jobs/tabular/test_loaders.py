"""From hourly and daily files of weather to rows: units, missing codes, yesterday, and weather alone."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.tabular import loaders
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Misconfigured, Rejected
from tests.shells import write

HOURLY = [
    "No", "year", "month", "day", "hour", "PM2.5", "PM10", "SO2", "NO2", "CO", "O3",
    "TEMP", "PRES", "DEWP", "RAIN", "wd", "WSPM", "station",
]  # fmt: skip
DAILY = [
    "STATION", "DATE", "TEMP", "DEWP", "SLP", "STP", "VISIB", "WDSP", "MXSPD", "GUST", "MAX", "MIN",
    "PRCP", "SNDP", "FRSHTT",
]  # fmt: skip


def told(loader="beijing", **changed):
    columns = changed.pop(
        "columns", ["temp_mean", "rain_sum", "wind_east", "temp_mean_1d", "day_of_year"]
    )
    return Tabular.model_validate(
        {
            "problem": "binary", "target": "unhealthy", "loader": loader, "pm25_limit": 35.4,
            "group": "station", "columns": dict.fromkeys(columns, "number"),
            "gate": {"metric": "auc", "at_least": 0.5}, **changed,
        }
    )  # fmt: skip


def hours(station="A", days=3, pm25="40", hours_known=24):
    return [
        ["1", "2016", "2", str(27 + day), str(hour), pm25 if hour < hours_known else "NA", *["9"] * 5,
         str(day * 10 + hour % 2), "1000", "-5", "0.5", "E", "2", station]
        for day in range(days) for hour in range(24)
    ]  # fmt: skip


def test_hours_become_days_of_weather(tmp_path):
    write(tmp_path / "a.csv", hours(), HOURLY)
    table = loaders.rows(tmp_path, told(), with_target=True)
    assert table["id"].to_pylist() == ["A/2016-02-27", "A/2016-02-28", "A/2016-02-29"]
    assert table["temp_mean"].to_pylist() == [0.5, 10.5, 20.5]
    assert table["temp_mean_1d"].to_pylist() == [None, 0.5, 10.5]
    assert table["rain_sum"].to_pylist() == pytest.approx([12.0] * 3)
    assert table["wind_east"].to_pylist() == pytest.approx([2.0] * 3)
    assert table["day_of_year"].to_pylist() == [58, 59, 60]
    assert table["unhealthy"].to_pylist() == [1.0] * 3


def test_yesterday_is_of_the_same_station_and_the_day_before(tmp_path):
    gap = [row for row in hours(days=3) if row[3] != "28"]
    write(tmp_path / "a.csv", gap, HOURLY)
    write(tmp_path / "b.csv", hours("B", days=1), HOURLY)
    table = loaders.rows(tmp_path, told(), with_target=False)
    assert table["temp_mean_1d"].to_pylist() == [None, None, None]
    assert "unhealthy" not in table.column_names


@pytest.mark.parametrize("column", ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"])
def test_pollutants_are_no_weather(tmp_path, column):
    write(tmp_path / "a.csv", hours(), HOURLY)
    with pytest.raises(Misconfigured, match=f"makes no {column}"):
        loaders.rows(tmp_path, told(columns=[column]), with_target=True)


def test_a_day_with_too_few_hours_has_no_truth(tmp_path):
    write(
        tmp_path / "a.csv",
        hours(days=1, hours_known=17) + hours("B", days=1, hours_known=18),
        HOURLY,
    )
    table = loaders.rows(tmp_path, told(), with_target=True)
    assert table["id"].to_pylist() == ["B/2016-02-27"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: [*rows, rows[0]], "hour-twice"),
        (lambda rows: [[*rows[0][:11], "warm", *rows[0][12:]], *rows[1:]], "not-a-number"),
        (lambda rows: [[*rows[0][:3], "31", *rows[0][4:]], *rows[1:]], "no-time"),
        (lambda rows: [[*rows[0][:1], "", *rows[0][2:]], *rows[1:]], "no-time"),
    ],
)
def test_hours_that_are_none_are_refused(tmp_path, change, reason):
    write(tmp_path / "a.csv", change(hours()), HOURLY)
    with pytest.raises(Rejected) as refused:
        loaders.rows(tmp_path, told(), with_target=True)
    assert refused.value.reason == reason


def day(station="72500", date="2024-01-02", **told_):
    usual = {
        "TEMP": "50.0", "DEWP": "41.0", "SLP": "1013.2", "STP": "1000.1", "VISIB": "10.0", "WDSP": "10.0",
        "MXSPD": "20.0", "GUST": "999.9", "MAX": "9999.9", "MIN": "32.0", "PRCP": "0.10", "SNDP": "999.9",
        "FRSHTT": "010000",
    }  # fmt: skip
    values = usual | told_
    return [station, date, *(values[name] for name in DAILY[2:])]


def test_daily_tables_lose_their_missing_codes_and_their_units(tmp_path):
    write(tmp_path / "2024.csv", [day(), day(date="2024-01-03", STP="004.5", PRCP="99.99")], DAILY)
    write(tmp_path / "air.csv", [["72500", "2024-01-02", "35.5"], ["9", "2024-01-02", "1"]],
          ["STATION", "DATE", "PM2.5"])  # fmt: skip
    wanted = [
        "temp_mean",
        "temp_min",
        "temp_max",
        "gust_max",
        "rain_sum",
        "pres_mean",
        "wind_mean",
        "rain",
        "fog",
    ]
    table = loaders.rows(tmp_path, told("gsod", columns=wanted), with_target=True)
    (row,) = table.to_pylist()
    assert row["unhealthy"] == 1.0
    assert (row["temp_mean"], row["temp_min"]) == (10.0, 0.0)
    assert (row["temp_max"], row["gust_max"]) == (None, None)
    assert (row["rain"], row["fog"]) == (1.0, 0.0)
    assert (row["rain_sum"], row["wind_mean"]) == (pytest.approx(2.54), pytest.approx(5.14444))
    later = loaders.rows(tmp_path, told("gsod", columns=wanted), with_target=False).to_pylist()[1]
    assert (later["rain_sum"], later["pres_mean"]) == (None, None)


def test_daily_tables_without_truth_teach_nothing(tmp_path):
    write(tmp_path / "2024.csv", [day()], DAILY)
    with pytest.raises(Rejected, match=r"no day has a mean of PM2\.5"):
        loaders.rows(tmp_path, told("gsod", columns=["temp_mean"]), with_target=True)
    write(tmp_path / "more.csv", [day()], DAILY)
    with pytest.raises(Rejected, match="comes twice"):
        loaders.rows(tmp_path, told("gsod", columns=["temp_mean"]), with_target=False)


def test_ids_of_the_workload_are_taken_and_must_differ(tmp_path):
    plain = Tabular.model_validate(
        {
            "problem": "regression", "target": "y", "id": "name", "columns": {"x": "number"},
            "gate": {"metric": "mae", "at_most": 1},
        }
    )  # fmt: skip
    write(tmp_path / "a.csv", [["n1", "1", "2"], ["n2", "1", "2"]], ["name", "x", "y"])
    assert loaders.rows(tmp_path, plain, with_target=True)["id"].to_pylist() == ["n1", "n2"]
    assert loaders.truth(tmp_path, plain) == (["n1", "n2"], ["2", "2"])
    write(tmp_path / "b.csv", [["n1", "1", "2"]], ["name", "x", "y"])
    with pytest.raises(Rejected, match="such as n1"):
        loaders.rows(tmp_path, plain, with_target=True)


def test_whole_stations_are_held_out():
    from jobs.tabular.split import by_group, by_id
    from signalbox.contracts.prediction import Split

    groups = list(np.repeat(["A", "B", "C", "D"], 5))
    of = by_group(groups, Split())
    assert {len({s for g, s in zip(groups, of, strict=True) if g == name}) for name in "ABCD"} == {
        1
    }
    assert set(of) == {"train", "validation", "test"}
    with pytest.raises(Rejected, match="three groups"):
        by_group(["A", "B"], Split())
    ids = [f"r{k}" for k in range(500)]
    assert by_id(ids[:300], Split()) == by_id(ids, Split())[:300]
