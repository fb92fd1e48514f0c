"""A matplotlib figure as inline SVG that takes its colours and its typeface from the page around it.

Figures are drawn in placeholder colours; here each becomes a CSS variable, so that one drawing serves
light and dark. Equal figures give equal text: no dates, ids made from the figure's name.
"""

from __future__ import annotations

import io
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

INK, SOFT, LINE, CYCLE, SIGNAL, TRACE, REST = (f"#00000{k}" for k in range(1, 8))
UNIT_COLOURS = tuple(f"#00001{k}" for k in range(1, 7))
"""Colours of units that are told apart; all others share :data:`REST`."""

NAMES = ("ink", "soft", "line", "cycle", "signal", "trace", "rest")
VARIABLES = dict(zip((INK, SOFT, LINE, CYCLE, SIGNAL, TRACE, REST), NAMES, strict=True)) | {
    colour: f"u{k}" for k, colour in enumerate(UNIT_COLOURS, start=1)
}
XLINK = "{http://www.w3.org/1999/xlink}"
SETTINGS = {
    "svg.fonttype": "none",  # text stays text: searchable, read aloud, in the page's typeface
    "text.parse_math": False,  # a column may be called $x$
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "lines.solid_joinstyle": "round",
    "path.simplify": True,
}


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Settings under which figures are made and rendered; they hold inside the block only."""
    with mpl.rc_context(
        {**mpl.rcParamsDefault, **SETTINGS, "svg.hashsalt": name, "backend": "Agg"}
    ):
        yield


def printable(text: str) -> str:
    """Text without characters that XML cannot hold; the rest is escaped where it is written."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


def inline(figure: Any, name: str, label: str) -> str:
    """Render a figure as one ``<svg>`` element. Call inside :func:`drawing`.

    Args:
        figure: a :class:`matplotlib.figure.Figure` drawn in the placeholder colours.
        name: letters and digits; keeps this figure's ids apart from those of others on the page.
        label: what a reader who does not see it is told.
    """
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(target.getvalue())  # noqa: S314 - our own drawing, written one line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("metadata", "style")):
                parent.remove(child)
    used = set(re.findall(r"#([mp][0-9a-f]+)", " ".join(_references(root))))
    for element in root.iter():
        _tidy(element, used, name)
    view = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update({"viewBox": view, "role": "img", "aria-label": printable(label)})
    return ET.tostring(root, encoding="unicode")


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        yield element.get(f"{XLINK}href", "")
        yield element.get("clip-path", "")


def _tidy(element: ET.Element, used: set[str], name: str) -> None:
    """Drop namespaces, ids nobody uses and digits nobody sees; put variables in place of colours."""
    element.tag = element.tag.rpartition("}")[2]
    if not (element.text or "").strip():
        element.text = None
    element.tail = None
    old = dict(element.attrib)
    element.attrib.clear()
    for key, value in old.items():
        if key == "id":
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == f"{XLINK}href":
            element.set("href", value.replace("#", f"#{name}-"))
        elif key == "clip-path":
            element.set(key, value.replace("#", f"#{name}-"))
        elif key == "style":
            element.set(key, _style(value))
        elif key in ("d", "x", "y", "points"):
            element.set(key, _short(value))
        elif not value.startswith("rotate(-0"):
            element.set(key, value)


def _style(style: str) -> str:
    kept = [part for part in style.split("; ") if not part.startswith("font-family")]
    return re.sub(
        "#[0-9a-f]{6}", lambda m: f"var(--{VARIABLES.get(m[0], NAMES[0])})", "; ".join(kept)
    )


def _short(numbers: str) -> str:
    """Round to a hundredth of a pixel, in as few characters as that takes."""
    rounded = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), numbers)
    return re.sub(r" ?([MLCQz]) ?", r"\1", " ".join(rounded.split()))
