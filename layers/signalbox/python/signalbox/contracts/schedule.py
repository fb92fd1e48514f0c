"""What EventBridge Scheduler sends when a schedule without an input of its own is due.

Source: EventBridge Scheduler User Guide, "Templated targets" (payload without ``Input``); ``detail``
is the text ``{}``, not an object.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from signalbox.contracts.eventbridge import Envelope


class Scheduled(Envelope):
    """A schedule is due; ``time`` is when it was, however late it is told."""

    source: Literal["aws.scheduler"]
    detail_type: Literal["Scheduled Event"] = Field(alias="detail-type")
