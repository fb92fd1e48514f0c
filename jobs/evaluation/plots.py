"""The pictures of an evaluation, each one SVG element for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from cycles.history.alerts import Ending, Episode, ending
from jobs.evaluation.run import MODEL, Evaluation
from jobs.evaluation.svg import COLOURS, SIZE, drawing, inline, printable

LINES = (COLOURS["model"], COLOURS["second"], COLOURS["third"])
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)))
BARS = 15
CURVE_POINTS = 400
CASES = ("true", "false or late", "missed", "quiet")
MEANINGS = {
    "true": "the alert came, and within the horizon the fault",
    "false or late": "the alert came, but no fault within the horizon",
    "missed": "the fault came without an alert",
    "quiet": "neither alert nor fault",
}
NOT_SEEN = {
    "true": "No alert on the test units was followed by a fault within the horizon.",
    "false or late": "No alert on the test units was false or late.",
    "missed": "No fault of the test units came without an alert.",
    "quiet": "No test unit went without both alert and fault: each failed or was warned of.",
}


@dataclass(frozen=True)
class Case:
    """One of the four endings: a life of the test split that ended so, and its picture, if there is one.

    Attributes:
        name: one of :data:`CASES`.
        count: how many lives of the test split ended so.
        unit: name of the one drawn; empty where there is none.
        image: SVG, or empty.
        said: what it shows, or that there is none.
    """

    name: str
    count: int
    unit: str
    image: str
    said: str


def between(value: float | None, ends: Sequence[float] | None, digits: int = 2) -> str:
    """A figure with its interval, or a dash where it is not known."""
    if value is None:
        return "–"
    said = f"{value:.{digits}f}"
    if ends is not None:
        said += f" [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
    return said.replace("-", "\N{MINUS SIGN}")


def roc(found: Evaluation) -> str | None:
    """ROC of all contenders over single predictions; None where the test split knows one label only."""
    labels = found.test.labels
    if len(np.unique(labels)) < 2:
        return None
    rows = found.report["signalbox"]["alerts"]
    with drawing("roc"):
        figure, axes = _empty("false positive rate", "true positive rate")
        axes.plot([0, 1], [0, 1], color=COLOURS["rest"], lw=0.8)
        for each, colour, dash in zip(found.contenders, LINES, DASHES, strict=False):
            false, true, _ = roc_curve(labels, each.test)
            row = rows[each.name]
            label = f"{each.name}: AUC {between(row['auc'], row['auc_interval'], 3)}"
            keep = np.linspace(0, len(false) - 1, min(len(false), CURVE_POINTS)).astype(int)
            axes.plot(false[keep], true[keep], color=colour, ls=dash, lw=1.6, label=label)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))
        axes.legend(loc="lower right")
        return inline(figure, "roc", "ROC curves of the model and of both baselines")


def sweep(found: Evaluation) -> str:
    """Alert rates against the threshold, the chosen one marked."""
    told = found.report["signalbox"]
    points = told["sweep"]
    at = [point["threshold"] for point in points]
    with drawing("sweep"):
        figure, axes = _empty("threshold", "share")
        names, widths = ("precision", "effective_precision", "recall"), (2.6, 1.6, 1.6)
        for name, colour, dash, width in zip(names, LINES, DASHES, widths, strict=True):
            values = [np.nan if point[name] is None else point[name] for point in points]
            label = name.replace("_", " ")
            axes.plot(
                at, values, color=colour, ls=dash, lw=width, drawstyle="steps-pre", label=label
            )
        axes.axvline(told["threshold"], color=COLOURS["signal"], lw=1.2)
        left = told["threshold"] > 0.5
        axes.annotate(
            f"chosen: {told['threshold']:.3g}", (told["threshold"], 1.06), (-4 if left else 4, 0),
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
            ha="right" if left else "left", color=COLOURS["signal"], annotation_clip=False,
        )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.04))
        figure.legend(loc="outside lower center", ncols=3)
        return inline(figure, "sweep", "Precision, effective precision and recall by threshold")


def cases(found: Evaluation) -> list[Case]:
    """The four cases, each drawn for a life of the test split: of those alike, the middle one by peak."""
    told = found.report["signalbox"]
    limits = (told["threshold"], told["horizon"], told["grace"])
    ended: Mapping[str, list[tuple[Episode, Ending]]] = {name: [] for name in CASES}
    for life in found.lives[MODEL]:
        end = ending(life, *limits)
        name: str = end.case if end.case in CASES else "false or late"
        ended[name].append((life, end))
    made = []
    for k, (name, lives) in enumerate(ended.items()):
        if not lives:
            made.append(Case(name, 0, "", "", NOT_SEEN[name]))
            continue
        lives.sort(key=lambda each: (float(each[0].probabilities.max()), each[0].unit))
        life, end = lives[len(lives) // 2]
        unit, said = found.data.units[life.unit], _said(life, end, told)
        image = _life(life, end, told, f"case{k}", f"{name}: unit {unit}. {said}")
        made.append(Case(name, len(lives), unit, image, said))
    return made


def _said(life: Episode, end: Ending, told: Mapping[str, Any]) -> str:
    time = told["time"]
    peak = f"the probability peaked at {float(life.probabilities.max()):.3f}"
    if end.alert is None:
        return f"The unit failed and {peak}." if end.failed else f"No fault; {peak}."
    if life.fault is None:
        return "The alert was followed by no fault."
    lead = f"The alert came {life.fault - end.alert:.0f} {time} before the fault"
    inside = {
        "true": "within the horizon", "late": "within the grace after the horizon",
        "false": "longer than horizon and grace",
    }  # fmt: skip
    return f"{lead}, {inside[end.case]}."


def _life(life: Episode, end: Ending, told: Mapping[str, Any], name: str, label: str) -> str:
    """Probability over time, the threshold, the horizon before the fault, the alert."""
    days = told["time"] == "days"
    zero = float(life.times[0]) if days else 0.0  # a date says less than how long it was watched
    times = life.times - zero
    with drawing(name):
        figure, axes = _empty("days since first seen" if days else "cycle", "probability")
        last = float(times[-1])
        if life.fault is not None:
            fault = life.fault - zero
            start, early = fault - told["horizon"], fault - told["horizon"] - told["grace"]
            axes.axvspan(start, fault, color=COLOURS["shade"], lw=0)
            axes.axvspan(early, start, color=COLOURS["grace"], lw=0)
            axes.axvline(fault, color=COLOURS["ink"], lw=1.4)
            _above(axes, fault, "fault", "left", COLOURS["ink"])
            last = max(last, fault)
        axes.axhline(told["threshold"], color=COLOURS["signal"], lw=1, ls=(0, (5, 3)))
        axes.plot(times, life.probabilities, ".-", color=COLOURS["model"], lw=1.2, ms=3.5)
        if end.alert is not None:
            at = int(np.flatnonzero(life.times == end.alert)[0])
            hit = times[at], life.probabilities[life.times == end.alert].max()
            axes.plot(*hit, "o", color=COLOURS["signal"], ms=7, zorder=5)
            _above(
                axes, hit[0], "alert", "right" if hit[0] > last / 8 else "left", COLOURS["signal"]
            )
            axes.plot([hit[0]] * 2, [hit[1], 1.05], color=COLOURS["signal"], lw=0.8)
        room = 0.02 * (last - float(times[0]) + 1)
        axes.set(xlim=(float(times[0]) - room, last + room), ylim=(-0.02, 1.05))
        return inline(figure, name, printable(label))


def lead_times(found: Evaluation) -> str | None:
    """How long before the fault true alerts came; None where there was none."""
    told = found.report["signalbox"]
    leads = told["lead_times"]
    if not leads:
        return None
    with drawing("leads"):
        figure, axes = _empty(f"{told['time']} from alert to fault", "true alerts")
        edges = np.linspace(0, told["horizon"], min(BARS, max(2, int(told["horizon"]))) + 1)
        axes.hist(leads, edges.tolist(), color=COLOURS["model"], rwidth=0.9)
        middle = float(np.median(leads))
        axes.axvline(middle, color=COLOURS["signal"], lw=1.2)
        side = "right" if middle > told["horizon"] / 2 else "left"
        _above(axes, middle, f"median {middle:.0f}", side, COLOURS["signal"])
        axes.set_xlim(0, told["horizon"])
        axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
        return inline(figure, "leads", f"Lead times of {len(leads)} true alerts")


def calibrated(found: Evaluation) -> str:
    """What was said against what came, the size of a dot by how many predictions stand behind it."""
    bins = found.report["signalbox"]["calibration"]
    most = max(each["count"] for each in bins)
    with drawing("calibration"):
        figure, axes = _empty("probability said, on average", "share that came true")
        axes.plot([0, 1], [0, 1], color=COLOURS["rest"], lw=0.8)
        said, came = [each["said"] for each in bins], [each["came"] for each in bins]
        sizes = [12 + 150 * each["count"] / most for each in bins]
        axes.plot(said, came, color=COLOURS["model"], lw=1)
        axes.scatter(said, came, s=sizes, color=COLOURS["model"], lw=0, zorder=3)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.05, 1.05))
        return inline(figure, "calibration", "Calibration of the model's probabilities")


def _empty(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up)
    axes.grid(axis="y", color=COLOURS["line"], lw=0.6)
    return figure, axes


def _above(axes: Axes, x: float, text: str, side: str, colour: str) -> None:
    axes.annotate(
        text, (x, 1), (-4 if side == "right" else 4, 3), xycoords=("data", "axes fraction"),
        textcoords="offset points", ha=side, va="bottom", color=colour, annotation_clip=False,
    )  # fmt: skip
