"""``signalbox alerts`` and ``feedback``: who was warned of, and what people say of it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.options import Answer
from cli.whereabouts import START, BadUse, client, noted
from signalbox.adapters.episodes import EpisodeTable
from signalbox.contracts.alerts import FEEDBACK_SOURCE, Episode, Feedback, Verdict
from signalbox.domain.alert_message import UNKNOWN, percent

_VERDICTS: dict[Answer, Verdict] = {
    Answer.CONFIRMED: "confirmed",
    Answer.FALSE_ALARM: "false alarm",
}


def alerts(console: Console, workload: str | None, *, still_open: bool, as_json: bool) -> int:
    """Show the alerts of the running cloud, oldest first."""
    found = chosen(episodes(), workload, still_open=still_open)
    if as_json:
        rows = [each.model_dump(mode="json", exclude={"message"}) for each in found]
        named = [
            {"episode": each.id, "status": status(each)} | row
            for each, row in zip(found, rows, strict=True)
        ]
        console.print_json(json.dumps(named))
    elif found:
        console.print(table(found))
    else:
        console.print("No alerts.", style="dim")
    return 0


def feedback(
    console: Console, episode: str, answer: Answer, note: str | None, by: str | None
) -> int:
    """Put feedback on the bus of the running cloud.

    Raises:
        BadUse: there is no such alert, or the bus does not take it.
    """
    there = noted()
    about = named(episodes(), episode)
    told = Feedback(
        workload=about.workload,
        unit=about.unit,
        episode=about.id,
        verdict=_VERDICTS[answer],
        note=note,
        by=by or getpass.getuser(),
        at=datetime.now(UTC),
    )
    entry = {
        "EventBusName": there["bus"],
        "Source": FEEDBACK_SOURCE,
        "DetailType": "AlertFeedback",
        "Detail": told.model_dump_json(),
    }
    answered = client("events", there).put_events(Entries=[entry])
    if answered["FailedEntryCount"]:
        raise BadUse(f"the bus did not take it: {answered['Entries'][0].get('ErrorMessage')}")
    console.print(
        f"{about.id}: {told.verdict}, by {told.by}; see `signalbox alerts`",
        highlight=False,
        markup=False,
    )
    return 0


def episodes() -> Sequence[Episode]:
    """All episodes of the running cloud, oldest first.

    Raises:
        BadUse: what runs was deployed from a template without alerts.
    """
    there = noted()
    name = there.get("tables", {}).get("EpisodeTable")
    if name is None:
        raise BadUse(f"the running cloud keeps no alerts; end it, then {START}")
    return EpisodeTable(name, client("dynamodb", there)).survey()[0]


def named(known: Iterable[Episode], episode: str) -> Episode:
    """The alert of this name.

    Raises:
        BadUse: there is none; or two workloads have one, which their units' names make possible.
    """
    found = [each for each in known if each.id == episode]
    if not found:
        raise BadUse(f"there is no alert {episode!r}; `signalbox alerts` lists them")
    if len(found) > 1:
        of = ", ".join(f"unit {each.unit} of {each.workload}" for each in found)
        raise BadUse(f"{episode!r} names more than one alert ({of}); put the event yourself")
    return found[0]


def chosen(
    known: Iterable[Episode], workload: str | None, *, still_open: bool
) -> Sequence[Episode]:
    """The alerts of a workload, or all; only those that somebody still has to act on, or all."""
    own = [each for each in known if workload in (None, each.workload)]
    latest = {(each.workload, each.unit): each.number for each in own}
    return [
        each
        for each in own
        if not still_open
        or (latest[each.workload, each.unit] == each.number and status(each) in ("open", "unsent"))
    ]


def status(episode: Episode) -> str:
    """How far an alert has come: unsent, open, closed by feedback, or how it turned out."""
    if episode.judgement is not None:
        return episode.judgement.outcome
    if not episode.sent:
        return "unsent"
    said = episode.feedback
    return "closed" if said is not None and said.verdict == "false alarm" else "open"


def table(found: Iterable[Episode]) -> Table:
    """A row an alert."""
    view = Table(title="Alerts", title_justify="left")
    for heading in ("alert", "unit", "dealer", "probability", "since", "status", "verdict", "by"):
        view.add_column(heading, justify="right" if heading == "probability" else "left")
    for each in found:
        said = each.feedback
        view.add_row(
            *map(escape, (each.id, each.unit, each.dealer or UNKNOWN, percent(each.probability))),
            f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M}",
            status(each),
            said.verdict if said else "",
            escape(said.by) if said else "",
        )
    return view
