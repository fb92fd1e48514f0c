"""The page of an evaluation."""

from __future__ import annotations

from pathlib import Path

from jobs.evaluation.run import Evaluation


def write_page(found: Evaluation, path: Path) -> None:
    """Write the page."""
    path.write_text(str(found.report), encoding="utf-8")
