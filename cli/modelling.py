"""Commands that make and use models on this machine: train, evaluate, export, score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()
app = typer.Typer(add_completion=False)

Folder = Annotated[
    Path, typer.Option("--model", help="Folder that `signalbox train` wrote.", exists=True)
]


@app.command()
def train(
    workload: Annotated[str, typer.Option(help="A workload with a section `prediction`.")],
    data: Annotated[Path, typer.Option(help="Cycle table, or folder of them.", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for dataset and model.")],
    faults: Annotated[
        Path | None, typer.Option(help="Fault log: unit, failed_at.", exists=True)
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="CSV unit,split; dealt by seed otherwise.", exists=True)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of split, weights and draws.", min=0)] = 0,
    epochs: Annotated[
        int | None, typer.Option(help="Another ceiling than the workload's.", min=1)
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="List unusable units and labels, do not refuse.")
    ] = False,
) -> None:
    """Learn to tell faults ahead: dataset, transformer, ONNX file, threshold.

    A run that was killed goes on from its last whole epoch when started again.

    Example: signalbox train --workload turbofan --data train_FD001.txt.gz --out turbofan
    """
    from cli.models import train as run
    from jobs.dataset.build import Sources

    sources = Sources(data, faults, split, seed, leave_out)
    run(console, workload, sources, out, seed=seed, epochs=epochs)


@app.command()
def evaluate(
    model: Folder,
    seed: Annotated[int, typer.Option(help="Of drawn cycles and bootstrap.", min=0)] = 0,
) -> None:
    """Judge a model on its test units: alerts, not lucky hits, beside constants and baselines.

    Writes evaluation.json and evaluation.html into the model's folder.
    """
    from cli.models import evaluate as run

    run(console, model, seed)


@app.command()
def score(
    model: Folder,
    cycles: Annotated[Path, typer.Option(help="Cycle table, or folder of them.", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file to write.")],
    faults: Annotated[
        Path | None,
        typer.Option(help="Fault log; a unit begins anew after each of its faults.", exists=True),
    ] = None,
) -> None:
    """Give the probability of a fault within the horizon at every cycle, from the first on.

    Columns unit, cycle, probability. Each row is made from its cycle and earlier ones only.

    Example: signalbox score --model turbofan --cycles flights.csv --out scores.parquet
    """
    from cli.models import score as run

    run(console, model, cycles, out, faults)


@app.command()
def export(
    model: Folder,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also try weights of eight bits, kept if fit.")
    ] = False,
) -> None:
    """Make model.onnx again from the checkpoint and prove that it says what the trained one says."""
    from cli.models import export as run

    run(console, model, int8=int8)
