"""What is answered in place of predictions: a status, a code, a sentence and, where known, the record."""

from __future__ import annotations

import orjson


class Refused(Exception):  # noqa: N818  (named for what it means to the caller)
    """The caller must change something; nothing is wrong with the container.

    Attributes:
        status: HTTP status, 4xx.
        code: one word for programs, listed in README.md.
        row: the record, counted from 0 over the whole body; None if the body as a whole is meant.
    """

    def __init__(self, status: int, code: str, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.row = row


class ModelFailed(Refused):
    """The model does not work, whatever the caller sends: answered with 500."""

    def __init__(self, message: str) -> None:
        super().__init__(500, "model_failed", message)


def body_of(refused: Refused) -> bytes:
    """The JSON that tells it: ``{"error": {"code", "message", "row"?}}``."""
    told: dict[str, str | int] = {"code": refused.code, "message": str(refused)}
    if refused.row is not None:
        told["row"] = refused.row
    return orjson.dumps({"error": told})
