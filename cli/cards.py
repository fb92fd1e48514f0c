"""``signalbox cards`` and ``shares``: the model cards there are, and who has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.place import Place
from cli.workloads import names
from signalbox.adapters.card_notes import CardNotes
from signalbox.adapters.model_cards import ModelCards
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.resource_shares import ResourceShares
from signalbox.contracts.cards import (
    STAGES,
    Access,
    Stage,
    share_name,
    version_of,
)
from signalbox.contracts.model_card import CardStatus
from signalbox.contracts.registry import PREFIX, group_of
from signalbox.domain.registry import judged
from signalbox.domain.share_plan import WANTED, Grant, Share, counts_as, drift
from signalbox.domain.sharing import COPIES, REFUSED

PARTLY = 1
_LIVE = ("ASSOCIATED", "ASSOCIATING")
_HEADINGS = ("stage", "account", "permission", "status", "drift")


@dataclass(frozen=True, slots=True)
class Known:
    """A card of a workload's version; ``counts`` is the state that it is shared by."""

    name: str
    workload: str
    version: int
    status: CardStatus
    counts: CardStatus


@dataclass(frozen=True, slots=True)
class Row:
    """What a stage has of a card; ``drift`` says how that differs from what is wanted, or nothing.

    Where AWS RAM refused the account, ``drift`` says in which words.
    """

    card: str
    stage: str
    account: str
    permission: str
    status: str
    drift: str


class Sight:
    """Everything there is to see at a place."""

    def __init__(self, place: Place) -> None:
        self.told = place.environment("MendShares")
        _, partition, _, region, account = self.told["OWNER"].split(":")
        sagemaker = place.client("sagemaker")
        self.shelf = ModelCards(client=sagemaker)
        self.registry = ModelRegistry(sagemaker)
        self.shares = ResourceShares(account, region, partition, place.client("ram"))
        self.notes = CardNotes(self.told["OPERATIONS_TABLE"], place.client("dynamodb"))

    def cards(self) -> list[Known]:
        """The cards of the workloads of this checkout, by name and version."""
        groups = {group_of(name): name for name in names()}
        found = []
        for card, status in self.shelf.like(PREFIX.rstrip("-")):
            for group, workload in groups.items():
                version = version_of(group, card)
                if version is not None:
                    package = self.registry.find(
                        f"{self.told['OWNER']}:model-package/{group}/{version}"
                    )
                    counts = counts_as(status, judged(package) if package else None)
                    found.append(Known(card, workload, version, status, counts))
        return sorted(found, key=lambda each: (each.workload, each.version))

    def standing(self) -> dict[str, list[Share]]:
        """The shares of this account by name."""
        found: dict[str, list[Share]] = {}
        for share in self.shares.everything():
            found.setdefault(share.name, []).append(share)
        return found

    def had(self) -> dict[str, tuple[CardStatus, list[str]]]:
        """The state of every card of the house by name, and which stages and accounts have it."""
        standing = self.standing()
        return {
            name: (status, shared_with(name, standing))
            for name, status in self.shelf.like(PREFIX.rstrip("-"))
        }

    def rows(self, now: datetime) -> list[Row]:
        """What every stage has of every card, and is to have."""
        reader, standing = self.shares.known_reader(), self.standing()
        return [
            row
            for card in self.cards()
            for noted in (self.notes.grants(card.name),)
            for stage in STAGES
            if (row := self._row(card, stage, reader, standing, noted, now)) is not None
        ]

    def _row(
        self,
        card: Known,
        stage: Stage,
        reader: str | None,
        standing: Mapping[str, list[Share]],
        noted: Mapping[str, str],
        now: datetime,
    ) -> Row | None:
        account = self.told.get(f"{stage.upper()}_ACCOUNT", "")
        access: Access | None = WANTED[card.counts].get(stage) if account else None
        permission = self.shares.editor() if access == "edit" else reader
        grant = None
        if access and permission:
            external = self.told["EXTERNAL_ACCOUNTS"] == "true"
            arn = f"{self.told['OWNER']}:model-card/{card.name}"
            grant = Grant(share_name(card.name, stage), arn, account, permission, external)
        there = standing.get(share_name(card.name, stage), [])
        differs = drift(grant, there, now)
        if differs and REFUSED + stage in noted:
            differs += f"; refused {noted[REFUSED + stage]}"
        if there:
            return Row(card.name, stage, *_seen(there), differs)
        if access == "read" and permission is None:
            return Row(card.name, stage, account, "copy", COPIES[card.counts](card.name), differs)
        return Row(card.name, stage, account, "", "", differs) if grant else None


def cards(console: Console, place: Place, workload: str | None, *, as_json: bool) -> int:
    """Show the model cards."""
    sight = Sight(place)
    standing = sight.standing()
    found = [
        {
            "card": each.name, "workload": each.workload, "version": each.version,
            "status": each.status, "counts as": each.counts,
            "shared with": shared_with(each.name, standing),
        }
        for each in sight.cards()
        if workload in (None, each.workload)
    ]  # fmt: skip
    if as_json:
        console.print_json(json.dumps(found))
        return 0
    if not found:
        console.print("No model cards.", style="dim")
        return 0
    view = Table(title="Model cards", title_justify="left")
    for heading in ("card", "workload", "version", "status", "shared with"):
        view.add_column(heading, justify="right" if heading == "version" else "left")
    for each in found:
        view.add_row(*map(escape, _cells(each)))
    console.print(view)
    return 0


def shared_with(card: str, standing: Mapping[str, list[Share]]) -> list[str]:
    """Stages and accounts that a card is shared with."""
    return [
        f"{stage} {who}"
        for stage in STAGES
        for share in standing.get(share_name(card, stage), [])
        for who, member in share.principals.items()
        if member.status in _LIVE
    ]


def shares(console: Console, place: Place, *, as_json: bool) -> int:
    """Show who has which card, and where that is not as wanted."""
    found = Sight(place).rows(datetime.now(UTC))
    if as_json:
        console.print_json(json.dumps([asdict(row) for row in found]))
    elif not found:
        console.print("No model card is shared.", style="dim")
    else:
        view = Table(title="Shares of model cards", title_justify="left")
        for heading in ("card", *_HEADINGS):
            view.add_column(heading, overflow="fold")
        for row in found:
            view.add_row(*map(escape, asdict(row).values()))
        console.print(view)
    return PARTLY if any(row.drift for row in found) else 0


def _cells(card: Mapping[str, Any]) -> Iterable[str]:
    status = card["status"]
    if card["counts as"] != status:
        status += f" (shared as {card['counts as']}: its version is not approved)"
    with_ = ", ".join(card["shared with"]) or "nobody"
    return card["card"], card["workload"], str(card["version"]), status, with_


def _seen(there: Iterable[Share]) -> tuple[str, str, str]:
    """Accounts, permissions and how far the accounts have come, of all shares of one name."""
    members = [each for share in there for each in share.principals.items()]
    permissions = [arn.rpartition("/")[2] for share in there for arn in sorted(share.permissions)]
    accounts = ", ".join(who for who, _ in members)
    return accounts, ", ".join(permissions), ", ".join(member.status for _, member in members)
