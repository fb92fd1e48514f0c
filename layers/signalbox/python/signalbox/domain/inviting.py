"""An account was invited to share cards: invitations of the one known owner are accepted, no others.

Inside an Organization that shares within itself there are no invitations, and nothing to accept (RAM User
Guide, "Enable resource sharing within AWS Organizations"). An invitation that was overlooked expires
after 12 hours, and its owner sends another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from signalbox.contracts.cards import parse_share_name

Outcome = Literal["accepted", "nothing"]


class Invitations(Protocol):
    """Invitations that this account received."""

    def pending(self) -> list[tuple[str, str, str]]:
        """Return ARN, sender's account and name of the share of each invitation that waits."""

    def accept(self, arn: str) -> bool:
        """Accept an invitation; False if it waits no longer."""


@dataclass(frozen=True, slots=True)
class Accepting:
    """Whose invitations are accepted."""

    owner: str
    invitations: Invitations

    def accept(self) -> Outcome:
        """Accept what waits: shares of cards, of the owner's account."""
        waiting = [
            arn
            for arn, sender, name in self.invitations.pending()
            if sender == self.owner and parse_share_name(name) is not None
        ]
        accepted = [self.invitations.accept(arn) for arn in waiting]
        return "accepted" if any(accepted) else "nothing"
