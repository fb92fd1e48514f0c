"""A version of a workload's models comes, is approved or rejected: its card comes and goes with it.

    registered ─► Draft, its owner told ─► shared ─► filled ─► PendingReview ─┬─ approved ─► Approved
                                                                              └─ rejected ─► Archived
    a newer version approved ─► the card of the former one Archived

One card a version, so that the card of a superseded model can be archived and still be read. What the
registry says when an event is handled decides, not what the event says: repeated, late and swapped
events end the same. A card is filled once, when ``ModelCardDrafted`` says that the draft was shared; what
people write into it later stays, and a card that somebody deleted stays deleted. What cannot be written into
it is left out, and its owner is told once: a card that leaves something out is better than none. A version
whose evaluation cannot be read gets none: on_model_package tells its owner that it cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from signalbox.contracts.alerts import Message
from signalbox.contracts.cards import card_name, version_of
from signalbox.contracts.complaints import complaint
from signalbox.contracts.model_card import CardContent, CardStatus
from signalbox.contracts.packages import Package, numbers_of
from signalbox.contracts.registry import group_of
from signalbox.contracts.workload import Workload
from signalbox.domain.card_content import Training, draft, filled
from signalbox.domain.card_message import drafted, incomplete
from signalbox.domain.registry import judged, latest
from signalbox.errors import Rejected

DRAFT = "draft"
"""What is noted of a card when it was made and its owner told."""
FILLED = "filled"
"""What is noted of a card when it was filled and put up for review."""

Outcome = Literal["settled", "unchanged", "ignored"]


@dataclass(frozen=True, slots=True)
class Card:
    """A model card as it stands: ``version`` counts changes of its content."""

    name: str
    arn: str
    status: CardStatus
    version: int


class Registry(Protocol):
    """Versions of models."""

    def find(self, arn: str) -> Package | None:
        """Return a version of a workload's models, or None if it is gone."""

    def approved(self, group: str) -> Iterable[Package]:
        """Return the approved packages of a group, the highest version first."""


class Provenance(Protocol):
    """How versions of models came to be."""

    def training(self, package: Package) -> Training | None:
        """Return the job that trained a version, or None if nobody can say."""

    def evaluation(self, package: Package) -> Mapping[str, Any] | None:
        """Return a version's model-quality statistics, or None if there are none."""


class Shelf(Protocol):
    """The cards of this account."""

    def find(self, name: str) -> Card | None:
        """Return a card, or None."""

    def like(self, words: str) -> list[tuple[str, CardStatus]]:
        """Return names and states of the cards with these words in their names."""

    def create(self, name: str, content: CardContent) -> None:
        """Make a card in Draft, unless there is one."""

    def fill(self, name: str, content: CardContent) -> None:
        """Change the content of a card, unless it is that."""

    def update(self, name: str, status: CardStatus) -> None:
        """Change the state of a card."""


class Notes(Protocol):
    """What was said of a card, once."""

    def claim(self, card: str, what: str, grant: str, now: datetime) -> bool:
        """Claim to say something; False if exactly this was said.

        Raises:
            Transient: somebody else claims to, and may be at it.
        """

    def done(self, card: str, what: str) -> None:
        """Note that it was said."""

    def grants(self, card: str) -> dict[str, str]:
        """Return by what it was about everything that is noted of a card."""

    def finished(self, card: str) -> frozenset[str]:
        """Return what of it was said to the end."""

    def forget(self, card: str, what: str) -> None:
        """Note that it holds no longer."""


class Topic(Protocol):
    """Where mails about models go out."""

    def publish(self, message: Message) -> None:
        """Send a message to all whose subscription it fits."""


def wanted_status(package: Package, newest: int | None) -> CardStatus:
    """Return the state of the card of a version.

    Args:
        package: the version.
        newest: the newest approved version of its group, None if there is none.
    """
    approval = judged(package)
    if approval == "PendingManualApproval":
        return "PendingReview"
    if approval == "Approved" and newest == package.version:
        return "Approved"
    return "Archived"


@dataclass(frozen=True, slots=True)
class Cards:
    """Everything a change of a package meets."""

    workloads: Mapping[str, Workload]
    registry: Registry
    provenance: Provenance
    shelf: Shelf
    notes: Notes
    topic: Topic

    def settle(self, arn: str, now: datetime) -> Outcome:
        """A version came or was judged: begin its card, and bring those of its group to their places."""
        package = self.registry.find(arn)
        workload = None if package is None else self._workload(package)
        if package is None or workload is None:
            return "ignored"  # deleted meanwhile, or no workload of ours
        begun = self._useful(package) and self._begin(
            card_name(package.group, package.version), workload, package, now
        )
        return "settled" if self._place(package) or begun else "unchanged"

    def fill(self, arn: str, now: datetime) -> Outcome:
        """The draft of a version was shared: fill it and put it up for review, once."""
        package = self.registry.find(arn)
        workload = None if package is None else self._workload(package)
        if package is None or workload is None:
            return "ignored"
        filled_now = self._fill(card_name(package.group, package.version), workload, package, now)
        return "settled" if self._place(package) or filled_now else "unchanged"

    def _place(self, package: Package) -> bool:
        """Bring the card of a version, and those of its siblings, to where they belong.

        A draft that is not filled yet has its time to come: until it may be approved, the card of the
        version before stays approved.
        """
        group = package.group
        counts = latest(group, self.registry)
        newest = counts.version if counts is not None else None
        states: dict[int, CardStatus] = {
            version: status
            for card, status in self.shelf.like(card_name(group, 1).rpartition("-")[0])
            if (version := version_of(group, card)) is not None
        }
        wanted = {package.version: wanted_status(package, newest)}
        if newest is not None:
            wanted[newest] = "Approved"
            wanted |= {
                version: "Archived"
                for version, status in states.items()
                if status == "Approved" and version != newest
            }
        waiting = {
            version
            for version in wanted
            if states.get(version) == "Draft"
            and FILLED not in self.notes.finished(card_name(group, version))
        }
        if newest in waiting:
            gone = {package.version} if judged(package) != "Approved" else set()
            waiting |= {each for each, state in states.items() if state == "Approved"} - gone
        # the new one first: at no time is there no approved card
        moves = [
            (version, status)
            for version, status in sorted(wanted.items(), key=lambda move: move[1] == "Archived")
            if version not in waiting and states.get(version, status) != status
        ]
        for version, status in moves:
            self.shelf.update(card_name(group, version), status)
        return bool(moves)

    def _useful(self, package: Package) -> bool:
        """Whether a version may ever be approved: what cannot be used gets no card that others hear of."""
        if package.status != "Completed":
            return False
        try:
            found = self.provenance.evaluation(package)
            return bool(found and numbers_of(found))
        except (Rejected, ValueError):
            return False

    def _begin(self, name: str, workload: Workload, package: Package, now: datetime) -> bool:
        """Make a card and tell its owner: once."""
        if not self.notes.claim(name, DRAFT, "", now):
            return False
        self.shelf.create(name, draft(workload, package))
        card = self.shelf.find(name)
        if card is not None and card.status == "Draft":
            self.topic.publish(drafted(workload, card.name, card.arn))
        self.notes.done(name, DRAFT)
        return True

    def _fill(self, name: str, workload: Workload, package: Package, now: datetime) -> bool:
        """Fill a draft and put it up for review; tell its owner what could not be written."""
        if not self.notes.claim(name, FILLED, "", now):
            return False
        content, why = self._content(workload, package)
        card = self.shelf.find(name)
        if card is not None and card.status == "Draft":
            self.shelf.fill(name, content)
            self.shelf.update(name, "PendingReview")
        if card is not None and why:
            self.topic.publish(incomplete(workload, card.name, card.arn, why))
        self.notes.done(name, FILLED)
        return True

    def _content(self, workload: Workload, package: Package) -> tuple[CardContent, str]:
        """Return as much of what is known as a card takes, and why it is not all; "" if it is."""
        training = self.provenance.training(package)
        try:
            content = filled(workload, package, training, self.provenance.evaluation(package))
            content.content()
        except Rejected as refused:
            why = refused.message
        except ValidationError as problem:
            why = f"its evaluation does not fit the schema of model cards: {complaint(problem)}"
        except ValueError as problem:  # too long
            why = str(problem)
        else:
            return content, ""
        return filled(workload, package, training, None), why

    def _workload(self, package: Package) -> Workload | None:
        if package.workload:
            return self.workloads.get(package.workload)
        groups = {group_of(name): workload for name, workload in self.workloads.items()}
        return groups.get(package.group)
