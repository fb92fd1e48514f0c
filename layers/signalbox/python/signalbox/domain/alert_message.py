"""The words of an alert: what a dealer reads, and what subscriptions filter by."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC

from signalbox.contracts.alerts import Message, episode_id
from signalbox.contracts.fleet import UnitRecord
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.scoring import Moved, Score

UNKNOWN = "unknown"
"""Dealer, location and model of a unit that the registry does not know."""

MAX_SUBJECT = 99  # SNS API Reference, Publish: less than 100 characters, no control characters
MAX_MOVED = 6


def compose(
    score: Score,
    number: int,
    schema: ModelSchema,
    prediction: Prediction,
    record: UnitRecord | None,
    portal: str,
) -> Message:
    """Write the alert of a unit's n-th episode."""
    episode = episode_id(schema.workload, score.unit, number)
    probability = probability_of(score)
    dealer = record.dealer if record else UNKNOWN
    location = record.location if record else UNKNOWN
    model = record.model if record else UNKNOWN
    span = f"{schema.horizon:g} {schema.time}"
    lines = [
        f"Unit {score.unit} is expected to fail within {span}.",
        "",
        f"Unit:     {score.unit}, {model}",
        f"Location: {location}",
        f"Dealer:   {dealer}",
        f"Risk:     {in_words(probability)}, {percent(probability)} "
        f"(warned of from {percent(schema.threshold)} on)",
        f"Since:    {score.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, cycle {score.cycle}",
    ]
    if record is None:
        lines += ["", "The registry does not know this unit, so its dealer is not known either."]
    moved = sorted(score.moved, key=lambda each: -abs(each.deviations))[:MAX_MOVED]
    lines += _moved_lines(moved) + _inspect_lines(moved, prediction.inspect)
    lines += [
        "",
        "Please say what you found; until then, this unit stays silent:",
        f"  signalbox feedback {episode} confirmed",
        f"  signalbox feedback {episode} false-alarm",
    ]
    if portal:
        lines += ["", f"More: {portal.rstrip('/')}/alerts/{episode}"]
    subject = f"{schema.workload}: unit {score.unit} ({model}, {location}) may fail within {span}"
    attributes = {
        "workload": schema.workload,
        "unit": score.unit,
        "episode": episode,
        "dealer": dealer,
        "location": location,
        "model": model,
    }
    return Message(
        subject=one_line(subject), body="\n".join(map(printable, lines)), attributes=attributes
    )


def probability_of(score: Score) -> float:
    """Return the probability of a fault within the horizon."""
    return math.exp(score.log_probabilities[1])


def in_words(probability: float) -> str:
    """Say a probability as people do.

    >>> in_words(0.995)
    'almost certain'
    """
    for limit, words in ((0.99, "almost certain"), (0.9, "very likely"), (0.66, "likely")):
        if probability >= limit:
            return words
    return "about as likely as not" if probability >= 0.33 else "possible"


def percent(probability: float) -> str:
    """Write a probability, rounded down to a tenth of a percent: nothing is certain.

    >>> percent(0.9999), percent(0.99)
    ('99.9 %', '99 %')
    """
    # a billionth more: 0.99 is a little less than 99 hundredths
    return f"{math.floor(min(probability, 0.9999) * 1000 + 1e-9) / 10:g} %"


def one_line(text: str) -> str:
    """Return a subject that SNS takes: one line, printable, cut at the length it allows."""
    return printable(text)[:MAX_SUBJECT].strip()


def printable(text: str) -> str:
    """Replace line breaks, control characters and half characters by blanks."""
    return "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text
    )


def _moved_lines(moved: Iterable[Moved]) -> list[str]:
    lines = [
        f"  {each.feature}: {each.now:.4g} now, {each.usual:.4g} usually "
        f"({each.deviations:+.1f} of its own deviations)"
        for each in moved
    ]
    return ["", "What moved against this unit's own past:", *lines] if lines else []


def _inspect_lines(moved: Iterable[Moved], inspect: Mapping[str, str]) -> list[str]:
    sensors = dict.fromkeys(each.sensor for each in moved if each.sensor in inspect)
    lines = [f"  {sensor}: {inspect[sensor]}" for sensor in sensors]
    return ["", "What to look at on site:", *lines] if lines else []
