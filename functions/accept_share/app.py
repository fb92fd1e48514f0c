"""AWS RAM hints at a share, or an hour has passed → invitations of the owner accepted → cards are seen."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.resource_shares import Invitations
from signalbox.contracts.cards import TimeToLook
from signalbox.domain.inviting import Accepting, Outcome
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import AcceptShareSettings, load


@cache
def accepting() -> Accepting:
    """Compose what an invitation meets."""
    return Accepting(owner=load(AcceptShareSettings).owner_account, invitations=Invitations())


@entrypoint(TimeToLook, AcceptShareSettings)
def handler(event: TimeToLook) -> Outcome:  # noqa: ARG001 - it only says that it is time
    """Accept what waits."""
    return accepting().accept()
