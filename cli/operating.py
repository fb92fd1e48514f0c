"""The commands of models in operation: pipelines and their runs, models, cards and who has them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from cli.place import Place, Profile, Region, Stack

app = typer.Typer()
console = Console()


@app.command()
def pipelines(profile: Profile = None, region: Region = None, stack: Stack = "signalbox") -> None:
    """Show the pipelines and how each last ended.

    Example: signalbox pipelines
    """
    from cli.runs import pipelines as run

    raise typer.Exit(run(console, Place(profile, region, stack)))


@app.command()
def runs(
    wanted: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A run, by its id, ARN or name in mails.")
    ] = None,
    workload: Annotated[str | None, typer.Option(help="Only runs of this workload.")] = None,
    most: Annotated[int, typer.Option("--max", min=1, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    profile: Profile = None,
    region: Region = None,
    stack: Stack = "signalbox",
) -> None:
    """Show the latest runs of pipelines, or the steps of one as a tree.

    Exit code 1: the run that was asked for failed.

    Example: signalbox runs --workload abalone
    """
    from cli import runs as of

    place = Place(profile, region, stack)
    if wanted is not None:
        raise typer.Exit(of.run(console, place, wanted, as_json=as_json))
    raise typer.Exit(of.runs(console, place, workload, most, as_json=as_json))


Chosen = Annotated[
    str,
    typer.Argument(metavar="PACKAGE", help="Its ARN, or group/version, or workload/version."),
]


@app.command()
def approve(
    package: Chosen,
    board: Annotated[
        str | None, typer.Option(help="Who reviewed it; a retuned model needs that.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why, in your own words.")] = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Approve a model: it goes into service, and its deploy pipeline is called.

    Exit code 0: it is approved. 2: there is no such model, or it must not be approved so.

    Example: signalbox approve abalone/3 --board "Ada, Grace"
    """
    from cli.approvals import approve as run

    raise typer.Exit(run(console, Place(profile, region), package, board, note))


@app.command()
def reject(
    package: Chosen,
    note: Annotated[str, typer.Option(help="Why, in your own words.")],
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Reject a model; if it was in service, the highest version that is still approved takes its place.

    Where none is, endpoint and fleet scoring go on with what they have, and batch inference finds no model.

    Exit code 0: it is rejected. 2: there is no such model.

    Example: signalbox reject abalone/3 --note "worse for small shells"
    """
    from cli.approvals import reject as run

    raise typer.Exit(run(console, Place(profile, region), package, note))


@app.command()
def models(
    workload: Annotated[
        str | None, typer.Argument(metavar="[WORKLOAD]", help="Of this workload only.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that is known of each, as one JSON array.")
    ] = False,
    profile: Profile = None,
    region: Region = None,
    stack: Stack = "signalbox",
) -> None:
    """Show the models of the registry: version, approval, numbers, whether retuned, what serves, its card.

    promotion: in service, promoted (and followed by another), failed (and why), withdrawn (it was in service
    until it was approved no longer), or superseded by a newer one.

    Example: signalbox models abalone
    """
    from cli.approvals import models as run

    raise typer.Exit(run(console, Place(profile, region, stack), workload, as_json=as_json))


@app.command()
def cards(
    workload: Annotated[str | None, typer.Option(help="Only cards of this workload.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    profile: Profile = None,
    region: Region = None,
    stack: Stack = "signalbox",
) -> None:
    """Show the model cards: state, version of the model, and whom they are shared with.

    Example: signalbox cards --workload abalone
    """
    from cli.cards import cards as run

    raise typer.Exit(run(console, Place(profile, region, stack), workload, as_json=as_json))


@app.command()
def shares(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    profile: Profile = None,
    region: Region = None,
    stack: Stack = "signalbox",
) -> None:
    """Show who has which model card by which permission, and where that is not as wanted.

    Exit code 1: something differs; `mend_shares` looks at it every hour.

    Example: signalbox shares --profile models
    """
    from cli.cards import shares as run

    raise typer.Exit(run(console, Place(profile, region, stack), as_json=as_json))


@app.command()
def teardown(
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    data: Annotated[
        bool,
        typer.Option(
            "--data", help="The data bucket's content too, and on AWS bucket and fleet table."
        ),
    ] = False,
    profile: Profile = None,
    region: Region = None,
    stack: Stack = "signalbox",
) -> None:
    """Remove what a deployment holds, after showing what goes, in which order, and what stays and why.

    Runs of pipelines are stopped first. Then go shares of model cards, the cards, endpoints with alarms,
    configurations and models, the packages of groups signalbox-..., and on AWS the stack. Data stays unless
    --data is given. What ended half way is taken up by saying it again.

    Without --yes it asks; answer no to have only looked. Two stacks of one account and Region share what
    begins with signalbox-.

    Exit code 0: all of it is gone, or there was nothing. 1: something is left, or you said no.

    Example: signalbox teardown --profile models
    """
    from cli.teardown import planned, where
    from cli.teardown import run as remove

    place = Place(profile, region, stack)
    plan = planned(place, data=data)
    agreed = partial(typer.confirm, "Remove all of this for good?")
    raise typer.Exit(remove(console, plan, where(place), yes=yes, agreed=agreed))
