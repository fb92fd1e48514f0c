"""A real-time endpoint as SageMaker tells of it, and what can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from signalbox.contracts.packages import Smoke

IN_SERVICE, FAILED, DELETING = "InService", "Failed", "Deleting"
_SETTLED = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """DescribeEndpoint's answer, as far as it is read.

    Attributes:
        status: EndpointStatus.
        config: the configuration it serves by, or would if it were healthy.
        modified: LastModifiedTime; another text after each change.
        reason: FailureReason, or nothing.
    """

    status: str
    config: str
    modified: str
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing is under way."""
        return self.status in _SETTLED


class Endpoints(Protocol):
    """Endpoints, and what they serve by."""

    def look(self, name: str) -> Endpoint | None:
        """Return what is known of an endpoint, or None if there is none."""

    def prepare(self, package: str, config: str) -> None:
        """Make a model of the package and a configuration of it, both of this name, unless there."""

    def create(self, name: str, config: str) -> None:
        """Create an endpoint unless it is there."""

    def update(self, name: str, config: str, *, guarded: bool) -> None:
        """Serve by another configuration; guarded: it goes back by itself if its alarm goes off.

        Raises:
            Transient: it is just being changed.
        """

    def delete(self, name: str) -> None:
        """Delete an endpoint unless it is gone."""

    def invoke(self, name: str, sample: Smoke) -> str | None:
        """Ask the model; return why that did not work, or None."""
