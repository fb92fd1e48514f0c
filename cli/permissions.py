"""``signalbox permissions``: what each door and job was allowed, used, and never used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.chain import running
from cli.tables import STACK
from localcloud.iam import Grant
from localcloud.iam.usage import used
from localcloud.journal import Record, from_line


def run(console: Console, trace: Path) -> int:
    """Compare what a trace's calls used with what the template grants."""
    if not trace.is_file():
        raise FileNotFoundError(f"no trace at {trace}: run `signalbox demo`, or name another trace")
    with trace.open(encoding="utf-8") as file:
        records = [from_line(line) for line in file]
    with running() as cloud:
        granted, owners, deployed = cloud.granted, cloud.role_owners, cloud.used
    console.print(_used(records, owners))
    console.print(_never(records, granted, owners, deployed))
    return 0


def _used(records: Sequence[Record], owners: Mapping[str, list[str]]) -> Table:
    """A row for each action of a door on what a statement names."""
    view = Table(title="Used", title_justify="left")
    for name in ("door or job", "action", "on"):
        view.add_column(name, overflow="fold")
    view.add_column("calls", justify="right")
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in used(records):
        counts[_who(each.role, owners), each.action, _short(each.grant.resource)] += each.times
    for (who, action, resource), times in sorted(counts.items()):
        view.add_row(escape(who), action, escape(resource), str(times))
    for record in records:
        if record.kind == "call" and record.status == "denied":
            who = _who(str(record.detail["role"]), owners)
            denied = escape(_short(str(record.detail["resource"])))
            view.add_row(escape(who), f"[red]{record.name}[/]", denied, "[red]denied[/]")
    return view


def _never(
    records: Iterable[Record],
    granted: Iterable[Grant],
    owners: Mapping[str, list[str]],
    deployed: frozenset[Grant],
) -> Table:
    """A row for each action that a role's policies grant and no call rested on."""
    view = Table(title="Granted and never used in this trace", title_justify="left")
    for name in ("door or job", "statement", "action", "on"):
        view.add_column(name, overflow="fold")
    known = {each.grant for each in used(records)} | deployed
    for grant in granted:
        role = grant.where.partition(".")[0]
        if role in owners and grant not in known:
            statement = escape(grant.where.partition(".")[2])
            view.add_row(
                escape(_who(role, owners)), statement, grant.action, escape(_short(grant.resource))
            )
    if not view.row_count:
        view.add_row("(none)", "", "", "")
    return view


def _who(role: str, owners: Mapping[str, list[str]]) -> str:
    return ", ".join(owners.get(role, [role]))


def _short(arn: str) -> str:
    """The resource without what all ARNs of the account share."""
    return arn.split(":", 5)[5].replace(STACK, "") if arn.count(":") >= 5 else arn
