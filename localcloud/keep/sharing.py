"""Model cards and resource shares of every account, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from localcloud.seams import Cards
from localcloud.shares import Answered, Association, Invitation, Permission, Share
from localcloud.sharing import Card, CardVersion
from localcloud.world import World

_CUT_SHORT = "InternalServerError: the cloud ended before the card was written"


def cards_of(world: World) -> list[dict[str, Any]]:
    """Every model card of every account, with its versions and export jobs."""
    return [asdict(card) for card in Cards(world.region).everyone()]


def fill_cards(world: World, kept: Sequence[Mapping[str, Any]]) -> None:
    """Put model cards back; an export job that was under way has failed."""
    cards = Cards(world.region)
    for facts in kept:
        card = Card(**facts)
        card.versions = [CardVersion(**each) for each in facts["versions"]]
        for job in card.exports.values():
            if job["Status"] == "InProgress":
                job.update(Status="Failed", FailureReason=_CUT_SHORT)
        cards.of(card.account)[card.name] = card


def shares_of(world: World) -> dict[str, Any]:
    """Everything AWS RAM keeps, save the rules that the cloud is started with."""
    kept = asdict(world.shares)
    del kept["rules"]
    return kept


def fill_shares(world: World, kept: Mapping[str, Any]) -> None:
    """Put shares, invitations and permissions back, and what was answered to client tokens."""
    if not kept:
        return
    shares = world.shares
    shares.within_organization = kept["within_organization"]
    for arn, facts in kept["shares"].items():
        share = Share(**facts)
        share.associations = [Association(**each) for each in facts["associations"]]
        shares.shares[arn] = share
    shares.invitations |= {arn: Invitation(**each) for arn, each in kept["invitations"].items()}
    shares.permissions |= {arn: Permission(**each) for arn, each in kept["permissions"].items()}
    shares.answered |= {key: Answered(**each) for key, each in kept["answered"].items()}
