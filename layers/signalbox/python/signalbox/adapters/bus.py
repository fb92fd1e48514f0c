"""The bus of the house."""

from __future__ import annotations

from typing import Any

from signalbox.adapters.aws import calling, connect
from signalbox.contracts.own import SOURCE, OwnEvent
from signalbox.errors import Misconfigured, Transient

MAX_ENTRIES = 10  # PutEvents takes no more in one call

_REFUSED = frozenset(
    {"AccessDeniedException", "NotAuthorizedForSourceException", "MalformedDetail"}
)


class EventBus:
    """An EventBridge bus that carries events of the house."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._events = client or connect("events")

    def emit(self, *events: OwnEvent) -> None:
        """Put the events on the bus, in order, at least once.

        Raises:
            Transient: some were not taken; those before them may be heard twice.
            Misconfigured: the bus refuses them.
        """
        for first in range(0, len(events), MAX_ENTRIES):
            self._put(events[first : first + MAX_ENTRIES])

    def _put(self, events: tuple[OwnEvent, ...]) -> None:
        entries = [
            {
                "EventBusName": self.name,
                "Source": SOURCE,
                "DetailType": event.detail_type(),
                "Detail": event.model_dump_json(),
            }
            for event in events
        ]
        with calling("events:PutEvents", f"bus {self.name}"):
            answer = self._events.put_events(Entries=entries)
        # HTTP 200 even so: each entry says for itself whether it was taken
        failed = [entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry]
        if not failed:
            return
        what = f"bus {self.name} did not take {len(failed)} of {len(events)} events: {failed[0]}"
        if _REFUSED.intersection(failed):
            raise Misconfigured(f"{what}; may this role emit source {SOURCE!r} on it?")
        raise Transient(f"{what}; all are sent again later")
