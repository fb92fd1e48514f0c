"""The page of an evaluation: whole, harmless, and right about what it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import jobs
from cycles.history.alerts import Episode, ending
from jobs.evaluation import plots
from jobs.evaluation.page import _threshold, write_page
from jobs.evaluation.run import MODEL, Evaluation
from jobs.evaluation.svg import COLOURS

SECTIONS = [
    "alerts", "cases", "sweep", "leads", "ranking", "singles", "calibration", "facts",
]  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of the page."""

    VOID = ("meta", "br")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert {r.removeprefix("#") for r in self.references} <= set(self.ids)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            elif key in ("href", "src", "xlink:href", "aria-labelledby"):
                self.references.append(value)
            elif key == "clip-path":
                self.references.append(re.fullmatch(r"url\((#.+)\)", value)[1])
            assert not key.startswith("on")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(found: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "new" / "evaluation.html"
    write_page(found, path)
    return path


def changed(found: Evaluation, lives: list[Episode], **told) -> Evaluation:
    report = {**found.report, "signalbox": {**found.report["signalbox"], **told}}
    return replace(found, lives={**found.lives, MODEL: lives}, report=report)


def life(unit: int, peaks: dict[int, float], fault: float | None) -> Episode:
    times = np.arange(1.0, 151.0)
    said = np.full(150, 0.1)
    for at, value in peaks.items():
        said[at - 1] = value
    return Episode(unit, times, said, fault)


def test_every_section_is_there_and_nothing_comes_from_outside(page, found):
    seen = Seen(page)
    assert [id_ for id_ in seen.ids if id_ in SECTIONS] == SECTIONS
    assert seen.tags.count("section") == len(SECTIONS)
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(seen.tags)
    assert all(reference.startswith("#") or reference in SECTIONS for reference in seen.references)
    told = found.report["signalbox"]
    for fact in (told["workload"], told["model"], told["dataset"], "12 train, 6 validation, 6 test",
                 "30 cycles", "15 cycles", "always", "never", "gradient boosting",
                 "logistic regression", "They are not alert figures", "is void"):  # fmt: skip
        assert fact in seen.text, fact
    raw = page.read_text(encoding="utf-8")
    assert len(raw) < 600_000
    assert not re.search(r"https?://(?!www\.w3\.org)", raw)


def test_names_of_units_are_escaped_in_the_page_and_in_its_pictures(page):
    assert "b" not in Seen(page).tags
    assert "&lt;b&gt;" in page.read_text(encoding="utf-8")


def test_a_name_with_signs_that_xml_cannot_hold_is_drawn_all_the_same(found, tmp_path):
    units = [f"$\x01{k}\\frac{{" for k in range(24)]
    data = replace(found.data, manifest={**found.data.manifest, "units": units})
    write_page(replace(found, data=data), tmp_path / "p.html")
    Seen(tmp_path / "p.html")


def test_equal_evaluations_give_equal_bytes(page, found, tmp_path):
    write_page(found, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_no_placeholder_colour_is_left(page):
    raw = page.read_text(encoding="utf-8")
    assert not [colour for colour in COLOURS.values() if colour in raw]
    used = set(re.findall(r"var\(--([a-z]+)\)", raw))
    assert used <= set(re.findall(r"--([a-z]+):", raw))


def test_alert_rows_are_those_of_the_report(page, found):
    text = Seen(page).text
    for name, row in found.report["signalbox"]["alerts"].items():
        counts = [row[c] for c in ("alerts", "true", "late", "false", "missed", "quiet")]
        threshold = "–" if row["threshold"] is None else _threshold(row["threshold"])
        assert " ".join([name, threshold, *map(str, counts)]) in text


def test_a_threshold_is_never_rounded_to_one():
    assert [_threshold(t) for t in (0.5, 0.9994, 0.9996)] == ["0.500", "0.999", ">0.999"]


def test_the_cases_drawn_are_those_of_the_data(found):
    told = found.report["signalbox"]
    limits = told["threshold"], told["horizon"], told["grace"]
    ended: dict[str, list[str]] = {name: [] for name in plots.CASES}
    for each in found.lives[MODEL]:
        case = ending(each, *limits).case
        case = "false or late" if case in ("false", "late") else case
        ended[case].append(found.data.units[each.unit])
    for case in plots.cases(found):
        assert case.count == len(ended[case.name])
        assert (
            (case.unit in ended[case.name]) if case.count else (case.unit, case.image) == ("", "")
        )
        assert case.image.startswith("<svg") if case.count else case.said
    assert sum(len(units) for units in ended.values()) == len(found.lives[MODEL])


def test_each_of_the_four_cases_says_what_happened(found):
    lives = [
        life(18, {130: 0.9, 140: 0.95}, 150), life(19, {110: 0.9}, 150), life(20, {60: 0.9}, 150),
        life(21, {}, 150), life(22, {}, None),
    ]  # fmt: skip
    true, wrong, missed, quiet = plots.cases(changed(found, lives, threshold=0.5))
    assert (true.count, wrong.count, missed.count, quiet.count) == (1, 2, 1, 1)
    assert true.said == "The alert came 20 cycles before the fault, within the horizon."
    assert "longer than horizon and grace" in wrong.said or "within the grace" in wrong.said
    assert missed.said == "The unit failed and the probability peaked at 0.100."
    assert quiet.said == "No fault; the probability peaked at 0.100."
    assert ">alert<" in true.image
    assert ">fault<" in true.image
    assert ">alert<" not in missed.image
    assert ">fault<" not in quiet.image


def test_a_case_that_does_not_occur_is_said_not_to(found, tmp_path):
    write_page(changed(found, [life(22, {}, None)], lead_times=[]), tmp_path / "p.html")
    text = Seen(tmp_path / "p.html").text
    assert plots.NOT_SEEN["true"] in text
    assert plots.NOT_SEEN["missed"] in text
    assert plots.NOT_SEEN["quiet"] not in text
    assert "there is no lead time" in text


def test_labels_of_one_kind_only_leave_nothing_to_rank(found, tmp_path):
    test = replace(found.test, labels=np.zeros_like(found.test.labels))
    write_page(replace(found, test=test), tmp_path / "p.html")
    assert "nothing to rank" in Seen(tmp_path / "p.html").text


def test_the_report_is_json_without_nan(found):
    json.dumps(found.report, allow_nan=False)


def test_thresholds_come_from_the_validation_units_alone(found):
    """Each is a value that a contender said of a validation cycle, or the default."""
    default = found.data.manifest["prediction"]["threshold"]
    for each in found.contenders[1:]:
        assert each.threshold == default or each.threshold in each.validation
    assert found.contenders[0].threshold == found.schema.threshold


def test_the_page_is_read_as_a_resource_so_an_archive_will_do(tmp_path):
    room = Path(jobs.__path__[0])
    with zipfile.ZipFile(tmp_path / "jobs.zip", "w") as archive:
        for path in sorted(room.rglob("*")):
            if path.suffix in (".py", ".html", ".css"):
                archive.write(path, path.relative_to(room.parent))
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'jobs.zip')!r}); import jobs.evaluation.page as p; "
        "assert '.zip' in p.__file__; p._template()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
