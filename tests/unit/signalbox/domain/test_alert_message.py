"""What a dealer reads."""

import pytest

from signalbox.contracts.prediction import Prediction
from signalbox.contracts.scoring import Score
from signalbox.domain.alert_message import MAX_SUBJECT, compose, in_words, one_line, percent
from tests.alerted import schema, score_line
from tests.fakes import NOON
from tests.unit.signalbox.domain.test_alerting import unit_record

PREDICTION = Prediction(inspect={"pressure": "charge, and the filter drier"})


def message(record=None, portal="", unit="A1"):
    score = Score.model_validate_json(score_line(unit, 0.9963, NOON, 128, schema()))
    return compose(score, 3, schema(), PREDICTION, record, portal)


def test_it_says_what_why_and_how_to_answer():
    found = message(unit_record(), "https://portal.example.com/")
    assert found.subject == "hvac: unit A1 (XC-20, Oslo) may fail within 60 days"
    assert found.body.splitlines() == [
        "Unit A1 is expected to fail within 60 days.",
        "",
        "Unit:     A1, XC-20",
        "Location: Oslo",
        "Dealer:   north",
        "Risk:     almost certain, 99.6 % (warned of from 90 % on)",
        "Since:    2026-07-02 12:00 UTC, cycle 128",
        "",
        "What moved against this unit's own past:",
        "  pressure__mean: 21.5 now, 18.25 usually (+4.2 of its own deviations)",
        "",
        "What to look at on site:",
        "  pressure: charge, and the filter drier",
        "",
        "Please say what you found; until then, this unit stays silent:",
        "  signalbox feedback hvac-A1-0003 confirmed",
        "  signalbox feedback hvac-A1-0003 false-alarm",
        "",
        "More: https://portal.example.com/alerts/hvac-A1-0003",
    ]
    assert found.attributes == {
        "workload": "hvac", "unit": "A1", "episode": "hvac-A1-0003", "dealer": "north",
        "location": "Oslo", "model": "XC-20",
    }  # fmt: skip


def test_a_subject_is_one_short_line_whatever_the_registry_says():
    record = unit_record(dealer="a\nb").model_copy(update={"location": "Oslo\r\n\x00" + "x" * 300})
    found = message(record)
    assert len(found.subject) <= MAX_SUBJECT
    assert found.subject.isprintable()
    assert "Dealer:   a b" in found.body


def test_half_characters_and_separators_do_not_get_out():
    assert one_line("a\ud800b\u2028c") == "a b c"
    assert one_line("ä" * 120) == "ä" * 99


@pytest.mark.parametrize(
    ("probability", "words", "share"),
    [
        (1.0, "almost certain", "99.9 %"),
        (0.99, "almost certain", "99 %"),
        (0.9, "very likely", "90 %"),
        (0.7, "likely", "70 %"),
        (0.5, "about as likely as not", "50 %"),
        (0.0123, "possible", "1.2 %"),
    ],
)
def test_risks_in_words_and_figures(probability, words, share):
    assert (in_words(probability), percent(probability)) == (words, share)
