"""Commands around a cloud that is up: it, files for it, and looking into it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.options import Answer, Chaotic, Executing, Executor, Parameters, Under, named
from cli.workloads import load

console = Console()
errors = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 4599,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps objects, items, messages, logs and the trace for the next time."
        ),
    ] = None,
    executor: Executing = Executor.INPROCESS,
    faults: Chaotic = None,
    parameter: Parameters = None,
) -> None:
    """Serve the local cloud on 127.0.0.1 until Ctrl-C, for the AWS CLI or any client.

    Then, elsewhere: signalbox upload FILE --workload NAME, and signalbox trace.

    With --state DIR the cloud begins where the last one with this folder ended; it is saved when
    nothing is going on, and at the end. Without, everything is gone when it ends.
    """
    from cli.up import run

    # a console of its own keeps writing here while a door runs and has its output captured
    told = dict(named(each) for each in parameter or ())
    raise typer.Exit(run(Console(file=sys.stdout), port, state, executor, faults, told))


@app.command()
def upload(
    files: Annotated[list[Path], typer.Argument(help="Sensor files or folders.", exists=True)],
    workload: Annotated[str, typer.Option(help="Whose recordings these are.")],
    unit: Annotated[str | None, typer.Option(help="Put the files under unit=<this>/.")] = None,
    under: Annotated[Under, typer.Option(help="What the files are.")] = Under.RAW,
) -> None:
    """Drop files into the data bucket of the cloud that `signalbox up` serves.

    Sensor files go under raw; registry and faults say what is known of the fleet; training, inference and
    ground-truth start pipelines.

    Example: signalbox upload abalone.csv --workload abalone --under training
    """
    from cli.up import upload as run

    raise typer.Exit(run(console, files, load(workload).name, unit, under.value))


@app.command()
def publish(
    model: Annotated[Path, typer.Option(help="Folder that holds model.onnx and model.json.")],
    workload: Annotated[
        str | None, typer.Option(help="Refuse a model that was trained for another one.")
    ] = None,
) -> None:
    """Put a trained model into service in the cloud that `signalbox up` serves: it scores from now on.

    The folder is packed and uploaded by version; a version stays what it was, so a changed model needs
    a new one in model.json.
    """
    from cli.publish import run

    raise typer.Exit(run(console, model, workload))


@app.command()
def trace(
    asked: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="A number from the list, an S3 key or its beginning, or an id of an event, request, "
            "message or job run.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a waterfall instead: one HTML file, no network.")
    ] = None,
    last: Annotated[int, typer.Option(help="How many rows or trees without an ID.", min=1)] = 30,
    everything: Annotated[
        bool, typer.Option("--all", help="Every request and log line, not their counts.")
    ] = False,
) -> None:
    """Show cause and effect: event, rule, delivery, invocation, calls, retries, dead letters.

    Without an ID: what came from outside of late, and how it ended. With one: the tree it belongs to,
    with virtual times from its beginning (+) and the real time things took. Reads the running cloud's
    trace, or the last one's. Exit code 1: nothing in it has this ID.

    Examples: signalbox trace; signalbox trace raw/hvac/unit=A1/; signalbox trace 17 --html trace.html
    """
    from cli.causes import run

    raise typer.Exit(run(console, asked, page=html, last=last, everything=everything))


@app.command()
def invoke(
    door: Annotated[str, typer.Argument(help="A door: on_sensor_file, or OnSensorFile.")],
    event: Annotated[str, typer.Argument(metavar="EVENT.json", help="A file, or - to read it.")],
    logs: Annotated[bool, typer.Option("--logs", help="Also what it logged, to stderr.")] = False,
    later: Annotated[
        bool, typer.Option("--async", help="Queue it, with retries, as events do; no answer.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Never wrap the event into a batch of its queue.")
    ] = False,
) -> None:
    """Invoke one door of the running cloud with an event of yours; prints its answer as JSON.

    Exit code 0: it answered. 1: the function failed; the end of its log goes to stderr. 2: no such door,
    no such file, not JSON.

    Samples of every event are under events/. Example:
    signalbox invoke on_backfill events/aws.s3/object-created.manifest.json --logs
    """
    from cli.doors import invoke as run

    raise typer.Exit(run(console, errors, door, event, logs=logs, later=later, raw=raw))


@app.command()
def logs(
    door: Annotated[str | None, typer.Argument(help="One door; all by default.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How long ago: 90s, 10m, 2h, 1d.")] = "1h",
) -> None:
    """Print what doors of the running cloud logged to CloudWatch, oldest first, times in UTC.

    Example: signalbox logs on_sensor_file --since 10m --follow
    """
    from cli.doors import logs as run

    raise typer.Exit(run(console, door, follow=follow, since=since))


@app.command("dead-letters")
def dead_letters() -> None:
    """Show what ended in dead-letter queues: what it is, why, since when, how often it was tried.

    Nothing is consumed or counted as a receive. Exit code 0: none. 1: there are some.
    """
    from cli.dead import dead_letters as run

    raise typer.Exit(run(console))


@app.command()
def redrive(
    queue: Annotated[
        str | None, typer.Argument(help="One dead-letter queue; all by default.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--max", help="At most so many messages.", min=1)
    ] = None,
) -> None:
    """Send dead letters back where they came from, oldest first, for another full round of tries.

    A message goes back to its queue as a new message (as SQS's StartMessageMoveTask does), an event to
    the target its rule could not reach, a failed invocation to its function. AWS offers only the first.
    Exit code 1: some had to stay; each is named with the reason.
    """
    from cli.dead import redrive as run

    raise typer.Exit(run(console, queue, most))


@app.command()
def alerts(
    workload: Annotated[str | None, typer.Option(help="Of this workload only.")] = None,
    still_open: Annotated[
        bool, typer.Option("--open", help="Only those that somebody still has to act on.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that is known of each, as one JSON array.")
    ] = False,
) -> None:
    """Show which units the running cloud warned of: dealer, risk, since when, what came of it.

    status: unsent (the topic has not taken it yet), open, closed (by feedback), or, once it could be judged
    by the fault log, true, late or false alarm.

    Exit code 0, also if there are none. 2: no cloud is up.

    Example: signalbox alerts --open --workload hvac
    """
    from cli.alerts import alerts as run

    raise typer.Exit(run(console, workload, still_open=still_open, as_json=as_json))


@app.command()
def feedback(
    episode: Annotated[str, typer.Argument(help="The alert, as its message and the list name it.")],
    verdict: Annotated[Answer, typer.Argument(help="What you found on site.")],
    note: Annotated[str | None, typer.Option(help="In your own words.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; you by default.")] = None,
) -> None:
    """Answer an alert of the running cloud: was there something, or was it a false alarm?

    A false alarm leaves the unit in peace for a while; a confirmed one stays silent until it is repaired. The
    latest answer counts. Exit code 0: it is on the bus. 2: there is no such alert, or no cloud is up.

    Example: signalbox feedback hvac-A1-0001 false-alarm --note "all in order" --by north
    """
    from cli.alerts import feedback as run

    raise typer.Exit(run(console, episode, verdict, note, by))
