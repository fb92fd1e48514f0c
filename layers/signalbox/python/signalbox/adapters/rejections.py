"""Where reasons are kept for what can never be processed."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import ValidationError

from signalbox.adapters.objects import Objects
from signalbox.contracts.backfill import RejectedFile
from signalbox.contracts.keys import rejected_event_key, rejected_key
from signalbox.contracts.rejection import RejectedEvent, Rejection
from signalbox.domain.announce import Bus, file_rejected
from signalbox.domain.rejecting import replaces


class Rejections:
    """The prefix ``rejected/`` of the data bucket, and the bus that says what was put there."""

    def __init__(self, objects: Objects, bus: Bus) -> None:
        self._objects = objects
        self._bus = bus

    def park(self, file: RejectedFile, at: datetime) -> None:
        """Write why a file of a run cannot be processed, and say so."""
        self.keep(Rejection(**file.model_dump(), at=at))

    def keep(self, rejection: Rejection) -> None:
        """Write a rejection unless a newer version's stands there, and emit FileRejected."""
        key = rejected_key(rejection.source.key)
        if replaces(rejection, self._known(key)):
            self._objects.put(key, rejection.model_dump_json(indent=2).encode())
        self._bus.emit(file_rejected(rejection))

    def keep_event(self, event_id: str, event: RejectedEvent) -> None:
        """Write down an event that a door could not use; it names no file, so none is announced."""
        key = rejected_event_key(event.door, event_id)
        self._objects.put(key, json.dumps(event.model_dump(), indent=2, default=str).encode())

    def _known(self, key: str) -> Rejection | None:
        content = self._objects.find(key)
        if content is None:
            return None
        try:
            return Rejection.model_validate_json(content)
        except ValidationError:  # somebody's own file, or an older format: ours takes its place
            return None
