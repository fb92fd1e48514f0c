"""The waterfall page: true to the trace, harmless, readable where hours lie between milliseconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cli import causes
from cli.timeline import Timeline
from cli.waterfall import write_waterfall
from localcloud.trace import Trace
from tests.unit.cli.test_causes import RECORDS, TRACE, created, rec
from tests.unit.cli.test_page import EVIL, Seen

RETRIES = [
    created(1, "raw/a"),
    rec(2, 1, "invocation", "door", "failed", began=0.001, took=0.05, attempt=1),
    rec(3, 1, "invocation", "door", "failed", after=60, began=0.06, took=0.05, attempt=2),
    rec(4, 1, "invocation", "door", "failed", after=3660, began=0.12, took=0.05, attempt=3),
    rec(5, 1, "dead-letter", "dead", after=3660, began=0.18),
]


def test_waits_are_breaks_of_equal_width_and_work_stays_readable():
    line = Timeline(RETRIES)
    minute, hour = line.breaks
    assert minute.width == hour.width
    assert (round(minute.seconds), round(hour.seconds)) == (60, 3600)
    widths = [line.bar(record)[1] for record in RETRIES[1:4]]
    assert min(widths) > 10  # percent of the axis, though they are a millionth of the time
    lefts = [line.bar(record)[0] for record in RETRIES]
    assert lefts == sorted(lefts)
    assert round(line.length) == 3660
    assert all(b.left - a.left >= 9 for a, b in pairwise(line.ticks()))


def test_long_labels_of_an_axis_do_not_touch():
    starts = (0, 342, 359, 377, 401, 431, 1070)
    line = Timeline([rec(k + 1, k or None, "job", "step", after=s) for k, s in enumerate(starts)])
    labels = [(tick.left, causes.span(tick.seconds)) for tick in line.ticks()]
    assert max(len(text) for _, text in labels) > 8
    assert all(b - a >= 1.2 * len(text) for (a, text), (b, _) in pairwise(labels))
    assert all(left + 1.2 * len(text) <= 100 for left, text in labels)


def test_the_state_of_a_job_lasts_until_its_next_one():
    line = Timeline(
        [
            rec(1, None, "job", "glue", "STARTING", run_id="jr"),
            rec(2, 1, "job", "glue", "RUNNING", after=10, run_id="jr"),
            rec(3, 1, "job", "glue", "SUCCEEDED", after=70, run_id="jr"),
        ]
    )
    bars = [line.bar(rec(number, None, "job", "glue")) for number in (1, 2, 3)]
    assert abs(sum(bars[0]) - bars[1][0]) < 1e-9
    assert abs(sum(bars[1]) - bars[2][0]) < 1e-9


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e3), st.floats(0, 100)), min_size=1, max_size=40
    )
)
def test_any_story_fits_the_axis_and_keeps_its_order(steps):
    after = began = 0.0
    records = []
    for number, (virtual, real, took) in enumerate(steps, start=1):
        after, began = after + virtual, began + real
        records.append(rec(number, None, "event", "x", after=after, began=began, took=took))
    line = Timeline(records)
    bars = [line.bar(record) for record in records]
    assert all(-1e-6 <= left <= left + width <= 100.001 for left, width in bars)
    lefts = [left for left, _ in bars]
    assert all(a <= b + 1e-6 for a, b in pairwise(lefts))
    assert all(0 <= gap.left <= 100 and gap.seconds > 0 for gap in line.breaks)
    assert line.ticks()


def page(tmp_path, trace, roots, asked=None) -> Seen:
    target = tmp_path / "deep" / "trace.html"
    write_waterfall(target, trace, roots, asked)
    again = tmp_path / "again.html"
    write_waterfall(again, trace, roots, asked)
    assert again.read_bytes() == target.read_bytes()
    return Seen(target.read_text(encoding="utf-8"))


def test_the_page_is_whole_and_says_everything(tmp_path):
    seen = page(tmp_path, TRACE, causes.told_roots(TRACE))
    text = " ".join(seen.text)
    for words in ("Object Created raw/a.csv", "ValueError: no unit", "attempt 2", "2 requests",
                  "denied", "dead letter", "caused by", "trying", "r-5"):  # fmt: skip
        assert words in " ".join(text.split()), words


def test_what_functions_say_cannot_leave_its_place(tmp_path):
    records = [
        rec(1, None, "event", EVIL, source=EVIL, detail={"object": {"key": EVIL}}),
        rec(2, 1, "unheard-of", EVIL, EVIL, message=EVIL),
        rec(3, 2, "log", EVIL, line=EVIL + '" onclick="x'),
    ]
    seen = page(tmp_path, Trace(records), [records[0]], EVIL)
    assert EVIL in " ".join(seen.text)


def test_a_thousand_trees_are_folded_and_cut(tmp_path):
    records = [created(number, f"raw/{number}") for number in range(1, 1001)]
    seen = page(tmp_path, Trace(records), records)
    assert "800 more trees are left out" in " ".join(" ".join(seen.text).split())


def test_records_of_a_journal_without_real_times_are_drawn_too():
    assert Timeline([record for record in RECORDS if record.id < 3]).length == 0
