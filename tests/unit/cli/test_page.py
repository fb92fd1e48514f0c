"""The page of a run: whole, harmless, small, and right about what it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli import paths, ticks
from cli.day import read_day
from cli.features import features
from cli.journeys import Journey, Step
from cli.page import write_page
from cli.plots import DaySample, NothingToDraw
from cli.telling import most_moved
from cli.workloads import load, spec_of
from signalbox.contracts.workload import Workload

DAY = datetime(2024, 6, 1, tzinfo=UTC)
EVIL = "<script>alert('x')</script>"
PAGE_BYTES = 1_500_000


class Seen(HTMLParser):
    """What a browser would make of the page; the assertions hold for every page."""

    VOID = ("meta", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.ids, self.references, self.open, self.text = [], [], [], [], []
        self.styles: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert set(self.references) <= set(self.ids)
        assert not {"script", "link", "img", "iframe", "object", "base"} & {t for t, _ in self.tags}
        assert not any("url(" in style or "@import" in style for style in self.styles)
        for tag, attributes in self.tags:
            assert not any(name.startswith("on") or name == "src" for name in attributes)
            if tag == "th":
                assert attributes["scope"] in ("row", "col")
            if tag == "svg":
                assert attributes["role"] == "img"
                assert attributes["aria-label"]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.styles.append(attributes.get("style", ""))
        if attributes.get("href"):
            assert attributes["href"].startswith("#")
            self.references.append(attributes["href"][1:])
        if attributes.get("clip-path"):
            self.references.append(attributes["clip-path"].removeprefix("url(#").removesuffix(")"))
        self.references += attributes.get("aria-labelledby", "").split()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def workload(*sensors: str) -> Workload:
    return Workload.model_validate(
        {
            "name": "pumps", "description": "Pumps.", "owner": "us",
            "recording": {"timestamp": {"column": "ts"}, "unit": {"column": "unit"}},
            "cycles": {"running": {"signal": "power", "above": 2.0, "release": 1.0}, "max_gap_s": 300,
                       "min_on_s": 60},
            "statistics": ["mean"],
            "sensors": [{"name": name, "required": False} for name in (sensors or ("power", "heat", "flow"))],
        }
    )  # fmt: skip


def table(
    units: dict[str, int], names=("power__mean", "heat__mean", "flow__mean"), null=False, first=DAY
):
    rng = np.random.default_rng(1)
    rows = [(unit, k) for unit, count in units.items() for k in range(count)]
    begins = [first + timedelta(hours=2 * k) for _, k in rows]
    stamp = pa.timestamp("ns", tz="UTC")
    columns = {
        "unit": pa.array([unit for unit, _ in rows], pa.string()),
        "cycle_start": pa.array(begins, stamp),
        "cycle_end": pa.array([begin + timedelta(minutes=20) for begin in begins], stamp),
        "duration_s": pa.array([1200.0] * len(rows), pa.float64()),
        "rows": pa.array([1200] * len(rows), pa.int64()),
    }
    for name in names:
        values = None if null else rng.normal(10, 1, len(rows))
        columns[name] = (
            pa.nulls(len(rows), pa.float64()) if null else pa.array(values, pa.float64())
        )
    return pa.table(columns)


def recording(
    path, hours, unit="u1", step_s=1.0, names=("power", "heat", "flow"), days=(0,), seed=1
):
    """Days of readings that run 20 minutes of every two hours; heat follows slowly."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, hours * 3600, step_s)
    on = (seconds % 7200) < 1200
    heat = np.where(
        on, 1 - np.exp(-(seconds % 7200) / 300), np.exp(-((seconds % 7200) - 1200) / 600)
    )
    parts = []
    for day in days:
        times = (DAY.timestamp() + day * 86400 + seconds) * 1000
        columns = {
            "ts": pa.array(times.astype(np.int64), pa.timestamp("ms", tz="UTC")),
            "unit": pa.array([unit] * len(seconds)),
        }
        for k, name in enumerate(names):
            clean = (3.0 * on, 40 * heat, 7 * on)[k % 3]
            columns[name] = pa.array((clean + rng.normal(0, 0.3, len(seconds))).astype(np.float32))
        parts.append(pa.table(columns))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables(parts), path)
    return path


def journey(key, outcome="features", message="", status="ok"):
    output = f"fragments/{key}/00AB.parquet" if outcome == "features" else f"rejected/{key}.json"
    steps = (
        Step("event", "Object Created", "ok"), Step("rule", "RawFileRule", "ok"),
        Step("delivery", "RawFileQueue", "ok"), Step("invocation", "OnSensorFile", status),
        Step("event", "CycleFeaturesReady" if outcome == "features" else "FileRejected", "ok"),
    )  # fmt: skip
    return Journey(key, steps, outcome, ("u1",), 3, output, message)


def page(tmp_path, **given):
    asked = {
        "title": "A run", "workload": workload(), "table": table({"u1": 5, "u2": 5, "u3": 5}), "day": None,
        "journeys": [journey("raw/pumps/a.parquet")], "facts": {},
    } | given  # fmt: skip
    target = tmp_path / "out" / "page.html"
    write_page(target, **asked)
    return target.read_text(encoding="utf-8")


def test_three_units_and_fifteen_cycles_with_a_day(tmp_path):
    path = recording(tmp_path / "u1.parquet", 24)
    seen = Seen(page(tmp_path, day=DaySample(path, "raw/pumps/u1.parquet", "u1")))
    assert "1 file became 15 cycles of 3 units, 3 numbers each." in seen.words
    assert seen.count("h1") == 1
    assert seen.count("svg") == 2 + 3  # the day wide and narrow, one panel a sensor
    assert "A day of u1" in seen.words
    assert "1 Jun 2024" in seen.words
    assert "power is above 2, until it is back at 1" in seen.words
    assert seen.words.count("UTC") == 1
    order = [
        seen.words.index(h)
        for h in ("A day of", "Features over time", "Units “", "The path every", "Rejected, and")
    ]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"table": table({})}, "No cycle was found in 1 file."),
        ({"table": table({"only": 4})}, "1 file became 4 cycles of 1 unit"),
        ({"table": table({"only": 1})}, "1 file became 1 cycle of 1 unit"),
        ({"table": table({"u1": 5}, null=True)}, "No feature has a reading"),
        ({"table": table({}), "journeys": []}, "No cycle was found. Pumps."),
        ({"journeys": []}, "15 cycles of 3 units, 3 numbers each."),
        ({"table": table({}), "journeys": [journey("raw/a.csv", "rejected")]}, "The only file was rejected"),
        ({"facts": {"Files": "7", "took": "3 s"}}, "7 files became 15 cycles"),
        ({"journeys": [journey("raw/a.csv", "dead letter")]}, "1 file → dead letter"),
        ({"table": table({f"u{k}": 200 for k in range(20)})}, "others"),
    ],
    ids=["no-cycles", "one-unit", "one-cycle", "nulls", "nothing", "offline", "rejected", "facts",
         "lost", "many"],
)  # fmt: skip
def test_every_kind_of_run_makes_a_whole_page(tmp_path, given, said):
    seen = Seen(page(tmp_path, **given))
    assert said in seen.words


def test_figures_say_what_was_given_and_count_the_rest(tmp_path):
    seen = Seen(page(tmp_path, facts={"readings": "24 million", "took": "3 s"}))
    strip = "file 1 units 3 cycles 15 rejected 0 readings → numbers 24 million → 45 took 3 s"
    assert strip in seen.words


def test_strangers_names_are_text_and_nothing_else(tmp_path):
    names = (f"{EVIL}__mean", "a & b$x$__mean", "\x01\u2028__mean")
    evil = workload(EVIL, "a & b$x$").model_copy(update={"description": EVIL})
    path = recording(tmp_path / "e.parquet", 3, names=("power", EVIL, "a & b$x$"))
    bad = Journey(
        f'raw/"{EVIL}', (Step(EVIL, EVIL, EVIL),), "rejected", (EVIL,), 1, EVIL, f"x{EVIL}"
    )
    html = page(
        tmp_path, title=EVIL, workload=evil, table=table({EVIL: 5, "'\" onload=1": 5, "u1": 5}, names),
        day=DaySample(path, f"raw/{EVIL}.parquet", "u1"), facts={EVIL: EVIL},
        journeys=[bad, Journey(EVIL, (), EVIL)],
    )  # fmt: skip
    seen = Seen(html)
    assert "<script" not in html
    assert seen.words.count(EVIL) > 15
    assert "a & b$x$" in seen.words


def test_the_page_of_a_full_day_and_a_large_fleet_stays_small(tmp_path):
    names = tuple(f"s{k}" for k in range(12))
    path = recording(tmp_path / "u1.parquet", 24, step_s=0.972, names=("power", *names))
    assert pq.read_metadata(path).num_rows == 88_889
    fleet = table({f"u{k}": 150 for k in range(90)}, tuple(f"{name}__mean" for name in names))
    told = [journey(f"raw/pumps/unit=u{k}/2024-06-01.parquet") for k in range(4_000)]
    html = page(
        tmp_path, workload=workload("power", *names), table=fleet, journeys=told,
        day=DaySample(path, "raw/pumps/u1.parquet", "u1"),
    )  # fmt: skip
    assert len(html.encode()) < PAGE_BYTES
    assert "2,500 more are not listed here" in Seen(html).words


def test_equal_runs_give_equal_bytes(tmp_path):
    path = recording(tmp_path / "u1.parquet", 4)
    given = {"day": DaySample(path, "raw/pumps/u1.parquet", "u1")}
    assert page(tmp_path / "a", **given) == page(tmp_path / "b", **given)


def test_rejected_files_come_first_with_their_reason(tmp_path):
    told = [
        journey("raw/a.parquet"),
        journey("raw/z.csv", "rejected", "raw/z.csv: torn last line; export it again"),
        journey("raw/b.parquet", status="failed"),
    ]
    seen = Seen(page(tmp_path, journeys=told))
    assert seen.words.index("1 file → rejected") < seen.words.index("1 file → features")
    assert "torn last line; export it again" in seen.words
    assert "OnSensorFile failed" in seen.words
    assert "1 file was rejected." in seen.words


def test_files_that_went_the_same_way_are_told_once_and_long_lists_are_folded():
    ways = paths.told(
        [journey(f"raw/{k}.parquet") for k in range(40)] + [journey("raw/x.csv", "rejected", "no")]
    )
    assert [(w.outcome, w.count, w.folded, w.bad) for w in ways] == [
        ("rejected", 1, False, True),
        ("features", 40, True, False),
    ]
    assert [(step.kind, step.name) for step in ways[1].steps] == [
        ("event", "Object Created"),
        ("rule", "RawFileRule"),
        ("delivery", "RawFileQueue"),
        ("door", "OnSensorFile"),
        ("output", "fragments/…"),
        ("event", "CycleFeaturesReady"),
    ]


def test_a_delivery_into_the_door_of_its_name_is_told_once_unless_it_failed():
    def ways(status):
        steps = (Step("delivery", "OnBackfill", status), Step("invocation", "OnBackfill", "ok"))
        return [
            step.kind
            for step in paths.told([Journey("backfill/a.json", steps, "features")])[0].steps
        ]

    assert ways("ok") == ["door"]
    assert ways("failed") == ["delivery", "door"]


def test_of_a_recording_with_gaps_one_day_with_a_cycle_is_drawn(tmp_path):
    path = recording(tmp_path / "u1.parquet", 6, days=(0, 3, 40), step_s=30)
    late = table({"u1": 2}, first=DAY + timedelta(days=40))
    day = read_day(DaySample(path, "u1.parquet", "u1"), spec_of(workload()), late)
    assert ticks.day_text(day.start) == "11 Jul 2024"
    assert day.end - day.start <= ticks.DAY
    assert [cycle.number for cycle in day.cycles] == [1, 2]


@pytest.mark.parametrize("kind", ["garbage", "stranger"])
def test_a_day_that_cannot_be_drawn_is_said_and_the_page_is_written(tmp_path, kind):
    path = recording(tmp_path / "u1.parquet", 1)
    if kind == "garbage":
        path.write_bytes(b"no parquet")
    sample = DaySample(path, "raw/u1.parquet", "u1" if kind == "garbage" else "u9")
    with pytest.raises(NothingToDraw):
        read_day(sample, spec_of(workload()), table({"u1": 2}))
    assert "No day could be drawn: raw/u1.parquet" in Seen(page(tmp_path, day=sample)).words


def test_a_unit_that_wears_is_found_and_a_season_or_a_switch_is_not():
    fleet = table(
        {f"u{k}": 120 for k in range(6)},
        ("season__mean", "wear__mean", "switch__mean", "still__mean"),
    )
    rng = np.random.default_rng(2)
    ramp = np.tile(np.linspace(0, 1, 120), 6)
    values = {
        "season__mean": 20 * ramp + rng.normal(0, 1, 720),
        "wear__mean": np.where(np.arange(720) // 120 == 4, 8 * ramp, 0) + rng.normal(0, 1, 720),
        "switch__mean": rng.integers(0, 2, 720) * 30.0,
    }
    for name, drawn in values.items():
        fleet = fleet.set_column(fleet.column_names.index(name), name, pa.array(drawn))
    first = most_moved(fleet)[0]
    assert (first.name, first.most) == ("wear__mean", "u4")
    assert first.furthest - first.past == pytest.approx(7.3, abs=1.5)
    assert most_moved(table({"u1": 5}, null=True)) == []


def test_metropt3_shows_its_five_motor_starts(tmp_path, real_data):
    file = real_data("metropt3_sample/MetroPT3_first1000.csv")
    asked = load("metropt3")
    outcome = features([file], spec_of(asked), lambda *_: None)
    unit = outcome.table["unit"][0].as_py()
    sample = DaySample(file, file.as_posix(), unit)
    day = read_day(sample, spec_of(asked), outcome.table)
    assert [cycle.number for cycle in day.cycles] == [1, 2, 3, 4, 5]
    seen = Seen(page(tmp_path, workload=asked, table=outcome.table, day=sample, journeys=[]))
    assert f"2 h 45 min of {unit}" in seen.words
    assert "These 5 cycles as a table" in seen.words


def test_an_air_handler_shows_one_day_and_not_two_years(tmp_path, real_data):
    file = real_data("lbnl_ahu/MZVAV-2-1.csv.gz")
    asked = load("lbnl_ahu")
    outcome = features([file], spec_of(asked), lambda *_: None)
    sample = DaySample(file, file.as_posix(), outcome.table["unit"][0].as_py())
    day = read_day(sample, spec_of(asked), outcome.table)
    assert day.end - day.start <= ticks.DAY
    assert len(day.cycles) == 1
    Seen(page(tmp_path, workload=asked, table=outcome.table, day=sample, journeys=[]))
