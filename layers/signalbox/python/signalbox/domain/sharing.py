"""A card changed, or an hour is over: every account has what it is to have of every card, no more.

The state of the card when it is looked at decides (``share_plan``). Where AWS RAM knows no permission that
only reads cards, readers have a copy in the data bucket: the content as JSON and the
PDF. An account that a card is shared with cannot list it, so it is told: an event and a mail, once.

No stage waits for another. An account that AWS RAM refuses is told of once and tried again every hour; any
other trouble is raised after all stages had their turn.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.cards import (
    STAGES,
    Access,
    Stage,
    parse_share_name,
    share_name,
    version_of,
)
from signalbox.contracts.model_card import CardStatus
from signalbox.contracts.operation_keys import (
    card_prefix,
    review_card_prefix,
    shared_card_prefix,
)
from signalbox.contracts.own import ModelCardShared
from signalbox.contracts.packages import Package
from signalbox.contracts.registry import group_of
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import card_drafted, card_shared, card_unshared
from signalbox.domain.aside import Troubles
from signalbox.domain.card_message import refused, shared
from signalbox.domain.cards import DRAFT, FILLED, Card, Notes, Topic
from signalbox.domain.registry import judged
from signalbox.domain.share_plan import WANTED, Grant, Share, Step, counts_as, plan
from signalbox.errors import Rejected

SHARE = "share#"
"""What is noted of a card for each stage that has it."""

REFUSED = "refused#"
"""What is noted of a card for each stage whose account AWS RAM refuses, and of a group that was told so."""

CONTENT = "card.json"
COPIES: Mapping[CardStatus, Callable[[str], str]] = {
    "PendingReview": review_card_prefix,
    "Approved": shared_card_prefix,
}
"""By the state of a card the prefix of its copies: the bucket's policy says who may read there."""

Outcome = Literal["ignored", "unchanged", "shared", "refused"]
_OUTCOMES: tuple[Outcome, ...] = ("ignored", "unchanged", "shared", "refused")


class Approvals(Protocol):
    """What the registry says of versions."""

    def find(self, arn: str) -> Package | None:
        """Return a version of a workload's models, or None if it is gone."""


class SharedShelf(Protocol):
    """The cards of this account, to be looked at and exported."""

    def find(self, name: str) -> Card | None:
        """Return a card, or None."""

    def like(self, words: str) -> list[tuple[str, CardStatus]]:
        """Return names and states of the cards with these words in their names."""

    def content(self, name: str) -> str:
        """Return what a card says, as JSON."""

    def export(self, card: Card, bucket: str, prefix: str, *, there: bool) -> None:
        """Have a version of a card written as PDF under a prefix, unless it is coming or ``there``.

        Raises:
            Misconfigured: it failed again and again.
        """


class Shares(Protocol):
    """Resource shares of this account."""

    def named(self, name: str) -> list[Share]:
        """Return the shares of this name that are not deleted."""

    def everything(self) -> list[Share]:
        """Return all shares of this account that are not deleted."""

    def editor(self) -> str:
        """Return the ARN of the permission that AWS manages: it reads and updates cards."""

    def reader(self) -> str | None:
        """Return the ARN of a permission that only reads cards, or None if RAM grants none."""

    def do(self, step: Step) -> None:
        """Take a step; one that was taken changes nothing.

        Raises:
            Rejected: RAM does not take the account, and says why.
        """


class Store(Protocol):
    """The data bucket."""

    bucket: str

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""

    def keys(self, prefix: str) -> list[str]:
        """Return every key under a prefix."""

    def remove(self, key: str) -> None:
        """Remove an object."""


@dataclass(frozen=True, slots=True)
class About:
    """A card of ours: whose it is, what it is, in which state it counts, and the ARN of its version."""

    workload: Workload
    name: str
    arn: str
    card: Card | None
    status: CardStatus
    package: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who is to have cards, and everything that takes.

    Attributes:
        accounts: by stage the account that gets the cards; a stage without one gets none.
        external: whether accounts outside the Organization may be among them.
        owner: this account and its Region, as the ARN of a card names them: ``arn:aws:sagemaker:R:A``.
    """

    workloads: Mapping[str, Workload]
    accounts: Mapping[Stage, str]
    external: bool
    owner: str
    approvals: Approvals
    shelf: SharedShelf
    shares: Shares
    store: Store
    notes: Notes
    topic: Topic
    bus: Bus

    def settle(self, name: str, now: datetime) -> Outcome:
        """Bring everything about one card to where it belongs."""
        return self._settle(name, self.shares.named, now)

    def mend(self, now: datetime) -> Outcome:
        """Bring everything about all cards to where it belongs, and end shares of cards that are gone.

        Raises:
            SignalboxError: the first trouble, after every card had its turn.
        """
        standing: dict[str, list[Share]] = defaultdict(list)
        for share in self.shares.everything():
            standing[share.name].append(share)
        parsed = [found for name in standing if (found := parse_share_name(name)) is not None]
        prefixes = map(group_of, self.workloads)
        cards = {name for prefix in prefixes for name, _ in self.shelf.like(prefix[:63])}
        outcomes: list[Outcome] = ["unchanged"]
        troubles = Troubles()
        with troubles.aside():
            if self.accounts:  # what readers will get is known before there is anything to read
                self.shares.reader()
        for name in sorted(cards | {card for card, _ in parsed}):
            with troubles.aside():
                outcomes.append(self._settle(name, lambda share: standing.get(share, []), now))
        troubles.tell()
        return _most(outcomes)

    def _settle(self, name: str, standing: Standing, now: datetime) -> Outcome:
        about = self._about(name)
        if about is None:
            return "ignored"
        noted = self.notes.grants(name)
        access = WANTED[about.status]
        reads = any(access.get(stage) == "read" for stage in self.accounts)
        troubles, reader = Troubles(), None
        with troubles.aside():
            reader = self.shares.reader() if reads else None
        unknown = troubles.first is not None  # what readers get; who edits need not wait for it
        copied = reads and reader is None and not unknown
        copies = COPIES[about.status](name) if copied else None
        if copies is not None and about.card is not None:
            self.store.put(copies + CONTENT, self.shelf.content(name).encode())
        outcomes: list[Outcome] = ["unchanged"]
        for stage in STAGES:
            if unknown and access.get(stage) == "read":
                continue
            told = self._told(about, stage, access.get(stage), reader, copies)
            with troubles.aside():
                outcomes.append(self._serve(about, stage, told, noted, standing, now))
        self._drafted(about, noted)
        if not unknown:
            self._export(about, copies)
        troubles.tell()
        return _most(outcomes)

    def _export(self, about: About, copies: str | None) -> None:
        """Have what is approved or copied as PDF, and no copies where none belong."""
        for prefix in (place(about.name) for place in COPIES.values()):
            if prefix != copies:
                for key in self.store.keys(prefix):
                    self.store.remove(key)
        if about.card is None:
            return
        wanted = [card_prefix(about.name)] if about.status == "Approved" else []
        for prefix in [*wanted, *([copies] if copies else [])]:
            there = any(key.endswith(".pdf") for key in self.store.keys(prefix))
            self.shelf.export(about.card, self.store.bucket, prefix, there=there)

    def _drafted(self, about: About, noted: Mapping[str, str]) -> None:
        """Say that a draft of ours is where it belongs: it is filled after it was shared."""
        if about.card is None or about.status != "Draft" or DRAFT not in noted:
            return
        if FILLED in self.notes.finished(
            about.name
        ):  # one who only began to fill it may have failed
            return
        if self.approvals.find(about.package) is not None:
            self.bus.emit(card_drafted(about.workload.name, (about.name, about.arn), about.package))

    def _about(self, name: str) -> About | None:
        for workload in self.workloads.values():
            group = group_of(workload.name)
            version = version_of(group, name)
            if version is None:
                continue
            card = self.shelf.find(name)
            status: CardStatus = "Archived" if card is None else card.status
            version_arn = f"{self.owner}:model-package/{group}/{version}"
            if status == "Approved":
                package = self.approvals.find(version_arn)
                status = counts_as(status, judged(package) if package else None)
            arn = card.arn if card else f"{self.owner}:model-card/{name}"
            return About(workload, name, arn, card, status, version_arn)
        return None

    def _told(
        self,
        about: About,
        stage: Stage,
        access: Access | None,
        reader: str | None,
        copies: str | None,
    ) -> ModelCardShared | None:
        """Return what a stage's account is to be told, or None if it is to have nothing."""
        account = self.accounts.get(stage)
        permission = self.shares.editor() if access == "edit" else reader
        if account is None or access is None or not (permission or copies):
            return None
        place = None if permission else f"s3://{self.store.bucket}/{copies}"
        region = about.arn.split(":")[3]
        return card_shared(
            about.workload.name, (about.name, about.arn, region), (stage, account, access),
            permission, place,
        )  # fmt: skip

    def _serve(
        self,
        about: About,
        stage: Stage,
        told: ModelCardShared | None,
        noted: Mapping[str, str],
        standing: Standing,
        now: datetime,
    ) -> Outcome:
        """Bring a stage to what it is to have of a card, and tell of what changed."""
        before, refusal = noted.get(SHARE + stage), None
        try:
            changed = self._give(about, stage, told, standing, now)
        except Rejected as refused_now:
            if told is None:  # nothing was given that could be refused
                raise
            changed, refusal = False, refused_now
        if before and (told is None or json.loads(before)["account"] != told.account):
            changed |= self._untell(about, stage, json.loads(before)["account"])
        if told is not None and refusal is not None:
            self._refuse(about, told, refusal, now)
            return "refused"
        if REFUSED + stage in noted:
            if told is not None:  # it is refused no more; a card that ended says nothing of that
                self.notes.forget(group_of(about.workload.name), REFUSED + stage)
            self.notes.forget(about.name, REFUSED + stage)
        changed |= told is not None and self._tell(about, stage, told, now)
        return "shared" if changed else "unchanged"

    def _refuse(
        self, about: About, told: ModelCardShared, refusal: Rejected, now: datetime
    ) -> None:
        """Note why an account does not get a card; tell the workload's owner once of the account."""
        what, group = REFUSED + told.stage, group_of(about.workload.name)
        if not self.notes.claim(about.name, what, f"{told.account}: {refusal.message}", now):
            return
        if self.notes.claim(group, what, f"{told.account} {refusal.reason}", now):
            to = (told.stage, told.account)
            self.topic.publish(refused(about.workload, about.name, to, refusal.message))
            self.notes.done(group, what)
        self.notes.done(about.name, what)

    def _give(
        self,
        about: About,
        stage: Stage,
        told: ModelCardShared | None,
        standing: Standing,
        now: datetime,
    ) -> bool:
        """Bring the share of a stage to where it belongs; return whether that took anything."""
        name = share_name(about.name, stage)
        grant = None
        if told is not None and told.permission is not None:
            grant = Grant(name, about.arn, told.account, told.permission, self.external)
        steps = plan(grant, standing(name), now)
        for step in steps:
            self.shares.do(step)
        return bool(steps)

    def _tell(self, about: About, stage: Stage, told: ModelCardShared, now: datetime) -> bool:
        """Tell an account what it has, once; return whether it was told now."""
        if not self.notes.claim(about.name, SHARE + stage, told.model_dump_json(), now):
            return False
        self.bus.emit(told)
        self.topic.publish(shared(about.workload, told, about.status))
        self.notes.done(about.name, SHARE + stage)
        return True

    def _untell(self, about: About, stage: Stage, account: str) -> bool:
        """Say that an account has it no longer."""
        card = (about.name, about.arn, about.arn.split(":")[3])
        self.bus.emit(card_unshared(about.workload.name, card, (stage, account)))
        self.notes.forget(about.name, SHARE + stage)
        return True


def _most(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what says most of several outcomes."""
    return max(outcomes, key=_OUTCOMES.index)


class Standing(Protocol):
    """Looks up the shares that stand under a name."""

    def __call__(self, name: str, /) -> list[Share]:
        """Return them."""
