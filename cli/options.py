"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from localcloud import Chaos
else:
    Chaos = Any  # the cloud is loaded by the commands that start one


class Executor(StrEnum):
    """Who runs the functions."""

    INPROCESS = "inprocess"
    RIC = "ric"


class Under(StrEnum):
    """Where files go in the data bucket."""

    RAW = "raw"
    REGISTRY = "registry"
    FAULTS = "faults"
    TRAINING = "training"
    INFERENCE = "inference"
    GROUND_TRUTH = "ground-truth"


class Answer(StrEnum):
    """What somebody who looked at a unit says of its alert."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false-alarm"


Executing = Annotated[
    Executor,
    typer.Option(
        help="Who runs the functions: this process, or Lambda's own runtime client in processes of its own."
    ),
]


def chaos_of(words: str) -> Chaos:
    """The faults that an option names.

    Raises:
        typer.BadParameter: says which word is not understood, and what there is.
    """
    from localcloud import Chaos

    name, _, seed = words.partition(";")
    try:
        return Chaos.parse(name, int(seed or 0))
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from problem


Chaotic = Annotated[
    Chaos | None,
    typer.Option(
        "--chaos",
        parser=chaos_of,
        metavar="WORDS",
        help="Faults to add, as in 'twice,delay=30,throttle=s3:3,kill=4'; ';7' at the end is their seed.",
    ),
]


Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="NAME=VALUE",
        help="A parameter of the template; may be repeated.",
    ),
]


def named(words: str) -> tuple[str, str]:
    """Take ``NAME=VALUE`` apart.

    Raises:
        typer.BadParameter: there is no name.
    """
    name, sign, value = words.partition("=")
    if not (name and sign):
        raise typer.BadParameter(f"{words!r} names no parameter; write NAME=VALUE")
    return name, value
