"""One version of one object in S3: what events of AWS and of the house speak of alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from signalbox.contracts.keys import normal_sequencer

Sequencer = Annotated[str, AfterValidator(normal_sequencer)]
"""S3's order of events of one key: hexadecimal, padded so that text order is age order."""


class ObjectRef(BaseModel):
    """One version of one object, and its place in the history of its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str
    key: str
    version_id: str | None = None
    sequencer: Sequencer
