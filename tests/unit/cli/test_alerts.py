"""Which alerts are shown, and as what."""

import io

import pytest
from rich.console import Console

from cli.alerts import chosen, named, status, table
from cli.whereabouts import BadUse
from signalbox.contracts.alerts import Feedback, Judgement
from tests.fakes import NOON
from tests.integration.adapters.test_episodes import EPISODE, SECOND

SENT = EPISODE.model_copy(update={"sent": True})


def said(verdict):
    return Feedback(
        workload="hvac", unit="A1", episode=EPISODE.id, verdict=verdict, by="[north]", at=NOON
    )


CONFIRMED = SENT.model_copy(update={"feedback": said("confirmed")})
CLOSED = SENT.model_copy(update={"feedback": said("false alarm")})
JUDGED = SENT.model_copy(update={"judgement": Judgement(outcome="late", fault_at=NOON, at=NOON)})


def test_a_status_says_how_far_an_alert_has_come():
    assert [status(each) for each in (EPISODE, SENT, CONFIRMED, CLOSED, JUDGED)] == [
        "unsent", "open", "open", "closed", "late",
    ]  # fmt: skip


def test_open_ones_are_those_that_somebody_has_to_act_on():
    other = SENT.model_copy(update={"workload": "pumps"})
    assert chosen([SENT, SECOND, other], None, still_open=True) == [SECOND, other]
    assert chosen([SENT, other], "hvac", still_open=True) == [SENT]
    for done in (CLOSED, JUDGED):
        assert chosen([done], None, still_open=True) == []
        assert chosen([done], None, still_open=False) == [done]


def test_an_alert_is_found_by_its_name_or_said_to_be_unknown():
    assert named([SENT, SECOND], "hvac-A1-0002") == SECOND
    with pytest.raises(BadUse, match="no alert 'hvac-A1-0003'"):
        named([SENT], "hvac-A1-0003")
    with pytest.raises(BadUse, match="more than one"):
        named([SENT, SENT.model_copy(update={"probability": 0.99})], SENT.id)


def test_a_row_says_who_what_and_since_when():
    stream = io.StringIO()
    Console(file=stream, width=160).print(table([CONFIRMED]))
    row = next(line for line in stream.getvalue().splitlines() if EPISODE.id in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "hvac-A1-0001", "A1", "north", "95 %", "2026-07-02 12:00", "open", "confirmed", "[north]",
    ]  # fmt: skip
