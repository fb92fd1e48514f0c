"""Tables and progress for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.journeys import Journey

STACK = "signalbox-"  # physical names begin so; the template's own names say more


class Counting:
    """Progress over a known number of things; outside a terminal, a line now and then."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self.console, self.what, self.total, self.count = console, what, total, 0
        self.bar = Progress(
            TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[name]}", markup=False), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task(what, total=total, name="")

    def __enter__(self) -> Counting:
        self.bar.start()
        return self

    def step(self, name: str) -> None:
        """One more done: its name is shown."""
        self.count += 1
        self.bar.update(self.task, advance=1, name=name[-48:])
        if not self.console.is_terminal and (
            self.count == self.total or self.count % max(1, self.total // 10) == 0
        ):
            self.console.print(f"{self.what}: {self.count}/{self.total}", highlight=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()


def units(table: pa.Table, title: str = "Cycles per unit") -> Table:
    """A row a unit: cycles, first and last, median duration."""
    view = Table(title=title, title_justify="left")
    for name in ("unit", "cycles", "first", "last", "median duration"):
        view.add_column(name, justify="right" if name in ("cycles", "median duration") else "left")
    for unit in sorted(set(table["unit"].to_pylist())):
        own = table.filter(pc.equal(table["unit"], unit))
        seconds = pc.quantile(own["duration_s"], 0.5)[0].as_py()
        starts = pc.cast(own["cycle_start"], pa.timestamp("s", tz="UTC"), safe=False)
        first, last = (_moment(starts[k].as_py()) for k in (0, -1))
        view.add_row(escape(unit), str(own.num_rows), first, last, f"{seconds / 60:.1f} min")
    if table.num_rows == 0:
        view.add_row("(none)", "0", "", "", "")
    return view


def _moment(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}"


def rejections(reasons: Mapping[str, str]) -> Table:
    """A row a rejected file, with the reason."""
    view = Table(title="Rejected", title_justify="left", style="red")
    view.add_column("file", overflow="fold")
    view.add_column("why", overflow="fold")
    for name, reason in sorted(reasons.items()):
        view.add_row(escape(name), escape(reason))
    return view


def paths(journeys: Sequence[Journey]) -> Table:
    """A row a file: the stations on its way and where it ended.

    The cycles told are those that the file alone closes; its first and last one may need its neighbours.
    """
    view = Table(title="The path every file took", title_justify="left")
    for name in ("file", "path", "output"):
        view.add_column(name, overflow="fold")
    for journey in journeys:
        names = dict.fromkeys(step.name.removeprefix(STACK) for step in journey.steps)
        stations = " → ".join(names)
        end = f"[green]{journey.cycles} closed[/] " if journey.outcome == "features" else ""
        end = f"[red]{escape(journey.message)}[/] " if journey.outcome == "rejected" else end
        view.add_row(escape(journey.key), escape(stations), end + escape(journey.output_key))
    return view
