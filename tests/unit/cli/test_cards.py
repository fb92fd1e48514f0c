"""How cards and their shares are shown."""

import io

import pytest
import typer
from rich.console import Console

from cli import cards
from cli.cards import Known, Row
from cli.options import named


class Sight:
    """Two cards, one of which somebody set to Approved who may only edit it."""

    def __init__(self, place):
        self.place = place

    def cards(self):
        return [
            Known("signalbox-abalone-1", "abalone", 1, "Archived", "Archived"),
            Known("signalbox-abalone-2", "abalone", 2, "Approved", "PendingReview"),
        ]

    def standing(self):
        return {}

    def rows(self, now):
        return self.place


def shown(monkeypatch, show, place, *arguments):
    monkeypatch.setattr(cards, "Sight", Sight)
    console = Console(file=io.StringIO(), width=200)
    code = show(console, place, *arguments, as_json=False)
    return code, console.file.getvalue()


def test_a_card_that_counts_as_something_else_says_so(monkeypatch):
    code, text = shown(monkeypatch, cards.cards, None, None)
    assert code == 0
    assert "Approved (shared as PendingReview: its version is not approved)" in text
    assert "nobody" in text
    assert "No model cards." in shown(monkeypatch, cards.cards, None, "hvac")[1]


def test_drift_is_shown_and_is_the_exit_code(monkeypatch):
    row = Row("signalbox-abalone-2", "dev", "1" * 12, "reader", "ASSOCIATED", "")
    assert shown(monkeypatch, cards.shares, [row])[0] == 0
    code, text = shown(
        monkeypatch, cards.shares, [row, Row("c", "prod", "2" * 12, "", "", "missing")]
    )
    assert (code, "missing" in text) == (1, True)
    assert "No model card is shared." in shown(monkeypatch, cards.shares, [])[1]


def test_a_parameter_has_a_name_and_a_value():
    assert named("DevAccount=1=2") == ("DevAccount", "1=2")
    for odd in ("DevAccount", "=1"):
        with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
            named(odd)
