"""The generated parts of docs/localcloud.md, so that the page and the code cannot differ.

`python -m localcloud.describe docs/localcloud.md` rewrites them in place.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from localcloud.deploy import supported
from localcloud.exceptions import EXCEPTIONS
from localcloud.limits import LIMITS
from localcloud.seams import SEAMS


def types_table() -> str:
    """Supported resource types and properties."""
    rows = [f"| `{name}` | {', '.join(props)} |" for name, props in supported().items()]
    return "\n".join(["| type | properties |", "|---|---|", *rows])


def exceptions_table() -> str:
    """What is accepted without its effect."""
    rows = [f"| `{each.resource_type}` | {each.prop} | {each.reason} |" for each in EXCEPTIONS]
    return "\n".join(["| type | property | what happens instead |", "|---|---|---|", *rows])


def limits_table() -> str:
    """Limits, where they are checked and after which page."""
    rows = []
    for each in LIMITS:
        least = "" if each.least is None else f"{each.least:,} to "
        value = f"{least}{each.most:,} {each.unit}".strip()
        rows.append(f"| {each.what} | {value} | {each.at} | {each.page} |")
    return "\n".join(["| what | limit | checked at | source |", "|---|---|---|---|", *rows])


def seams_table() -> str:
    """What is replaced in moto."""
    rows = [f"| `{seam.owner.replace(':', '.')}.{seam.name}` |" for seam in SEAMS]
    return "\n".join(["| replaced in moto |", "|---|", *rows])


PARTS = {
    "exceptions": exceptions_table,
    "limits": limits_table,
    "seams": seams_table,
    "types": types_table,
}


def refreshed(page: str) -> str:
    """The page with every generated part as it is now.

    Raises:
        ValueError: the page lacks the marks of a part.
    """
    for name, part in PARTS.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(page):
            raise ValueError(f"the page has no part {begin} … {end}")
        text = f"{begin}\n{part()}\n{end}"
        page = pattern.sub(lambda _, text=text: text, page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(refreshed(target.read_text(encoding="utf-8")), encoding="utf-8")
