"""The command ``signalbox``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cli import modelling, operating, serving
from cli.options import Chaotic, Executing, Executor, Parameters, named
from cli.workloads import UnusableWorkload, load, measured, spec_of

app = typer.Typer(
    name="signalbox",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Signals in, decisions out: from sensor files to warnings of faults, on AWS or on this laptop.",
    epilog="Start with `signalbox demo`; then `signalbox features FILE --spec WORKLOAD -o OUT.parquet`.",
)
console = Console()
errors = Console(stderr=True)

USAGE = 2  # asked for something that cannot be done
PARTLY = 1  # done, save for files that were rejected
INTERRUPTED = 130
_MEASURED = ", ".join(workload.name for workload in measured())


def main() -> None:
    """Run the command; trouble a person can mend is one message and exit code 2."""
    try:
        app()
    except KeyboardInterrupt:
        errors.print("interrupted; what was written so far is complete and is taken up again")
        raise SystemExit(INTERRUPTED) from None
    except Exception as problem:
        if not isinstance(problem, _mendable()):
            raise
        errors.print("[bold red]signalbox:[/]", escape(str(problem)), highlight=False)
        raise SystemExit(USAGE) from None


def _mendable() -> tuple[type[Exception], ...]:
    """What a person can mend; looked up when something went wrong, for most commands need none of it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.build import StaleBuild
    from cli.replay import NoReplay
    from cli.up import AlreadyUp
    from cli.whereabouts import BadUse, NotUp
    from cycles import BadHistory
    from localcloud.errors import DeployError, StateError
    from signalbox.errors import SignalboxError
    from simulator.files import OtherFleet

    return (
        UnusableWorkload, StaleBuild, DeployError, StateError, AlreadyUp, OtherFleet, NotUp, BadUse,
        NoReplay, BadHistory, SignalboxError, OSError, BotoCoreError, ClientError,
    )  # fmt: skip


def _bound() -> Console:
    """A console that keeps writing here while a door runs and has its own output captured."""
    return Console(file=sys.stdout)


@app.command()
def features(
    files: Annotated[
        list[Path], typer.Argument(help="Sensor files or folders: Parquet, CSV, CSV.GZ.")
    ],
    spec: Annotated[
        str,
        typer.Option(help=f"A workload: {_MEASURED}, or a yaml file of your own."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where the features go: .parquet, or .csv.")
    ] = Path("features.parquet"),
) -> None:
    """Turn sensor files into cycle features, right here: the kernel, no cloud.

    Exit code 0: all files read. 1: some were rejected, the features of the others are written.

    Example: signalbox features ../shared/data/metropt3_sample --spec metropt3 -o cycles.parquet
    """
    from cli.features import features as run
    from cli.features import sensor_files, write
    from cli.tables import Counting, rejections, units

    found = sensor_files(files)
    cycle_spec = spec_of(load(spec))
    with Counting(console, "reading", len(found)) as counting:
        outcome = run(found, cycle_spec, lambda path, _: counting.step(path.name))
    write(outcome.table, out)
    console.print(units(outcome.table))
    if outcome.rejected:
        console.print(
            rejections({name: problem.message for name, problem in outcome.rejected.items()})
        )
    shape = f"{outcome.table.num_rows} cycles x {outcome.table.num_columns} columns"
    console.print(f"{shape} -> [bold]{escape(str(out))}[/]")
    raise typer.Exit(PARTLY if outcome.rejected else 0)


@app.command()
def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="Real recordings instead of the simulated fleet.", exists=True),
    ] = None,
    units: Annotated[int, typer.Option(help="Simulated units.", min=1, max=200)] = 3,
    days: Annotated[int, typer.Option(help="Simulated days a unit.", min=1, max=60)] = 3,
    seed: Annotated[int, typer.Option(help="Of the simulated fleet.")] = 7,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for features and pages.")] = Path(
        "out"
    ),
    executor: Executing = Executor.INPROCESS,
    faults: Chaotic = None,
) -> None:
    """Show the chain: deploy the template locally, drop files, watch them become cycle features."""
    from cli.demo import run

    shape = {"units": units, "days": days, "seed": seed}
    raise typer.Exit(run(_bound(), out=out, data=data, executor=executor, chaos=faults, **shape))


@app.command()
def chaos(
    mode: Annotated[
        list[str] | None, typer.Option(help="Only this mode; may be given again. All by default.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each mode.", min=1)] = 1,
    first: Annotated[int, typer.Option(help="The first seed.", min=0)] = 1,
    job: Annotated[
        str, typer.Option(help="files: sensor files to features; loop: tables to models and back.")
    ] = "files",
    executor: Executing = Executor.INPROCESS,
) -> None:
    """Show that bad days change nothing: a job under every fault, against one without.

    Files, a deletion, a broken file and a backfill go through the local cloud while deliveries come twice,
    late and out of order, calls are throttled or fail, processes are killed, messages show too early.
    Objects, tables, messages and events must end the same. Of the loop the same runs, promotions, mails,
    packages, cards and shares must be there.

    Exit code 0: they do. 1: something was lost or done twice; it is listed.

    Example: signalbox chaos --job loop --mode "many at once" --seeds 20
    """
    from cli.chaos import JOBS, endings, table
    from cli.tables import Counting

    if job not in JOBS:
        errors.print(f"[bold red]signalbox:[/] no job {escape(job)!r}; there are {', '.join(JOBS)}")
        raise typer.Exit(USAGE)
    unknown = [each for each in mode or () if each not in JOBS[job].modes]
    if unknown:
        known = ", ".join(repr(each) for each in JOBS[job].modes)
        errors.print(f"[bold red]signalbox:[/] no mode {escape(unknown[0])!r}; there are {known}")
        raise typer.Exit(USAGE)
    modes = mode or list(JOBS[job].modes)
    ended = []
    with Counting(_bound(), "bad days", len(modes) * seeds) as counting:
        for each in endings(modes, range(first, first + seeds), job, executor=executor):
            ended.append(each)
            counting.step(f"{each.mode}, seed {each.chaos.seed}")
    console.print(table(ended, job))
    for each in ended:
        for what, names_ in (("lost", each.lost), ("doubled", each.doubled)):
            for name in names_:
                console.print(
                    f"{what}, {each.mode}, {each.chaos}: {escape(name[:300])}", soft_wrap=True
                )
    raise typer.Exit(PARTLY if any(each.lost or each.doubled for each in ended) else 0)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder that gets raw/, registry/ and faults/.")],
    units: Annotated[int, typer.Option(help="Units in the fleet.", min=1)] = 10,
    days: Annotated[int, typer.Option(help="Days of raw readings a unit.", min=1)] = 7,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal fleets.")] = 7,
    history: Annotated[
        int,
        typer.Option(help="Instead of raw readings: cycle-level histories of so many days.", min=0),
    ] = 0,
    faults: Annotated[float, typer.Option(help="Faults a unit and year, on average.", min=0)] = 1.0,
) -> None:
    """Write a simulated HVAC fleet: raw unit-days of 8 million readings, or long cycle histories.

    Files that are complete already are not made again, so an interrupted run goes on where it was.
    """
    from cli.simulate import run

    run(console, out, units=units, days=days, seed=seed, history=history, faults=faults)


@app.command()
def replay(
    archive: Annotated[
        str | None, typer.Option(help="The archive; not needed where there is only one.")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="First event time, ISO 8601 (UTC if no zone is given)."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Last event time; now by default.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only this rule sees the events; may be repeated.")
    ] = None,
) -> None:
    """Say archived events again in the cloud that `signalbox up` serves, in the order of their times.

    Exit code 0: all were replayed. 1: the replay failed or was cancelled; Ctrl-C cancels it.

    Example: signalbox replay --from 2026-07-01T06:00 --to 2026-07-01T07:00 --rule OnScores
    """
    from cli.replay import run

    raise typer.Exit(run(console, archive, begin, end, rule or []))


@app.command()
def permissions(
    trace: Annotated[
        Path, typer.Argument(help="Trace of a run; by default of the last `signalbox demo`.")
    ] = Path("out/trace.jsonl"),
) -> None:
    """Show what each door and job used of what its role grants, and what it never used."""
    from cli.permissions import run

    raise typer.Exit(run(console, trace))


@app.command()
def package(
    bucket: Annotated[str, typer.Option(help="The artifact bucket; it must exist.")],
    region: Annotated[
        str | None, typer.Option(help="AWS region, else your AWS configuration's.")
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Another endpoint, such as the local cloud.")
    ] = None,
    parameter: Parameters = None,
) -> None:
    """Ship jobs, kernel and workloads by content hash; prints the parameters for sam deploy.

    PipelineSubnets, PipelineSecurityGroups and PipelineKmsKey are also written into the definitions of the
    pipelines, so give them here: --parameter PipelineKmsKey=ARN.
    """
    import boto3

    from cli.ship import ship

    told = dict(named(each) for each in parameter or ())
    s3 = boto3.client("s3", region_name=region, endpoint_url=endpoint_url)
    shipped = {**told, **ship(s3, bucket, told)}
    parameters = {"ArtifactBucket": bucket, **shipped}
    typer.echo(" ".join(f"{name}={value}" for name, value in parameters.items()))


for chapter in (serving, modelling, operating):
    app.registered_commands += chapter.app.registered_commands

if __name__ == "__main__":
    main()
