"""Model cards on paper: numbers on their lines, curves drawn, nothing lost."""

from __future__ import annotations

import io
import json

from pypdf import PdfReader

from localcloud.engines.card_pdf import pdf_of
from localcloud.sharing import Card, CardVersion

CURVE = {
    "name": "roc", "type": "linear_graph", "value": [[0.1 * k, 0.1 * k + 0.05] for k in range(60)],
    "x_axis_name": "false positive rates", "y_axis_name": "true positive rates",
}  # fmt: skip
MATRIX = {
    "name": "confusion", "type": "matrix", "value": [[5, 1], [0.58000000000000001, 4]],
    "x_axis_name": ["no", "yes"], "y_axis_name": ["no", "yes"],
}  # fmt: skip
NUMBER = {"name": "recall", "type": "number", "value": 0.81, "notes": "standard deviation 0.01"}
POINT = {"name": "one point", "type": "linear_graph", "value": [[1.0, 2.0]]}


def said(content: dict[str, object]) -> tuple[str, int]:
    """The text of a card, and on how many pages."""
    card = Card("pumps", "arn:aws:sagemaker:eu-west-1:123456789012:model-card/pumps", "1", 0.0)
    body = pdf_of(card, CardVersion(1, json.dumps(content), "Draft", 0.0, 0.0))
    pages = PdfReader(io.BytesIO(body)).pages
    return "\n".join(page.extract_text() for page in pages), len(pages)


def test_figures_are_lines_rows_and_drawings():
    groups = [{"name": "quality", "metric_data": [NUMBER, MATRIX, CURVE, POINT]}]
    text, pages = said({"evaluation_details": [{"name": "first", "metric_groups": groups}]})
    for words in ("recall: 0.81 (standard deviation 0.01)", "across: no, yes; down: no, yes", "5, 1",
                  "0.58, 4", "across: false positive rates; up: true positive rates",
                  "from 0, 0.05 to 5.9, 5.95", "1. Name: first"):  # fmt: skip
        assert words in text
    assert pages == 1, "sixty points are a line, not sixty lines"


def test_what_is_empty_or_long_is_there_too():
    address = "s3://data/" + 20 * "folder/" + "model.tar.gz"
    text, _ = said({"model_overview": {"model_artifact": [address]}, "more": [{}, {"a": {}}]})
    assert address in text.replace("\n", "")
    assert f"1. {address[:30]}" in text
