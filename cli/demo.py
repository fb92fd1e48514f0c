"""``signalbox demo``: the whole chain before one's eyes."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from cli.chain import Bucket, running
from cli.features import Outcome, write
from cli.foresight import foresee
from cli.journeys import Journey, journeys
from cli.page import write_page
from cli.plots import DaySample
from cli.recordings import Drop, found, simulated
from cli.tables import Counting, paths, rejections, units
from cli.workloads import load, spec_of
from localcloud import Chaos, Cloud
from localcloud.journal import Record

SHOWN_PATHS = 12


def run(
    console: Console,
    *,
    out: Path,
    data: Path | None,
    units: int,
    days: int,
    seed: int,
    executor: str = "inprocess",
    chaos: Chaos | None = None,
) -> int:
    """Run the demo and return the exit code: 0 if every file ended where it should."""
    began = time.monotonic()
    drops = _recordings(console, out, data, units, days, seed)
    if not drops:
        console.print("[red]No sensor file that one of the workloads can read.[/]")
        return 2
    with running(out / "trace.jsonl", executor=executor, checked=True, chaos=chaos) as cloud:
        console.print(f"template.yaml deployed locally: {len(cloud.stack.resources)} resources")
        bucket = Bucket(cloud.client("s3"), cloud.physical_id("DataBucket"))
        _drop_all(console, bucket, drops, simulated_fleet=data is None)
        _watch(console, cloud, len(drops))
        told = journeys(cloud.journal)
        reasons = {key: note["message"] for key, note in bucket.rejections().items()}
        pages, contradicted = _publish(console, out, bucket, drops, told)
        reasons |= contradicted
        if data is None:
            console.print("A model learns from a fleet, and is asked about two more units:")
            foresee(console, cloud, bucket, out)
    console.print(paths(_telling(told)))
    if reasons:
        console.print(rejections(reasons))
    for page in pages:
        console.print(f"page     [bold]{page}[/]")
    console.print(f"trace    [bold]{out / 'trace.jsonl'}[/]")
    console.print(f"{len(drops)} files in {time.monotonic() - began:.1f} s")
    lost = [j.key for j in told if j.outcome not in ("features", "rejected")]
    if lost:
        console.print(f"[red]Without an end: {', '.join(lost)}[/]")
    return 1 if lost else 0


def _recordings(
    console: Console, out: Path, data: Path | None, units: int, days: int, seed: int
) -> list[Drop]:
    if data is not None:
        drops, strangers = found(data)
        if strangers:
            console.print(
                f"{len(strangers)} files are no recording of any workload and stay where they are"
            )
        return drops
    with Counting(console, "simulating unit-days", units * days) as counting:
        return simulated(
            out / "simulated", units, days, seed, lambda *step: counting.step(step[2].name)
        )


def _drop_all(
    console: Console, bucket: Bucket, drops: Sequence[Drop], *, simulated_fleet: bool
) -> None:
    """Drop every file; of a simulated fleet the first day comes as history, and one file comes torn."""
    first = min(drop.path.name for drop in drops)
    old = [d for d in drops if simulated_fleet and d.path.name == first and len(drops) > 1]
    with Counting(console, "dropping files", len(drops)) as counting:
        for drop in drops:
            room = "history/" if drop in old else "raw/"
            bucket.drop(drop.path, drop.key.replace("raw/", room, 1))
            counting.step(drop.key)
    if simulated_fleet:
        body = drops[0].path.read_bytes()
        bucket.write("raw/hvac/unit=torn/upload-broke-off.parquet", body[: len(body) // 2])
    if old:
        names = [drop.key.replace("raw/", "history/", 1) for drop in old]
        bucket.write(
            "backfill/first-day.json", json.dumps({"workload": "hvac", "keys": names}).encode()
        )


def _watch(console: Console, cloud: Cloud, files: int) -> None:
    """Let the cloud work until nothing is left to do, telling each outcome as it comes."""
    counts: Counter[str] = Counter()

    def tell(record: Record) -> None:
        if record.kind == "event" and record.detail.get("source") == "signalbox":
            counts[record.name] += 1
            about = (record.detail["detail"].get("source") or {}).get("key", "")
            console.print(f"  {record.name:<20} {about}", highlight=False, markup=False)
        elif record.kind == "job":
            console.print(f"  {record.name} {record.status}", highlight=False, markup=False)
        elif record.kind == "dead-letter":
            console.print(f"  [red]dead letter[/] {record.name}")

    console.print(f"{files} files are in; the chain runs:")
    cloud.run_until_idle(tell)
    console.print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))


def _publish(
    console: Console, out: Path, bucket: Bucket, drops: Sequence[Drop], told: Sequence[Journey]
) -> tuple[list[Path], dict[str, str]]:
    """Write features and a page for each workload; say which files others contradict, and how."""
    pages: list[Path] = []
    contradicted: dict[str, str] = {}
    for name, own in _by_workload(drops).items():
        workload = load(name)
        outcome = bucket.features(name, spec_of(workload))
        target = out / f"features-{name}.parquet"
        write(outcome.table, target)
        console.print(units(outcome.table, title=f"Cycles per unit, workload {name}"))
        console.print(f"features [bold]{target}[/] ({outcome.table.num_rows} cycles)")
        page = out / f"{name}.html"
        left_out = {key: problem.message for key, problem in outcome.rejected.items()}
        contradicted |= left_out
        manifests = "backfill/" if name == "hvac" else f"raw/{name}/"
        own_paths = [
            replace(j, outcome="rejected", message=left_out[j.key]) if j.key in left_out else j
            for j in told
            if j.key.startswith((f"raw/{name}/", manifests))
        ]
        write_page(
            page,
            title=f"{name}: from sensor files to cycle features",
            workload=workload,
            table=outcome.table,
            day=_sample(own, outcome, told),
            journeys=own_paths,
            facts=_facts(own, own_paths),
        )
        pages.append(page)
    return pages, contradicted


def _by_workload(drops: Sequence[Drop]) -> dict[str, list[Drop]]:
    by_name: dict[str, list[Drop]] = defaultdict(list)
    for drop in drops:
        by_name[drop.workload].append(drop)
    return dict(by_name)


def _sample(drops: Sequence[Drop], outcome: Outcome, told: Sequence[Journey]) -> DaySample | None:
    """A file to draw: the first of those that held the most cycles."""
    held = {j.key: j for j in told if j.outcome == "features" and j.units}
    best = max(
        (d for d in drops if d.key in held), key=lambda d: (held[d.key].cycles, d.key), default=None
    )
    if best is None or outcome.table.num_rows == 0:
        return None
    return DaySample(best.path, best.key, held[best.key].units[0])


def _facts(drops: Sequence[Drop], told: Sequence[Journey]) -> dict[str, str]:
    """Figures for the page's strip that the features themselves cannot tell."""
    facts = {"files": f"{len(drops)}", "rejected": f"{sum(j.outcome == 'rejected' for j in told)}"}
    sizes = [pq.read_metadata(d.path) for d in drops if d.path.suffix == ".parquet"]
    if len(sizes) == len(drops):
        readings = sum(
            size.num_rows * (size.num_columns - 2) for size in sizes
        )  # save time and unit
        facts["readings"] = f"{readings / 1e6:,.0f} million"
    return facts


def _telling(told: Sequence[Journey]) -> list[Journey]:
    """All paths where they are few; of many, those that ended badly and the first others."""
    if len(told) <= SHOWN_PATHS:
        return list(told)
    bad = [j for j in told if j.outcome != "features"]
    return [*bad, *(j for j in told if j.outcome == "features")][: max(SHOWN_PATHS, len(bad))]
