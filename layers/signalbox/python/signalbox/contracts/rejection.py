"""What stands under ``rejected/``: why something cannot be processed, for a person to act on."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict

from signalbox.contracts.objects import ObjectRef


class Rejection(BaseModel):
    """Why a file cannot be processed; the file itself stays where it is.

    ``at`` is the time of the event that brought the file, so that a repeat writes the same bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str
    message: str
    source: ObjectRef
    column: str | None = None
    row: int | None = None
    line: int | None = None
    row_group: int | None = None
    at: AwareDatetime


class RejectedEvent(BaseModel):
    """An event that a door could not read, whole, with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    door: str
    reason: str
    message: str
    payload: object
