"""The page about the local cloud says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.deploy import supported
from localcloud.describe import refreshed

PAGE = Path(__file__).resolve().parents[3] / "docs" / "localcloud.md"


def test_the_generated_parts_are_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert refreshed(page) == page, "run: python -m localcloud.describe docs/localcloud.md"


def test_every_supported_type_has_a_row() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in supported() if f"| `{name}` |" not in page] == []


def test_a_page_that_lost_a_part_is_noticed() -> None:
    with pytest.raises(ValueError, match="generated: exceptions"):
        refreshed("# an empty page\n")
