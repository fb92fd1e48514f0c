"""``signalbox train``, ``evaluate``, ``export`` and ``score``: models on this machine, no cloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from cli.tables import Counting
from cli.workloads import load
from cycles import BadHistory
from cycles.history import Sequences
from jobs.dataset.build import Sources, build
from jobs.dataset.tables import faults_from, histories, table_files
from jobs.evaluation.page import write_page
from jobs.evaluation.run import Evaluation
from jobs.evaluation.run import evaluate as run_evaluation
from jobs.faults.score import AT_A_TIME, NEVER, Scorer
from jobs.training.export import quantize, raw_windows
from jobs.training.model import ARCHITECTURE
from jobs.training.run import CHECKPOINT, learn
from jobs.training.train import Epoch, begun, draw, read_checkpoint
from signalbox.adapters.onnx_model import read_schema, refuse_mismatch
from signalbox.contracts.model_schema import ONNX, ModelSchema
from signalbox.contracts.prediction import Prediction
from signalbox.errors import Rejected

DATASET, EVALUATION, PAGE = "dataset", "evaluation.json", "evaluation.html"


def train(
    console: Console, workload: str, sources: Sources, out: Path, *, seed: int, epochs: int | None
) -> ModelSchema:
    """Dataset, training, export: everything a model folder holds."""
    told = load(workload)
    if epochs is not None and told.prediction is not None:
        training = told.prediction.training.model_copy(update={"epochs": epochs})
        prediction = told.prediction.model_copy(update={"training": training})
        told = told.model_copy(update={"prediction": prediction})
    data = build(told, sources, out / DATASET)
    prediction = Prediction.model_validate(data.manifest["prediction"])
    dealt = ", ".join(f"{len(data.members(s))} {s}" for s in ("train", "validation", "test"))
    console.print(
        f"dataset  {len(data.units)} units ({dealt}), {len(data.times):,} cycles x "
        f"{data.features.shape[1]} features", highlight=False,
    )  # fmt: skip
    for line in data.manifest["left_out"]:
        console.print(f"left out {line}", markup=False)
    if (out / CHECKPOINT).is_file():
        console.print("a checkpoint is there; it goes on from it if data and settings are the same")
    with Counting(console, "epochs (ceiling)", prediction.training.epochs) as counting:

        def heard(epoch: Epoch) -> None:
            console.print(epoch.line(), highlight=False, markup=False)
            counting.step(f"validation AUC {epoch.validation_auc:.4f}")

        schema = learn(data, out, seed, heard)
    console.print(
        f"model    [bold]{out}[/] version {schema.version}, warns from {schema.threshold:.4f} on",
        highlight=False,
    )
    return schema


def evaluate(console: Console, folder: Path, seed: int) -> Evaluation:
    """Judge a model folder on its test units; writes evaluation.json and evaluation.html."""
    import json

    data = Sequences.read(folder / DATASET)
    with console.status("evaluating") as status:
        found = run_evaluation(folder, data, seed, status.update)
    _replace(folder / EVALUATION, json.dumps(found.report, indent=1).encode())
    write_page(found, folder / PAGE)
    console.print(alert_table(found))
    for name, gap in found.report["signalbox"]["auc_difference"].items():
        if gap["mean"] is not None:
            console.print(
                f"AUC minus {name}: {gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}]",
                highlight=False, markup=False,
            )  # fmt: skip
    console.print(f"figures  [bold]{folder / EVALUATION}[/]")
    console.print(f"page     [bold]{folder / PAGE}[/]")
    return found


def alert_table(found: Evaluation) -> RichTable:
    """Who warned how well, the constants included."""
    told = found.report["signalbox"]
    title = f"Test units, horizon {told['horizon']:g} {told['time']}"
    table = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading in ("AUC", "alerts", "true", "late", "false", "missed", "prec.", "eff.", "recall",
                    "lead"):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in told["alerts"].items():
        table.add_row(
            name, _rate(row["auc"], 4),
            *(str(row[k]) for k in ("alerts", "true", "late", "false", "missed")),
            *(_rate(row[k], 3) for k in ("precision", "effective_precision", "recall")),
            _rate(row["median_lead"], 1),
        )  # fmt: skip
    return table


def _rate(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def score(
    console: Console, folder: Path, cycles: Path, out: Path, faults: Path | None = None,
    batch: int = AT_A_TIME,
) -> int:  # fmt: skip
    """Score every cycle of every unit from what was known at it; the number of rows written."""
    scorer = Scorer.open(folder)
    schema = scorer.schema
    workload = load(schema.workload)
    refuse_mismatch(schema, workload.name, schema.columns)
    units: list[str] = []
    numbers: list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = []
    said: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    files = table_files(cycles)
    logged = {} if faults is None else faults_from(faults, workload)
    with Counting(console, "scoring units", 0) as counting:
        for history in histories(files, workload, schema.columns):
            failed = logged.get(history.unit, NEVER)
            said.append(scorer.probabilities(history, failed, batch=batch))
            units.extend([history.unit] * len(history.times))
            numbers.append(history.cycles)
            counting.step(history.unit)
    if not units:
        raise Rejected("no-unit", f"{cycles} holds no unit with a cycle")
    table = pa.table({
        "unit": _units(units),
        "cycle": np.concatenate(numbers),
        "probability": np.concatenate(said),
    })  # fmt: skip
    fresh = out.with_name(f".{out.name}.fresh")
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, fresh, compression="zstd")
    fresh.replace(out)
    console.print(f"{table.num_rows:,} cycles of {len(set(units))} units -> [bold]{out}[/]")
    return len(table)


def _units(names: list[str]) -> pa.Array:
    """Whole numbers where all names are such, as the tables of others have them; else text."""
    plain = all(name.isdigit() and str(int(name)) == name for name in set(names))
    return pa.array([int(n) for n in names], pa.int64()) if plain else pa.array(names)


def export(console: Console, folder: Path, *, int8: bool) -> None:
    """Make model.onnx again from the checkpoint, prove that it is the same, and try int8 if asked."""
    import torch

    from jobs.training.export import export as write_onnx
    from jobs.training.export import parity
    from jobs.training.run import parity_line

    schema, data = read_schema(folder), Sequences.read(folder / DATASET)
    prediction = Prediction.model_validate(data.manifest["prediction"])
    learning = begun(data, prediction, 0, torch.device("cpu"))
    held = read_checkpoint(folder / CHECKPOINT)
    if not held["run"].startswith(f"{ARCHITECTURE}/{data.manifest['digest']}/"):
        raise BadHistory(
            "other-checkpoint",
            f"{folder / CHECKPOINT} is of another network or dataset than {folder / DATASET}; train again",
        )
    learning.model.load_state_dict(held["best"])
    fresh = folder / f".fresh-{ONNX}"
    write_onnx(learning.model, data.standard, data.features.shape[1], fresh)
    _, rows = draw(data, prediction, "validation", np.random.default_rng(0))
    some = np.linspace(0, len(rows) - 1, min(len(rows), 2048)).astype(int)
    windows, valid = raw_windows(data, rows[some], prediction.window)
    found = parity(learning.model, data.standard, fresh, schema.threshold, windows, valid)
    fresh.replace(folder / ONNX)
    console.print(parity_line(found), highlight=False)
    if int8:
        small, share, accepted = quantize(folder / ONNX, schema.threshold, windows, valid)
        verdict = f"[bold]{small}[/]" if accepted else "not accepted, removed"
        console.print(f"int8: {share:.2%} of decisions on validation change; {verdict}")


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.write_bytes(content)
    fresh.replace(path)
