"""The page of an evaluation: one HTML file that holds all it shows, for reading without a network.

What is shown is made ready here, as plain values; ``page.html`` puts it in order and escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobs.evaluation import plots
from jobs.evaluation.run import MODEL, Evaluation

CONSTANTS = ("always", "never")
COUNTS = ("alerts", "true", "late", "false", "missed", "quiet")
RATES = ("precision", "effective_precision", "recall")
NONE = "–"
Shown = Mapping[str, str]


def write_page(found: Evaluation, path: Path) -> None:
    """Write the page of an evaluation; equal evaluations give equal bytes.

    Args:
        found: what :func:`jobs.evaluation.run.evaluate` found.
        path: the HTML file; its folder is made where it is missing.
    """
    told = found.report["signalbox"]
    shown = _template().render(
        title="What the model’s warnings would have been worth",
        model=MODEL,
        told=told,
        story=_story(told),
        figures=_figures(told),
        reach={name: _lasting(told[name], told["time"]) for name in ("horizon", "grace")},
        alerts=[_alert_row(name, row, told["time"]) for name, row in told["alerts"].items()],
        void_alerts=_void_alerts(told["alerts"]),
        lives=len(found.lives[MODEL]),
        cases=_cases(found),
        images=_images(found),
        chosen=_chosen(found),
        per_unit=f"{found.data.manifest['prediction']['samples']:,}",
        ranking=[_ranking_row(name, told) for name in told["alerts"] if name not in CONSTANTS],
        verdicts=[_verdict(name, each) for name, each in told["auc_difference"].items()],
        singles=_singles(found.report["binary_classification_metrics"], told),
        brier_of_share=_brier_of_share(told),
        facts=_facts(found),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shown, encoding="utf-8", newline="\n")


def _template() -> Any:
    """``page.html``; read as a resource, since the program may run from an archive."""
    return Environment(
        loader=FunctionLoader(lambda name: (files(__package__) / name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")


def _lasting(number: float, unit: str) -> str:
    return f"{number:g} {unit.removesuffix('s') if number == 1 else unit}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _story(told: Mapping[str, Any]) -> str:
    """What the warnings were worth, in one or two sentences."""
    row = told["alerts"][MODEL]
    if not row["alerts"]:
        return f"It warned of nothing: {_counted(row['failed'], 'fault')}, no alert."
    said = (
        f"{row['true']:,} of {_counted(row['alerts'], 'alert')} came true, and "
        f"{row['true']:,} of {_counted(row['failed'], 'fault')} had a warning in time"
    )
    if row["median_lead"] is not None:
        said += f", the median one {_lasting(round(row['median_lead']), told['time'])} ahead"
    return f"{said}."


def _figures(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    row = told["alerts"][MODEL]
    rates = [(name.replace("_", " "), plots.between(row[name], None)) for name in RATES]
    lead = row["median_lead"]
    return [
        *rates,
        ("median lead", NONE if lead is None else _lasting(round(lead), told["time"])),
        ("test units", f"{told['units']['test']:,}"),
        ("AUC of single predictions", plots.between(row["auc"], None, 3)),
    ]


def _shown(value: float | None, ends: Sequence[float] | None, digits: int = 2) -> Shown:
    interval = "" if value is None else plots.between(value, ends, digits).partition(" ")[2]
    return {"value": plots.between(value, None, digits), "interval": interval}


def _kind(name: str) -> str:
    return "model" if name == MODEL else "constant" if name in CONSTANTS else "baseline"


def _threshold(value: float) -> str:
    """Three digits, but never a 1, which no probability reaches."""
    return ">0.999" if value >= 0.9995 else f"{value:.3f}"


def _alert_row(name: str, row: Mapping[str, Any], unit: str) -> Mapping[str, Any]:
    ends = row.get("intervals", {})
    lead = row["median_lead"]
    return {
        "name": name,
        "kind": _kind(name),
        "threshold": NONE if row["threshold"] is None else _threshold(row["threshold"]),
        "counts": [f"{row[count]:,}" for count in COUNTS],
        "rates": [_shown(row[rate], ends.get(rate)) for rate in RATES],
        "lead": NONE if lead is None else _lasting(round(lead), unit),
    }


def _void_alerts(rows: Mapping[str, Any]) -> str:
    """Which alert figures a constant wins on these units."""
    ours = rows[MODEL]
    void = [
        f"{rate.replace('_', ' ')} ({who})"
        for rate in RATES
        if (who := _winner(ours[rate], {name: rows[name][rate] for name in CONSTANTS}))
    ]
    if not void:
        return "On these units neither wins precision, effective precision or recall."
    return f"On these units that is so for {', '.join(void)}."


def _winner(ours: float | None, constants: Mapping[str, float | None]) -> str:
    """The constant that does as well or better, if one does."""
    known = {name: value for name, value in constants.items() if value is not None}
    best = max(known, key=lambda name: known[name], default="")
    return best if best and known[best] >= (ours or 0.0) else ""


def _cases(found: Evaluation) -> list[Mapping[str, Any]]:
    return [
        {
            "name": case.name, "count": case.count, "unit": case.unit, "said": case.said,
            "meaning": plots.MEANINGS[case.name], "image": _safe(case.image),
        }
        for case in plots.cases(found)
    ]  # fmt: skip


def _images(found: Evaluation) -> Mapping[str, Markup]:
    return {
        "sweep": _safe(plots.sweep(found)),
        "leads": _safe(plots.lead_times(found)),
        "roc": _safe(plots.roc(found)),
        "calibration": _safe(plots.calibrated(found)),
    }


def _safe(image: str | None) -> Markup:
    return Markup(image or "")  # noqa: S704 - our own drawing, in which text is escaped


def _chosen(found: Evaluation) -> str:
    asked = found.data.manifest["prediction"]
    threshold = found.schema.threshold
    if threshold == asked["threshold"]:
        return (
            f"The threshold {threshold:g} is the workload’s own, which stands where none is right for "
            f"{asked['precision']:.0%} of the alerts on the validation units."
        )
    return (
        f"The threshold {threshold:.6g} was chosen on the validation units: of those right for at least "
        f"{asked['precision']:.0%} of the alerts there, one that catches most faults."
    )


def _ranking_row(name: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    row, differs = told["alerts"][name], told["auc_difference"].get(name)
    difference = _shown(None, None)
    if differs is not None:
        difference = _shown(differs["mean"], (differs["low"], differs["high"]), 3)
    return {
        "name": name,
        "kind": _kind(name),
        "auc": _shown(row["auc"], row["auc_interval"], 3),
        "difference": difference,
    }


def _verdict(name: str, difference: Mapping[str, float | None]) -> str:
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return f"Against {name} nothing can be said."
    if low > 0:
        return f"It ranks better than {name}."
    if high < 0:
        return f"It ranks worse than {name}."
    return f"The interval against {name} holds zero: these units show no difference."


def _singles(quality: Mapping[str, Any], told: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """Figures of single predictions beside those of the constants."""
    share = told["positives"] / told["predictions"]
    constants: dict[str, tuple[float, float | None]] = {
        "accuracy": (share, 1 - share),
        "precision": (share, None),
        "recall": (1.0, 0.0),
        "f1": (2 * share / (1 + share), 0.0),
    }
    rows: list[Mapping[str, str]] = []
    for name, (always, never) in constants.items():
        ours = quality[name]["value"]
        rows.append(
            {
                "name": name.upper() if name == "f1" else name,
                "model": plots.between(ours, None),
                "always": plots.between(always, None),
                "never": plots.between(never, None),
                "void": _winner(ours, {"always": always, "never": never}),
            }
        )
    return rows


def _brier_of_share(told: Mapping[str, Any]) -> str:
    share = told["positives"] / told["predictions"]
    return f"{share * (1 - share):.3f}"


def _facts(found: Evaluation) -> list[tuple[str, str, bool]]:
    """Label, value, and whether it is to be read letter by letter."""
    told = found.report["signalbox"]
    units = told["units"]
    return [
        ("Workload", told["workload"], False),
        ("Model", told["model"], True),
        ("Dataset", told["dataset"], True),
        ("Units", ", ".join(f"{units[split]:,} {split}" for split in units), False),
        ("Lives judged", f"{len(found.lives[MODEL]):,}, of {told['units']['test']:,} units", False),
        ("Predictions", f"{told['predictions']:,}, {told['positives']:,} of them positive", False),
        ("Horizon", _lasting(told["horizon"], told["time"]), False),
        ("Grace", _lasting(told["grace"], told["time"]), False),
        ("Threshold", f"{told['threshold']:.6g}, set on validation units", False),
        ("Intervals", f"{told['bootstrap']['draws']:,} draws of {told['bootstrap']['over']}", False),
        ("Seed", str(told["seed"]), False),
    ]  # fmt: skip
