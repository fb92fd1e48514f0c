"""A model card as a PDF: every section of its content, in the order of the schema.

Citation: "Export a model card" of the SageMaker Developer Guide; how AWS lays a card out is not
written down, so only what it says is the same here.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import WrapMode

from localcloud.sharing import Card, CardVersion

_FONT = "DejaVu"  # has the letters of most languages; it comes with matplotlib
_SIZE, _LINE = 9.0, 5.0  # points, millimetres
_INDENT = 6.0  # millimetres a level
_FRAME = (60.0, 40.0)  # of a graph, millimetres
_METRIC = {"name", "value"}  # what an entry of metric_data or training_metrics has at least
_LONG = 80  # letters without a blank: broken anywhere, such as addresses

Point = tuple[float, float]
Line = tuple[str | Sequence[Point], int]


def pdf_of(card: Card, version: CardVersion) -> bytes:
    """A version of a card as a PDF of A4 pages; the same bytes for the same card."""
    pdf = FPDF()
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(_FONT, style, _fonts() / name)
    pdf.set_title(f"Model card {card.name}")
    pdf.set_creation_date(datetime.fromtimestamp(version.modified, UTC))
    pdf.set_auto_page_break(auto=True, margin=15.0)
    pdf.add_page()
    _write(pdf, card.name, size=18.0, bold=True)
    _write(pdf, f"Model card, version {version.number}")
    facts = {
        "arn": card.arn,
        "status": version.status,
        "created": _instant(card.created),
        "last_modified": _instant(version.modified),
    }
    for name, fact in facts.items():
        _write(pdf, f"{_title(name)}: {fact}")
    for section, content in json.loads(version.content).items():
        pdf.ln(_LINE)
        _write(pdf, _title(section), size=13.0, bold=True)
        for line, level in _lines(content, 0):
            if isinstance(line, str):
                _write(pdf, line, level=level)
            else:
                _draw(pdf, line, level)
    return bytes(pdf.output())


def _lines(value: Any, level: int) -> Iterator[Line]:
    """A value as lines of text, each with how deep it stands; a graph's points stand for themselves."""
    if isinstance(value, Mapping):
        yield from _metric(value, level) if set(value) >= _METRIC else _members(value, level)
    elif isinstance(value, list):
        for place, each in enumerate(value, 1):
            if _plain(each):
                yield f"{place}. {_said(each)}", level
            else:
                first, *rest = list(_lines(each, level + 1)) or [("", level)]
                yield (f"{place}. {first[0]}" if _numbered(each) else first[0]), level
                yield from rest
    else:
        yield _said(value), level


def _members(value: Mapping[str, Any], level: int) -> Iterator[Line]:
    for name, each in value.items():
        if _plain(each):
            yield f"{_title(name)}: {_said(each)}", level
        else:
            yield f"{_title(name)}:", level
            yield from _lines(each, level + 1)


def _metric(value: Mapping[str, Any], level: int) -> Iterator[Line]:
    """An entry of metric_data: its number on its line, or its figure below it."""
    found, notes = value["value"], value.get("notes")
    plain = _plain(found)
    beside = f" ({notes})" if notes else ""
    yield f"{value['name']}{f': {_said(found)}' if plain else ''}{beside}", level
    if plain:
        return
    across, down = (_axis(value.get(f"{axis}_axis_name")) for axis in "xy")
    if value.get("type") == "linear_graph":
        yield [(float(x), float(y)) for x, y in found], level + 1
        yield f"across: {across}; up: {down}", level + 1
        return
    if across or down:
        yield f"across: {across}; down: {down}", level + 1
    rows = found if all(isinstance(each, list) for each in found) else [found]
    yield from ((_said(row), level + 1) for row in rows)


def _axis(names: str | list[str] | None) -> str:
    return names if isinstance(names, str) else ", ".join(names or [])


def _numbered(value: Any) -> bool:
    return not (isinstance(value, Mapping) and set(value) >= _METRIC)


def _plain(value: Any) -> bool:
    """Whether a value fits one line of its own: a scalar, or a short row of numbers."""
    if isinstance(value, list):
        return all(isinstance(each, int | float) for each in value)
    return not isinstance(value, Mapping)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _write(
    pdf: FPDF, text: str, *, level: int = 0, size: float = _SIZE, bold: bool = False
) -> None:
    pdf.set_font(_FONT, "B" if bold else "", size)
    letters = pdf.current_font.cmap  # type: ignore[union-attr]
    text = "".join(each if each == "\n" or ord(each) in letters else "?" for each in text)
    pdf.set_x(pdf.l_margin + _INDENT * min(level, 10))
    wrap = WrapMode.CHAR if any(len(word) > _LONG for word in text.split()) else WrapMode.WORD
    pdf.multi_cell(
        0, _LINE * size / _SIZE, text, align="L", new_x="LMARGIN", new_y="NEXT", wrapmode=wrap
    )


def _draw(pdf: FPDF, points: Sequence[Point], level: int) -> None:
    """A line through points in a frame that they fill; ranges of both axes beside it."""
    width, height = _FRAME
    if pdf.will_page_break(height + 2 * _LINE):
        pdf.add_page()
    left, top = pdf.l_margin + _INDENT * level, pdf.get_y() + 1.0
    (x0, x1), (y0, y1) = (_range(axis) for axis in zip(*points, strict=True))
    pdf.set_draw_color(160)
    pdf.rect(left, top, width, height)
    pdf.set_draw_color(20, 90, 160)
    pdf.polyline(
        [
            (left + (x - x0) / (x1 - x0) * width, top + height - (y - y0) / (y1 - y0) * height)
            for x, y in points
        ]
    )
    pdf.set_y(top + height + 1.0)
    _write(pdf, f"from {x0:.3g}, {y0:.3g} to {x1:.3g}, {y1:.3g}", level=level)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _fonts() -> Path:
    """matplotlib's folder of fonts, found without loading matplotlib.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("matplotlib, whose fonts the PDF needs, is not installed")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
