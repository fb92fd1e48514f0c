"""The world of model cards in memory: a registry, a shelf, RAM, and what was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from signalbox.contracts.alerts import Message
from signalbox.contracts.cards import Approval, Stage
from signalbox.contracts.model_card import CardContent, CardStatus
from signalbox.contracts.operations import Card as Words
from signalbox.contracts.operations import Operations
from signalbox.contracts.packages import Package
from signalbox.contracts.workload import Workload
from signalbox.domain.card_content import Training
from signalbox.domain.cards import Card, Cards
from signalbox.domain.share_plan import (
    Create,
    Delete,
    Join,
    Leave,
    Member,
    Open,
    Permit,
    Share,
    Step,
)
from signalbox.domain.sharing import Sharing
from signalbox.errors import Rejected, Transient
from tests.fakes import NOON, Fuse, HeardBus, InMemoryObjects

OWNER = "arn:aws:sagemaker:eu-west-1:123456789012"
ACCOUNTS: dict[Stage, str] = {
    "dev": "111111111111", "test": "222222222222", "prod": "333333333333", "hub": "444444444444",
}  # fmt: skip
EDITOR = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerModelCards"
READER = "arn:aws:ram:eu-west-1:123456789012:permission/signalbox-model-card-reader"
LEASE = timedelta(seconds=90)
GROUP = "signalbox-abalone"

REGRESSION = {"regression_metrics": {"rmse": {"value": 2.1, "standard_deviation": 0.2}}}


def abalone(**changes: Any) -> Workload:
    """A workload with an owner and words for its cards."""
    operations = Operations(
        owner="ada@example.com",
        card=Words(purpose="How old an abalone is.", risk_rating="Low"),
    )
    return Workload.model_validate(
        {
            "name": "abalone", "description": "Age of abalones from their shells.", "owner": "lab",
            "table": {"unit": "unit", "cycle": "cycle", "features": ["length"]},
            "operations": operations, **changes,
        }
    )  # fmt: skip


def package(version: int, approval: Approval = "PendingManualApproval", **changes: Any) -> Package:
    made = Package(
        arn=f"{OWNER}:model-package/{GROUP}/{version}", status="Completed", approval=approval,
        metadata={"workload": "abalone", "run": f"{version:032x}", "retuned": "false"},
        images=("123456789012.dkr.ecr.eu-west-1.amazonaws.com/signalbox/programs:1",),
        artifacts=(f"s3://data/packages/abalone/{version:032x}/model.tar.gz",),
        statistics=f"s3://data/operations/abalone/{version:032x}/evaluation.json",
        constraints=f"s3://data/operations/abalone/{version:032x}/constraints.json",
        execution=f"{OWNER}:pipeline/signalbox-train/execution/abc",
    )  # fmt: skip
    return made.model_copy(update=changes)


@dataclass
class InMemoryRegistry:
    """Packages by version, and how each came to be."""

    packages: dict[int, Package] = field(default_factory=dict)
    quality: Mapping[str, Any] | None = field(default_factory=lambda: dict(REGRESSION))

    def judge(self, version: int, approval: Approval) -> None:
        self.packages[version] = package(version, approval)

    def find(self, arn: str) -> Package | None:
        return next((each for each in self.packages.values() if each.arn == arn), None)

    def approved(self, group: str) -> list[Package]:
        found = [each for each in self.packages.values() if each.approval == "Approved"]
        return sorted(found, key=lambda each: -each.version)

    def training(self, package: Package) -> Training | None:
        return Training(
            f"{OWNER}:training-job/t{package.version}", "image:1", ("s3://d/train",), {"rmse": 2.0}
        )

    def evaluation(self, package: Package) -> Mapping[str, Any] | None:
        return self.quality


@dataclass
class InMemoryShelf:
    """Cards by name; ``changes`` are those that SageMaker tells of, in order."""

    fuse: Fuse = field(default_factory=Fuse)
    cards: dict[str, Card] = field(default_factory=dict)
    said: dict[str, list[CardContent]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    exports: list[tuple[str, int, str]] = field(default_factory=list)

    def find(self, name: str) -> Card | None:
        return self.cards.get(name)

    def like(self, words: str) -> list[tuple[str, CardStatus]]:
        return [(name, card.status) for name, card in sorted(self.cards.items()) if words in name]

    def content(self, name: str) -> str:
        return self.said[name][-1].content()

    def create(self, name: str, content: CardContent) -> None:
        with self.fuse.around():
            if name not in self.cards:
                self._keep(Card(name, f"{OWNER}:model-card/{name}", "Draft", 1))
                self.said[name] = [content]

    def fill(self, name: str, content: CardContent) -> None:
        with self.fuse.around():
            if self.said[name][-1] != content:
                self.said[name].append(content)
                self._keep(replace(self.cards[name], version=self.cards[name].version + 1))

    def update(self, name: str, status: CardStatus) -> None:
        with self.fuse.around():
            self._keep(replace(self.cards[name], status=status))

    def export(self, card: Card, bucket: str, prefix: str, *, there: bool) -> None:
        with self.fuse.around():
            told = (card.name, card.version, prefix)
            if told not in self.exports:
                self.exports.append(told)

    def _keep(self, card: Card) -> None:
        self.cards[card.name] = card
        self.changes.append(card.name)


@dataclass
class InMemoryShares:
    """RAM: who is invited waits until it accepts."""

    fuse: Fuse = field(default_factory=Fuse)
    grants_readers: bool = True
    now: datetime = NOON
    shares: dict[str, Share] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))
    refused: set[str] = field(default_factory=set)
    """Accounts that RAM does not take."""

    def named(self, name: str) -> list[Share]:
        return [share for share in self.shares.values() if share.name == name]

    def everything(self) -> list[Share]:
        return list(self.shares.values())

    def editor(self) -> str:
        return EDITOR

    def reader(self) -> str | None:
        return READER if self.grants_readers else None

    def do(self, step: Step) -> None:
        who = step.grant.account if isinstance(step, Create) else getattr(step, "who", "")
        if who in self.refused and not isinstance(step, Leave):
            raise Rejected("InvalidParameterException", f"Principal ID {who} is malformed.")
        with self.fuse.around():
            self.steps.append(step)
            self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Create(grant):
                arn = f"arn:aws:ram:eu-west-1:123456789012:resource-share/{next(self.numbers):04d}"
                self.shares[arn] = Share(
                    arn, grant.name, grant.external, self.now, frozenset({grant.permission}),
                    {grant.account: Member("ASSOCIATING", self.now)},
                    {grant.card_arn: Member("ASSOCIATED", self.now)},
                )  # fmt: skip
            case Delete(arn):
                del self.shares[arn]
            case Permit(arn, permission):
                self._change(arn, permissions=frozenset({permission}))
            case Open(arn, external):
                self._change(arn, external=external)
            case Join(arn, kind, who):
                self._member(
                    arn, f"{kind}s", who, "ASSOCIATING" if kind == "principal" else "ASSOCIATED"
                )
            case Leave(arn, kind, who):
                self._member(arn, f"{kind}s", who, "DISASSOCIATED")

    def accept(self) -> None:
        for arn, share in list(self.shares.items()):
            for who, member in share.principals.items():
                if member.status == "ASSOCIATING":
                    self._member(arn, "principals", who, "ASSOCIATED")

    def _member(self, arn: str, kind: str, who: str, status: str) -> None:
        there = dict(getattr(self.shares[arn], kind))
        self._change(arn, **{kind: there | {who: Member(status, self.now)}})

    def _change(self, arn: str, **changes: Any) -> None:
        self.shares[arn] = replace(self.shares[arn], **changes)

    def open_to(self) -> dict[str, dict[str, str]]:
        """By name of a share the accounts that are in it, and its permission."""
        return {
            share.name: {
                who: next(iter(share.permissions)).rpartition("/")[2]
                for who, member in share.principals.items()
                if member.status in ("ASSOCIATING", "ASSOCIATED")
            }
            for share in self.shares.values()
        }


@dataclass
class InMemoryNotes:
    """What was said of cards: grant, when it was claimed, whether it is done."""

    fuse: Fuse = field(default_factory=Fuse)
    items: dict[tuple[str, str], tuple[str, datetime, bool]] = field(default_factory=dict)

    def claim(self, card: str, what: str, grant: str, now: datetime) -> bool:
        with self.fuse.around():
            standing = self.items.get((card, what))
            if standing is not None and standing[0] == grant:
                if standing[2]:
                    return False
                if now - standing[1] < LEASE:
                    raise Transient(f"{what} of {card} is being said; its lease ends")
            self.items[card, what] = (grant, now, False)
        return True

    def done(self, card: str, what: str) -> None:
        with self.fuse.around():
            grant, at, _ = self.items[card, what]
            self.items[card, what] = (grant, at, True)

    def grants(self, card: str) -> dict[str, str]:
        return {what: item[0] for (of, what), item in self.items.items() if of == card}

    def finished(self, card: str) -> frozenset[str]:
        return frozenset(what for (of, what), item in self.items.items() if of == card and item[2])

    def forget(self, card: str, what: str) -> None:
        with self.fuse.around():
            self.items.pop((card, what), None)


@dataclass
class MailedTopic:
    """Remembers the mails."""

    fuse: Fuse = field(default_factory=Fuse)
    mails: list[Message] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        with self.fuse.around():
            self.mails.append(message)


@dataclass
class World:
    """Everything that cards meet; all effects pass one fuse."""

    fuse: Fuse = field(default_factory=Fuse)
    accounts: dict[Stage, str] = field(default_factory=lambda: dict(ACCOUNTS))
    external: bool = True

    def __post_init__(self) -> None:
        self.registry = InMemoryRegistry()
        self.shelf = InMemoryShelf(self.fuse)
        self.shares = InMemoryShares(self.fuse)
        self.notes = InMemoryNotes(self.fuse)
        self.topic = MailedTopic(self.fuse)
        self.bus = HeardBus(self.fuse)
        self.store = InMemoryObjects(fuse=self.fuse)
        self.workloads = {"abalone": abalone()}

    @property
    def cards(self) -> Cards:
        return Cards(
            self.workloads, self.registry, self.registry, self.shelf, self.notes, self.topic
        )

    @property
    def sharing(self) -> Sharing:
        return Sharing(
            self.workloads, self.accounts, self.external, OWNER, self.registry, self.shelf,
            self.shares, self.store, self.notes, self.topic, self.bus,
        )  # fmt: skip

    def settle(self, version: int, now: datetime = NOON) -> str:
        """A version came or was judged; its draft is shared by nobody here, and so it is filled."""
        outcome = self.cards.settle(package(version).arn, now)
        if self.drafts(version):
            self.cards.fill(package(version).arn, now)
        return outcome

    def drafts(self, version: int) -> bool:
        """Whether the card of a version is a draft that waits to be filled."""
        card = self.shelf.cards.get(f"{GROUP}-{version}")
        filled = "filled" in self.notes.finished(f"{GROUP}-{version}")
        return card is not None and card.status == "Draft" and not filled

    def states(self) -> dict[str, CardStatus]:
        return {name: card.status for name, card in self.shelf.cards.items()}

    def told(self) -> list[tuple[str, str, str]]:
        """Every different thing that was said: event, card, stage."""
        return list(dict.fromkeys((e.detail_type(), e.card, e.stage) for e in self.bus.heard))
