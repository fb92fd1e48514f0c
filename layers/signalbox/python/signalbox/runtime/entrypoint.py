"""The decorator that every door stands under: event in, delivery semantics out.

    event ──parse──► handler ──► outcome, counted, acknowledged
               │        ├─ Rejected ──────► parked under rejected/, counted, acknowledged
               │        ├─ Transient ─────┐
               │        ├─ Misconfigured ─┤ counted, raised again: the platform retries, then a
               │        └─ anything else ─┘ dead letter; in a batch, this one message only
               └─ unreadable ─► parked under rejected/events/, counted, acknowledged

What cannot be parked is raised: nothing is acknowledged that did not find its place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.adapters.rejections import Rejections
from signalbox.contracts.complaints import complaint
from signalbox.contracts.eventbridge import Envelope
from signalbox.contracts.rejection import RejectedEvent
from signalbox.contracts.sqs import QueuedEvent
from signalbox.domain.rejecting import rejection_of
from signalbox.errors import Rejected
from signalbox.runtime.settings import DoorSettings, OnceSettings, load
from signalbox.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from signalbox.runtime.once import Once

EventT = TypeVar("EventT", bound=Envelope)


class Door(Generic[EventT]):
    """One Lambda function: what it accepts, and the handler that says what became of it.

    ``once`` and ``rejections`` are built from the settings when first needed.
    """

    def __init__(
        self,
        handle: Callable[[EventT], str],
        contract: type[EventT],
        settings: type[DoorSettings],
        *,
        batch: bool,
    ) -> None:
        update_wrapper(self, handle)
        self._handle = handle
        self.contract = contract
        self._settings = settings
        self._batch = batch

    def __call__(self, payload: dict[str, Any], context: Any) -> dict[str, Any] | None:
        """Take one event, or one batch of SQS messages, from Lambda."""
        if self.once is not None:
            self.once.expect(context)
        try:
            with self.telemetry.about(request_id=context.aws_request_id):
                if self._batch:
                    return self._take_batch(payload, context)
                identifier = str(payload.get("id", context.aws_request_id))
                self._take(identifier, payload, lambda: self.contract.model_validate(payload))
                return None
        finally:
            self.telemetry.flush()

    @cached_property
    def telemetry(self) -> Telemetry:
        """The door's log and counts."""
        return Telemetry(self._settings.door)

    @cached_property
    def rejections(self) -> Rejections:
        """Where the door parks what can never work."""
        told = load(self._settings)
        return Rejections(Objects(told.data_bucket), EventBus(told.bus_name))

    @cached_property
    def once(self) -> Once | None:
        """The door's memory of what it has done, if it keeps one."""
        if not issubclass(self._settings, OnceSettings):
            return None
        from signalbox.runtime.once import Once  # noqa: PLC0415 - costs the other doors nothing

        return Once(self._settings.door, load(self._settings).idempotency_table)

    def _take_batch(self, payload: dict[str, Any], context: Any) -> dict[str, Any]:
        from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415 - as above
            BatchProcessor,
            EventType,
            process_partial_response,
        )

        return dict(
            process_partial_response(
                event=payload,
                record_handler=self._take_message,
                # every message speaks for itself, also where all of them fail
                processor=BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False),
                context=context,
            )
        )

    def _take_message(self, record: Any) -> None:
        message = record.raw_event
        queued = QueuedEvent[self.contract]  # type: ignore[name-defined]
        with self.telemetry.about(message_id=message["messageId"]):
            self._take(
                message["messageId"],
                message["body"],
                lambda: queued.model_validate(message).body,
            )

    def _take(self, identifier: str, payload: object, parse: Callable[[], EventT]) -> None:
        try:
            event = parse()
        except ValidationError as problem:
            unreadable = Rejected("unreadable-event", complaint(problem))
            self._count(lambda: self._park(identifier, payload, unreadable))
            return
        ref = event.ref
        told = {"key": ref.key, "version_id": ref.version_id} if ref else {}
        with self.telemetry.about(**told):
            self._count(lambda: self._deliver(event, payload))

    def _count(self, work: Callable[[], str]) -> None:
        try:
            outcome = work()
        except Exception as problem:
            self.telemetry.failed(problem)
            raise
        self.telemetry.count(outcome)

    def _deliver(self, event: EventT, payload: object) -> str:
        ref = event.ref
        if ref is None or self.once is None:
            return self._settle(event, payload)
        version = f"{ref.bucket}/{ref.key}/{ref.sequencer}"
        return self.once.run(version, lambda: self._settle(event, payload))

    def _settle(self, event: EventT, payload: object) -> str:
        try:
            return self._handle(event)
        except Rejected as problem:
            if event.ref is None:
                return self._park(event.id, payload, problem)
            self.telemetry.rejected(problem)
            self.rejections.keep(rejection_of(problem, event.ref, event.time))
            return "rejected"

    def _park(self, identifier: str, payload: object, problem: Rejected) -> str:
        self.telemetry.rejected(problem)
        event = RejectedEvent(
            door=self._settings.door,
            reason=problem.reason,
            message=problem.message,
            payload=payload,
        )
        self.rejections.keep_event(identifier, event)
        return "rejected"


def entrypoint(
    contract: type[EventT],
    settings: type[DoorSettings],
    *,
    batch: bool = False,
) -> Callable[[Callable[[EventT], str]], Door[EventT]]:
    """Make a handler of one event into a Lambda function.

    Args:
        contract: what the event must look like.
        settings: what the template tells this door; with ``OnceSettings`` it handles a version of
            an object once, by bucket, key and sequencer.
        batch: the events come in SQS messages; each is judged by itself.
    """

    def decorate(handle: Callable[[EventT], str]) -> Door[EventT]:
        return Door(handle, contract, settings, batch=batch)

    return decorate
