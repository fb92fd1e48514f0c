"""What EventBridge Scheduler sends where a schedule names no input: that its time has come.

``detail`` is the text ``{}``, unlike that of every other event.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from signalbox.contracts.eventbridge import Envelope


class Scheduled(Envelope):
    """The time of a schedule has come."""

    source: Literal["aws.scheduler"]
    detail_type: Literal["Scheduled Event"] = Field(alias="detail-type")
