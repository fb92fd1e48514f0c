"""``signalbox teardown``: what a deployment holds is shown, then removed in an order that works.

Nothing is noted down: every step looks at what is there, so whatever ended half way is taken up by saying
it again. What is kept is said, with why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.holdings import Kind, content, kinds
from cli.place import Place
from cli.stacks import Stack, stack_of

LEFT = 1
ROUNDS, PAUSE_S = 120, 5.0
"""How often a kind is looked at, and how long apart: endpoints and stacks take minutes to go."""
_SHOWN = 4
_REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


@dataclass(frozen=True, slots=True)
class Teardown:
    """What goes, in order, and what stays.

    Attributes:
        phases: every kind of things.
        kept: a line for everything that stays, and why.
        pause: let time go by until things that are ending may have ended.
    """

    phases: tuple[Kind, ...]
    kept: tuple[str, ...]
    pause: Callable[[], None]


def planned(place: Place, *, data: bool) -> Teardown:
    """Look at a place.

    Raises:
        NotUp: no profile was given, and no local cloud is running.
    """
    stack = stack_of(place)
    phases = [*kinds(place)]
    if place.profile is not None:
        phases.append(Kind("stack", stack.names, lambda _: stack.delete()))
    if data:
        phases.append(content(place, stack.buckets))
        if place.profile is not None:
            phases.append(Kind("kept bucket or table", stack.kept, stack.drop))
    return Teardown(tuple(phases), tuple(_stays(place, stack, data=data)), _sleep)


def where(place: Place) -> str:
    """Say which place it is, so that nobody takes away the wrong one."""
    if place.profile is None:
        return f"the local cloud, stack {place.name}"
    account = place.client("sts").get_caller_identity()["Account"]
    region = place.client("sagemaker").meta.region_name
    return f"AWS account {account}, {region}, stack {place.stack}"


def run(
    console: Console,
    plan: Teardown,
    where: str,
    *,
    yes: bool,
    agreed: Callable[[], bool],
) -> int:
    """Show what goes and what stays; once agreed, remove it.

    Args:
        console: where to say it.
        plan: what goes.
        where: the place, in words.
        yes: do not ask.
        agreed: asks.

    Returns:
        0: all of it is gone, or there was nothing. 1: something is left, or nobody agreed.
    """
    found = [(phase, phase.named()) for phase in plan.phases]
    there = [(phase, names) for phase, names in found if names]
    if there:
        console.print(_shown(there, where))
    else:
        console.print(f"Nothing is left to remove in {where}.", highlight=False, markup=False)
    for line in plan.kept:
        console.print(f"stays: {line}", highlight=False, markup=False, soft_wrap=True)
    if not there:
        return 0
    if not (yes or agreed()):
        console.print("Nothing was removed.")
        return LEFT
    return _remove(console, plan)


def _remove(console: Console, plan: Teardown) -> int:
    for phase in plan.phases:
        gone, left, why = _gone(phase, plan.pause)
        if gone:
            console.print(f"removed: {gone} × {phase.title}", highlight=False, markup=False)
        if left:
            reason = f": {why}" if why else ", which is still ending"
            console.print(
                f"not removed: {phase.title} {', '.join(left[:_SHOWN])}{reason}; what comes after it is "
                "still there too. Say it again to go on.",
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip
            return LEFT
    return 0


def _gone(phase: Kind, pause: Callable[[], None]) -> tuple[int, list[str], str]:
    """Remove all of a kind; return how many were seen and are gone, what is left, and why."""
    seen: set[str] = set()
    why = ""
    for attempt in range(ROUNDS):
        names = phase.named()
        seen |= set(names)
        if not names:
            return len(seen), [], ""
        if attempt:
            pause()
        for name in names:
            try:
                phase.remove(name)
            except ClientError as problem:  # most say nothing but ValidationException: look again
                why = problem.response["Error"].get("Message", "") or str(problem)
                if problem.response["Error"]["Code"] in _REFUSED:
                    return 0, names, why
    names = phase.named()
    return len(seen - set(names)), names, why


def _shown(there: list[tuple[Kind, list[str]]], where: str) -> Table:
    view = Table(title=f"To be removed in {escape(where)}, in this order", title_justify="left")
    view.add_column("how many", justify="right")
    view.add_column("what")
    view.add_column("which", overflow="fold")
    for phase, names in there:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        view.add_row(str(len(names)), phase.title, escape("\n".join(names[:_SHOWN]) + more))
    return view


def _stays(place: Place, stack: Stack, *, data: bool) -> list[str]:
    lines = []
    if place.profile is None:
        lines.append("the stack of the local cloud, which ends with `signalbox up`")
    if not data:
        lines += [f"{name}, your data, which --data takes away for good" for name in stack.kept()]
    elif place.profile is None:
        lines.append("FleetTable, which ends with `signalbox up` unless its state is kept")
    lines.append("secrets signalbox/…, images and the artifact bucket, which you made yourself")
    if place.profile is not None:
        lines.append("log groups /aws/sagemaker/…, which belong to all jobs of the account")
        lines.append("consumer stacks in other accounts: delete each there")
    return lines


def _sleep() -> None:
    time.sleep(PAUSE_S)


def paused_by(plan: Teardown, pause: Callable[[], None]) -> Teardown:
    """The same with another way to let time go by, for a cloud whose clock is driven."""
    return replace(plan, pause=pause)
