from dataclasses import dataclass, field

import pytest

from functions.accept_share import app
from signalbox.domain.inviting import Accepting
from tests.fakes import LambdaContext, sample

OWNER, STRANGER = "123456789012", "999999999999"


@dataclass
class InMemoryInvitations:
    """Invitations that wait: ARN, sender, share; some are withdrawn before they are accepted."""

    waiting: list[tuple[str, str, str]]
    withdrawn: set[str] = field(default_factory=set)
    accepted: list[str] = field(default_factory=list)

    def pending(self):
        return list(self.waiting)

    def accept(self, arn):
        self.waiting = [each for each in self.waiting if each[0] != arn]
        if arn in self.withdrawn:
            return False
        self.accepted.append(arn)
        return True


@pytest.mark.parametrize(
    "event",
    [
        "aws.ram/resource-sharing-state-change.json",
        "aws.ram/resource-sharing-state-change.invitation.json",
        "aws.scheduler/scheduled-event.json",
    ],
)
def test_the_owners_invitations_to_cards_are_accepted_and_no_others(monkeypatch, event):
    there = InMemoryInvitations(
        [
            ("a", OWNER, "signalbox-abalone-2-prod"),
            ("b", STRANGER, "signalbox-abalone-2-prod"),
            ("c", OWNER, "subnets-of-the-owner"),
            ("d", OWNER, "signalbox-abalone-1-prod"),
        ],
        withdrawn={"d"},
    )
    monkeypatch.setattr(app, "accepting", lambda: Accepting(OWNER, there))
    for _ in range(2):
        app.handler(sample(event), LambdaContext())
    assert there.accepted == ["a"]
    assert [each[0] for each in there.waiting] == ["b", "c"]


def test_inside_an_organization_there_is_nothing_to_accept():
    assert Accepting(OWNER, InMemoryInvitations([])).accept() == "nothing"
