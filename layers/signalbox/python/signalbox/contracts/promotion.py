"""A model on its way into service, as it is kept and told.

A promotion is named after its package (``signalbox.contracts.packages.promotion_of``), and so are
the SageMaker model and endpoint configuration that serve it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

STRICT = ConfigDict(extra="forbid", frozen=True)

State = Literal["promoted", "failed", "superseded", "withdrawn"]
"""``withdrawn``: it was in service until it was approved no longer."""


class Flight(BaseModel):
    """A promotion whose endpoint is being created or updated.

    Attributes:
        former: endpoint configuration to go back to; None if nothing served.
        seen: the endpoint's LastModifiedTime just before it was asked to change: while it still reads
            so, it was not asked. None if there was no endpoint.
        began: when; with ``package`` it names this attempt.
        failed: why the model must not serve, once that is known; the endpoint is on its way back.
    """

    model_config = STRICT

    package: str
    former: str | None
    seen: str | None
    began: AwareDatetime
    failed: str | None = None


class Standing(BaseModel):
    """``promotion#<workload>`` | ``current``: what serves, what is under way, what waits.

    Attributes:
        revision: counts changes; each is made on condition that nobody else made one.
        promoted: ARN of the package that was promoted last.
        flight: the promotion under way.
        waiting: ARN of the package whose turn comes next; the endpoint changes one thing at a time.
    """

    model_config = STRICT

    revision: int = 0
    promoted: str | None = None
    flight: Flight | None = None
    waiting: str | None = None

    @property
    def coming(self) -> frozenset[str]:
        """Packages on their way into service while another one is there: they may yet fail."""
        if self.promoted is None:
            return frozenset()
        on_way = {self.waiting, self.flight.package if self.flight else None}
        return frozenset(each for each in on_way if each not in (None, self.promoted))


class Promotion(BaseModel):
    """``promotion#<workload>`` | ``<id>``: how a package's latest promotion ended."""

    model_config = STRICT

    package: str
    state: State
    at: AwareDatetime
    reason: str = ""
