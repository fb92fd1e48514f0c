"""A model's way into service, one step an event, every step repeatable.

    approved ─► flight noted ─► model, configuration ─► endpoint created or updated
                                        endpoint settles ─► tried with a sample ─► ModelPromoted
                                                    └─ it failed, or the sample did ─► back ─► PromotionFailed

Workloads without an endpoint are promoted at once: whoever predicts looks up the latest approved package.
A promoted fault model also scores its fleet from then on (:mod:`signalbox.domain.in_service`). What fails is
rejected in the registry, so that nobody predicts with it, until it is approved again.
All that is known stands in one item a workload, and every change of it is conditional. What SageMaker
says of the endpoint decides, never what an event says, so events may be repeated, late or shuffled. The
endpoint changes one thing at a time: a package that comes meanwhile waits, and of two the newer one; a
promotion that was overtaken steps aside untried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.operations import Operations
from signalbox.contracts.packages import (
    APPROVED,
    Package,
    group_and_version,
    promotion_of,
)
from signalbox.contracts.promotion import Flight, Promotion, Standing, State
from signalbox.contracts.registry import group_of
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import model_promoted, promotion_failed
from signalbox.domain.claims import LEASE, Claims, asked, held
from signalbox.domain.endpoints import DELETING, FAILED, IN_SERVICE, Endpoint, Endpoints
from signalbox.domain.in_service import InService
from signalbox.domain.model_mail import promotion_failed_mail
from signalbox.domain.registry import Packages, overtaken, usable
from signalbox.domain.samples import Files, sample_of
from signalbox.domain.telling import Topic
from signalbox.errors import Transient

Step = Literal[
    "promoted", "started", "waiting", "superseded", "rolling-back", "failed", "moving", "ignored"
]


_NOT_APPROVED = "the package is not approved any more"


class Promotions(Protocol):
    """What is known of promotions. Every change is conditional: of two contenders one wins."""

    def standing(self, workload: str) -> Standing:
        """Return what serves, is under way and waits, as of now."""

    def change(self, workload: str, before: Standing, **changes: object) -> Standing:
        """Change it and return what stands.

        Raises:
            Transient: somebody else changed it.
        """

    def ended(self, workload: str, promotion: Promotion) -> None:
        """Note how a package's promotion ended."""

    def promotion(self, workload: str, package: str) -> Promotion | None:
        """Return how a package's latest promotion ended, or None."""


@dataclass(frozen=True, slots=True)
class Promoting:
    """Everything a promotion meets; ``operations`` are those of all workloads that have some."""

    operations: Mapping[str, Operations]
    packages: Packages
    promotions: Promotions
    endpoints: Endpoints
    files: Files
    claims: Claims
    topic: Topic
    bus: Bus
    in_service: InService

    def promote(self, workload: str, package: Package, now: datetime) -> Step:
        """Bring an approved package into service, or on its way there.

        Raises:
            Transient: somebody else is at it, or the endpoint is just being deleted.
        """
        standing = self.promotions.standing(workload)
        flight = standing.flight
        under_way = flight is not None and flight.package == package.arn
        if not under_way and self.serving(workload) == package.arn:
            return "promoted"  # whatever else was changed about it
        if overtaken(package, self.packages):
            return self._step_aside(workload, standing, package, now)
        if flight is not None and flight.package == package.arn:
            return self._go_on(workload, standing, flight, now)
        endpoint = self._endpoint(workload)
        if endpoint is not None and endpoint.status == DELETING:
            raise Transient(f"endpoint {group_of(workload)} is being deleted; created again later")
        if _idle(flight, endpoint) and not _just_begun(flight, now):
            return self._begin(workload, standing, package, endpoint, endpoint, now)
        if not self.operations[workload].endpoint:  # no event of an endpoint would end the wait
            raise Transient(f"another model of {workload} is just coming into service")
        self._wait(workload, standing, package)
        rests = endpoint is not None and endpoint.settled and _asked(flight, endpoint)
        return self.settle(workload, now) if rests else "waiting"

    def serving(self, workload: str) -> str | None:
        """Return the package in service; None if there is none that may stay there."""
        arn = self.promotions.standing(workload).promoted
        ended = self.promotions.promotion(workload, arn) if arn else None
        return arn if ended is not None and ended.state == "promoted" else None

    def withdraw(self, workload: str, package: Package, now: datetime) -> bool:
        """Note that a package may not stay in service; return whether it was there last.

        Raises:
            Transient: somebody else is at it.
        """
        if self.serving(workload) == package.arn:
            why = f"its approval status is {package.approval}"
            self._ended(workload, package.arn, "withdrawn", now, why)
        standing = self.promotions.standing(workload)
        if standing.flight is not None and standing.flight.package == package.arn:
            self.promotions.change(workload, standing)  # who is just promoting it has to look again
        return standing.promoted == package.arn

    def settled(self, endpoint: str, now: datetime) -> Step:
        """Settle what an endpoint serves, which is known by its name.

        Raises:
            Transient: as for :meth:`promote`.
        """
        own = [
            name
            for name, told in self.operations.items()
            if told.endpoint and group_of(name) == endpoint.lower()
        ]
        return self.settle(own[0], now) if own else "ignored"

    def settle(self, workload: str, now: datetime) -> Step:
        """Judge what an endpoint serves that has come to rest, and let what waits begin.

        Raises:
            Transient: as for :meth:`promote`.
        """
        standing, endpoint = self.promotions.standing(workload), self._endpoint(workload)
        flight = standing.flight
        if flight is not None and flight.failed and flight.former is None:
            return self._gone(workload, standing, flight, endpoint, now)
        if endpoint is not None and not endpoint.settled and endpoint.status != DELETING:
            return "moving"
        if flight is None or endpoint is None or not _asked(flight, endpoint):
            return self._next(workload, standing, endpoint, now)
        if flight.failed:
            return self._back(workload, standing, flight, endpoint, now)
        if (package := self._waiting(standing)) is not None:
            self._ended(workload, flight.package, "superseded", now)
            return self._begin(workload, standing, package, endpoint, flight, now)
        return self._judge(workload, standing, flight, endpoint, now)

    def _step_aside(
        self, workload: str, standing: Standing, package: Package, now: datetime
    ) -> Step:
        """A newer package counts; what waits behind a flight that never began takes its turn."""
        self._ended(workload, package.arn, "superseded", now)
        flight, endpoint = standing.flight, self._endpoint(workload)
        if flight is not None and flight.package == package.arn and _idle(flight, endpoint):
            noted = self.promotions.change(workload, standing, flight=None)
            self._next(workload, noted, endpoint, now)
        return "superseded"

    def _begin(
        self,
        workload: str,
        standing: Standing,
        package: Package,
        endpoint: Endpoint | None,
        before: Endpoint | Flight | None,
        now: datetime,
    ) -> Step:
        """Note a flight, then begin it; ``before`` knows what to go back to."""
        former = before.former if isinstance(before, Flight) else None
        if isinstance(before, Endpoint) and before.status == IN_SERVICE:
            former = before.config
        seen = endpoint.modified if endpoint else None
        flight = Flight(package=package.arn, former=former, seen=seen, began=now)
        waiting = None if standing.waiting == package.arn else standing.waiting
        noted = self.promotions.change(workload, standing, flight=flight, waiting=waiting)
        return self._go_on(workload, noted, flight, now)

    def _go_on(self, workload: str, standing: Standing, flight: Flight, now: datetime) -> Step:
        """Do what is left to do before the endpoint settles."""
        if not self.operations[workload].endpoint:
            return self._promoted(workload, standing, flight, None, now)
        name, config = group_of(workload), promotion_of(flight.package)
        endpoint = self._endpoint(workload)
        if flight.failed or (endpoint is not None and not endpoint.settled):
            return "started"
        if endpoint is not None and (endpoint.status, endpoint.config) == (IN_SERVICE, config):
            return self._judge(workload, standing, flight, endpoint, now)
        self.endpoints.prepare(flight.package, config)
        if endpoint is None:
            self.endpoints.create(name, config)
        elif endpoint.modified == flight.seen and endpoint.status == FAILED:
            self.endpoints.delete(name)  # nothing else can be done with it
            raise Transient(f"endpoint {name} had failed and is deleted; created again later")
        elif endpoint.modified == flight.seen:
            self.endpoints.update(name, config, guarded=True)
        return "started"

    def _judge(
        self, workload: str, standing: Standing, flight: Flight, endpoint: Endpoint, now: datetime
    ) -> Step:
        """Try a model that was deployed, or tell why it was not."""
        config = promotion_of(flight.package)
        if endpoint.status != IN_SERVICE or endpoint.config != config:
            why = endpoint.reason or f"the endpoint went back by itself and is {endpoint.status}"
            return self._failed(workload, standing, flight, endpoint, why, now)
        why_not = self._tried(workload, flight)
        if why_not is None:
            return self._promoted(workload, standing, flight, endpoint, now)
        return self._take_back(workload, standing, flight, endpoint, why_not, now)

    def _take_back(
        self,
        workload: str,
        standing: Standing,
        flight: Flight,
        endpoint: Endpoint,
        why: str,
        now: datetime,
    ) -> Step:
        """The endpoint serves what must not stay."""
        if flight.former == endpoint.config:  # it served before this attempt, and there is no other
            return self._failed(workload, standing, flight, endpoint, why, now)
        failed = flight.model_copy(update={"failed": why})
        noted = self.promotions.change(workload, standing, flight=failed)
        if failed.former is None:
            return self._gone(workload, noted, failed, endpoint, now)
        return self._back(workload, noted, failed, endpoint, now)

    def _tried(self, workload: str, flight: Flight) -> str | None:
        """Why a model that answers pings must not stay, or None."""
        package = self._approved(flight)
        if package is None:
            return _NOT_APPROVED
        sample = sample_of(package, self.files)
        return (
            sample if isinstance(sample, str) else self.endpoints.invoke(group_of(workload), sample)
        )

    def _approved(self, flight: Flight) -> Package | None:
        package = self.packages.find(flight.package)
        return package if package is not None and package.approval == APPROVED else None

    def _back(
        self, workload: str, standing: Standing, flight: Flight, endpoint: Endpoint, now: datetime
    ) -> Step:
        """Go back to the former configuration; once it serves, say so."""
        if flight.former is not None and endpoint.config == promotion_of(flight.package):
            self.endpoints.update(group_of(workload), flight.former, guarded=False)
            return "rolling-back"
        return self._failed(workload, standing, flight, endpoint, str(flight.failed), now)

    def _gone(
        self,
        workload: str,
        standing: Standing,
        flight: Flight,
        endpoint: Endpoint | None,
        now: datetime,
    ) -> Step:
        """There is nothing to go back to: what must not serve is deleted, which no event tells."""
        if endpoint is not None and endpoint.status != DELETING:
            self.endpoints.delete(group_of(workload))
        return self._failed(workload, standing, flight, None, str(flight.failed), now)

    def _failed(
        self,
        workload: str,
        standing: Standing,
        flight: Flight,
        endpoint: Endpoint | None,
        why: str,
        now: datetime,
    ) -> Step:
        serving = endpoint.config if endpoint and endpoint.status == IN_SERVICE else None
        if endpoint is not None and endpoint.status == FAILED:
            self.endpoints.delete(group_of(workload))
        with held(self.claims, *_told(workload, flight), now) as mine:
            if mine:
                event = promotion_failed(workload, flight, group_of(workload), serving, why)
                self.bus.emit(event)
                self.topic.publish(promotion_failed_mail(event, self.operations[workload]))
        self._ended(workload, flight.package, "failed", now, why)
        self._reject(flight.package, why)
        noted = self.promotions.change(workload, standing, flight=None)
        if noted.waiting is not None:
            self._next(workload, noted, self._endpoint(workload), now)
        return "failed"

    def _reject(self, arn: str, why: str) -> None:
        """What failed counts no longer; approved again, it is tried again."""
        package = self.packages.find(arn)
        if package is not None and package.approval == APPROVED:
            self.claims.forget(*asked(arn, APPROVED))
            self.packages.reject(package, f"it did not come into service: {why}")

    def _promoted(
        self,
        workload: str,
        standing: Standing,
        flight: Flight,
        endpoint: Endpoint | None,
        now: datetime,
    ) -> Step:
        package = self._approved(flight)
        why_not = _NOT_APPROVED if package is None else self.in_service.put(workload, package)
        if why_not is not None and endpoint is not None:
            return self._take_back(workload, standing, flight, endpoint, why_not, now)
        if why_not is not None:
            return self._failed(workload, standing, flight, None, why_not, now)
        name = None if endpoint is None else group_of(workload)
        run = package.run if package else None
        former = standing.promoted if standing.promoted != flight.package else None
        with held(self.claims, *_told(workload, flight), now) as mine:
            if mine:
                self.bus.emit(model_promoted(workload, flight, run, name, former))
        self._ended(workload, flight.package, "promoted", now)
        noted = self.promotions.change(workload, standing, flight=None, promoted=flight.package)
        if noted.waiting is not None:
            self._next(workload, noted, self._endpoint(workload), now)
        return "promoted"

    def _next(
        self, workload: str, standing: Standing, endpoint: Endpoint | None, now: datetime
    ) -> Step:
        """Let what waits begin."""
        if standing.waiting is None:
            return "ignored"
        if endpoint is not None and endpoint.status == DELETING:
            raise Transient(f"endpoint {group_of(workload)} is being deleted; created again later")
        package = self._waiting(standing)
        if package is None:
            self.promotions.change(workload, standing, waiting=None)
            return "ignored"
        return self._begin(workload, standing, package, endpoint, endpoint, now)

    def _wait(self, workload: str, standing: Standing, package: Package) -> None:
        other = standing.waiting
        if other is None or group_and_version(other)[1] < package.version:
            self.promotions.change(workload, standing, waiting=package.arn)

    def _waiting(self, standing: Standing) -> Package | None:
        """The package whose turn it is, if it still may."""
        package = self.packages.find(standing.waiting) if standing.waiting else None
        if package is None or not usable(package) or overtaken(package, self.packages):
            return None
        return package

    def _endpoint(self, workload: str) -> Endpoint | None:
        told = self.operations[workload]
        return self.endpoints.look(group_of(workload)) if told.endpoint else None

    def _ended(
        self, workload: str, package: str, state: State, now: datetime, reason: str = ""
    ) -> None:
        ended = Promotion(package=package, state=state, at=now, reason=reason)
        self.promotions.ended(workload, ended)


def _asked(flight: Flight | None, endpoint: Endpoint) -> bool:
    """Whether the endpoint was asked for this flight: it changed since, or serves it already."""
    if flight is None:
        return False
    return endpoint.modified != flight.seen or endpoint.config == promotion_of(flight.package)


def _idle(flight: Flight | None, endpoint: Endpoint | None) -> bool:
    """Whether the endpoint was asked for nothing that has yet to be judged."""
    return endpoint is None or (endpoint.settled and not _asked(flight, endpoint))


def _just_begun(flight: Flight | None, now: datetime) -> bool:
    """Whether somebody may be about to ask the endpoint for this flight."""
    return flight is not None and not flight.failed and now - flight.began < LEASE


def _told(workload: str, flight: Flight) -> tuple[str, str]:
    """The key under which the end of this attempt is told once."""
    return (
        f"promotion#{workload}",
        f"told#{promotion_of(flight.package)}#{flight.began.isoformat()}",
    )
