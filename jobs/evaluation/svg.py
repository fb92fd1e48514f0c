"""Figures as inline SVG whose colours and typeface are the page's, so that one drawing serves light and dark.

Equal figures give equal text: no dates, and ids made from the figure's name.
"""

from __future__ import annotations

import io
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure

NAMES = ("ink", "soft", "line", "shade", "grace", "signal", "model", "second", "third", "rest")
COLOURS = {name: f"#0000{k:02d}" for k, name in enumerate(NAMES, start=1)}
"""Placeholders to draw in; each becomes a variable of the page's style sheet."""

VARIABLES = {colour: name for name, colour in COLOURS.items()}
SIZE = (5.6, 3.1)  # inches at 90 pixels each; a column of the page
SETTINGS = {
    "backend": "Agg",
    "svg.fonttype": "none",  # text stays text: searchable, read aloud, in the page's typeface
    "text.parse_math": False,  # a unit may be called $x$
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": COLOURS["line"],
    "ytick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["soft"],
    "ytick.labelcolor": COLOURS["soft"],
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.dpi": 72,
}


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Settings under which a figure is made and rendered; they hold inside the block only."""
    with mpl.rc_context({**mpl.rcParamsDefault, **SETTINGS, "svg.hashsalt": name}):
        yield


def printable(text: str) -> str:
    """Text without characters that XML cannot hold; the rest is escaped where it is written."""
    bad = ("Cc", "Cs")
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in bad else c for c in text
    )


def inline(figure: Figure, name: str, label: str) -> str:
    """Render a figure as one ``<svg>`` element. Call inside :func:`drawing`.

    Args:
        figure: drawn in :data:`COLOURS`.
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
    for element in root.iter():
        _tidy(element, name)
    view = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update({"viewBox": view, "role": "img", "aria-label": printable(label)})
    return ET.tostring(root, encoding="unicode")


def _tidy(element: ET.Element, name: str) -> None:
    """Drop namespaces, ids of groups and digits nobody sees; put variables in place of colours."""
    element.tag = element.tag.rpartition("}")[2]
    old = dict(element.attrib)
    element.attrib.clear()
    for key, value in old.items():
        if key == "id":
            if element.tag != "g":  # nobody refers to a group
                element.set(key, f"{name}-{value}")
        elif key.endswith("}href") or key == "clip-path":
            element.set(key.rpartition("}")[2], value.replace("#", f"#{name}-"))
        elif key == "style":
            element.set(key, _style(value))
        elif key in ("d", "x", "y", "points"):
            element.set(key, re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}", value))
        else:
            element.set(key, value)


def _style(style: str) -> str:
    """The same without a typeface, in the page's colours."""
    plain = re.sub(r"font: (?:\w+ )*?([\d.]+px) [^;]*", lambda m: f"font-size: {m[1]}", style)
    kept = [part for part in plain.split("; ") if not part.startswith("font-family")]
    return re.sub("#[0-9a-f]{6}", lambda m: f"var(--{VARIABLES.get(m[0], 'ink')})", "; ".join(kept))
