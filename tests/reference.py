"""An independent reading of the cycle rules: plain loops, float64, no code of the kernels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def segments(times: Sequence[int], max_gap_ns: int) -> list[range]:
    out, start = [], 0
    for i in range(1, len(times) + 1):
        if i == len(times) or times[i] - times[i - 1] > max_gap_ns:
            out.append(range(start, i))
            start = i
    return out


def states(signal: Sequence[float], running: Mapping[str, Any]) -> list[bool]:
    """On or off for each row of one segment, off until something says otherwise."""
    on, out = False, []
    for value in signal:
        if running.get("status"):
            if not math.isnan(value):
                on = value in running["status"]["on"]
        elif "above" in running:
            release = running.get("release", running["above"])
            on = True if value > running["above"] else False if value <= release else on
        else:
            release = running.get("release", running["below"])
            on = True if value < running["below"] else False if value >= release else on
        out.append(on)
    return out


def cycles(
    times: Sequence[int], columns: Mapping[str, Sequence[float]], workload: Mapping[str, Any]
) -> list[Row]:
    """Cycles of one unit's whole recording, times in ns."""
    rules = workload["cycles"]
    name = (
        rules["running"]["status"]["column"]
        if rules["running"].get("status")
        else rules["running"]["signal"]
    )
    found: list[tuple[int, int]] = []
    for segment in segments(times, round(rules["max_gap_s"] * 1e9)):
        on = states([columns[name][i] for i in segment], rules["running"])
        runs: list[list[int]] = []
        for i, running in zip(segment, on, strict=True):
            if running and runs and runs[-1][1] == i - 1:
                runs[-1][1] = i
            elif running:
                runs.append([i, i])
        joined: list[list[int]] = []
        for a, b in runs:
            if joined and times[a] - times[joined[-1][1]] < rules.get("min_off_s", 0) * 1e9:
                joined[-1][1] = b
            else:
                joined.append([a, b])
        found += [
            (a, b) for a, b in joined if times[b] - times[a] >= rules.get("min_on_s", 0) * 1e9
        ]
    return [_row(times, columns, workload, a, b) for a, b in found]


def _row(
    times: Sequence[int],
    columns: Mapping[str, Sequence[float]],
    workload: Mapping[str, Any],
    a: int,
    b: int,
) -> Row:
    row: Row = {"start": times[a], "end": times[b], "rows": b - a + 1}
    for sensor in workload["sensors"]:
        values = columns[sensor["name"]]
        pairs = [
            ((times[i] - times[a]) / 1e9, float(values[i]))
            for i in range(a, b + 1)
            if not math.isnan(values[i])
        ]
        stats = statistics(pairs)
        if "above" in sensor:
            over = [times[i + 1] - times[i] for i in range(a, b) if values[i] > sensor["above"]]
            stats["above_s"] = sum(over) / 1e9 if pairs else math.nan
        for stat in sensor.get("statistics", workload.get("statistics")):
            row[f"{sensor['name']}__{stat}"] = stats[stat]
    return row


def statistics(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    n = len(pairs)
    if n == 0:
        return {"n": 0} | dict.fromkeys(
            ("mean", "std", "min", "max", "first", "last", "slope"), math.nan
        )
    xs = [x for _, x in pairs]
    mean = math.fsum(xs) / n
    squares = math.fsum((x - mean) ** 2 for x in xs)
    t_mean = math.fsum(t for t, _ in pairs) / n
    t_squares = math.fsum((t - t_mean) ** 2 for t, _ in pairs)
    both = math.fsum((t - t_mean) * (x - mean) for t, x in pairs)
    return {
        "n": n,
        "mean": mean,
        "std": math.sqrt(squares / (n - 1)) if n > 1 else math.nan,
        "min": min(xs),
        "max": max(xs),
        "first": xs[0],
        "last": xs[-1],
        "slope": both / t_squares if t_squares > 0 else math.nan,
    }


EXACT = ("n", "min", "max", "first", "last", "above_s")
RELATIVE = {"mean": 1e-6, "std": 1e-4, "slope": 1e-5}


def differences(row: Row, expected: Row, scales: Mapping[str, float] | None = None) -> list[str]:
    """Where a result row leaves the stated tolerances; a scale says below which size rounding counts."""
    out = [
        f"{k}: {row[k]} != {expected[k]}" for k in ("start", "end", "rows") if row[k] != expected[k]
    ]
    for name, want in expected.items():
        if "__" not in name:
            continue
        got = math.nan if row[name] is None else row[name]
        stat = name.rsplit("__", 1)[1]
        if math.isnan(want) or math.isnan(got):
            ok = math.isnan(want) and math.isnan(got)
        elif stat in EXACT:
            ok = got == want
        else:
            floor = (scales or {}).get(name, 0.0)
            ok = abs(got - want) <= RELATIVE[stat] * max(abs(want), floor)
        if not ok:
            out.append(f"{name}: {got!r}, expected {want!r}")
    return out
