"""The envelope that every event comes in, whoever sent it.

Source: EventBridge User Guide, "Events" (event structure). Fields we do not read may come and go.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from signalbox.contracts.objects import ObjectRef

AWS = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)
"""How AWS payloads are read: fields are added without notice, so unknown ones are tolerated."""


class Envelope(BaseModel):
    """What EventBridge says about any event."""

    model_config = AWS

    id: str
    source: str
    detail_type: str = Field(alias="detail-type")
    account: str
    region: str
    time: datetime

    @property
    def ref(self) -> ObjectRef | None:
        """The version of the object that the event speaks of, if it speaks of one."""
        return None
