"""A message of an SQS batch whose body is an event, as a rule with a queue as its target sends it.

Source: Lambda Developer Guide, "Using Lambda with Amazon SQS" (example event).
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, Field, Json

from signalbox.contracts.eventbridge import AWS

EventT = TypeVar("EventT", bound=BaseModel)


class QueuedEvent(BaseModel, Generic[EventT]):
    """One SQS message around one event: ``QueuedEvent[ObjectCreated]``."""

    model_config = AWS

    message_id: str = Field(alias="messageId")
    body: Json[EventT]
