"""A model card as a PDF: every section of its content, in the order of the schema.

Citation: "Export a model card" of the SageMaker Developer Guide; how AWS lays a card out is not
written down, so only what it says is the same here.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF

from localcloud.sharing import Card, CardVersion

_FONT = "DejaVu"  # has the letters of most languages; it comes with matplotlib
_SIZE, _LINE = 9.0, 5.0  # points, millimetres
_INDENT = 6.0  # millimetres a level


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
    for line, level in _lines(facts, 0):
        _write(pdf, line, level=level)
    for section, content in json.loads(version.content).items():
        pdf.ln(_LINE)
        _write(pdf, _title(section), size=13.0, bold=True)
        for line, level in _lines(content, 0):
            _write(pdf, line, level=level)
    return bytes(pdf.output())


def _lines(value: Any, level: int) -> Iterator[tuple[str, int]]:
    """A value as lines of text, each with how deep it stands."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if _plain(each):
                yield f"{_title(name)}: {_said(each)}", level
            else:
                yield f"{_title(name)}:", level
                yield from _lines(each, level + 1)
    elif isinstance(value, list):
        for place, each in enumerate(value, 1):
            if _plain(each):
                yield f"{place}. {_said(each)}", level
            else:
                yield f"{place}.", level
                yield from _lines(each, level + 1)
    else:
        yield _said(value), level


def _plain(value: Any) -> bool:
    """Whether a value fits one line of its own: a scalar, or a short row of numbers."""
    if isinstance(value, list):
        return all(isinstance(each, int | float) for each in value)
    return not isinstance(value, Mapping)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
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
    pdf.multi_cell(0, _LINE * size / _SIZE, text, new_x="LMARGIN", new_y="NEXT")


def _fonts() -> Path:
    """matplotlib's folder of fonts, found without loading matplotlib.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("matplotlib, whose fonts the PDF needs, is not installed")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
