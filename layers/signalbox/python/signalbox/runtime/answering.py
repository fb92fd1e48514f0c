"""The decorator of a door that somebody waits for: a request in, an answer out.

What goes wrong is raised: the caller is told, and tries again or not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.errors import Rejected
from signalbox.runtime.settings import DoorSettings
from signalbox.runtime.telemetry import Telemetry

AskedT = TypeVar("AskedT", bound=BaseModel)


class AnsweringDoor(Generic[AskedT]):
    """One Lambda function that answers whoever invoked it."""

    def __init__(
        self,
        handle: Callable[[AskedT], BaseModel],
        contract: type[AskedT],
        settings: type[DoorSettings],
    ) -> None:
        update_wrapper(self, handle)
        self._handle = handle
        self.contract = contract
        self._settings = settings

    def __call__(self, payload: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request.

        Raises:
            Rejected: it is not what the door understands.
        """
        try:
            with self.telemetry.about(request_id=context.aws_request_id):
                answer = self._answered(payload)
                self.telemetry.count("answered")
                return answer
        except Exception as problem:
            self.telemetry.failed(problem)
            raise
        finally:
            self.telemetry.flush()

    @cached_property
    def telemetry(self) -> Telemetry:
        """The door's log and counts."""
        return Telemetry(self._settings.door)

    def _answered(self, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            asked = self.contract.model_validate(payload)
        except ValidationError as problem:
            raise Rejected("unreadable-request", complaint(problem)) from None
        return self._handle(asked).model_dump(mode="json", by_alias=True)


def answering(
    contract: type[AskedT], settings: type[DoorSettings]
) -> Callable[[Callable[[AskedT], BaseModel]], AnsweringDoor[AskedT]]:
    """Make a handler of one request into a Lambda function that answers."""

    def decorate(handle: Callable[[AskedT], BaseModel]) -> AnsweringDoor[AskedT]:
        return AnsweringDoor(handle, contract, settings)

    return decorate
