"""A backfill run: the manifest's files are cut, each unit's fragments joined, and a report written.

A run that was killed goes on where it was: fragments that are there are not made again, and equal
input gives equal bytes.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlparse

from jobs.cycle_features.engines import Engine, Item, engine_named
from jobs.cycle_features.work import Plan, cut_files, stitch_units
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.backfill import Manifest, RunReport
from signalbox.contracts.keys import report_key
from signalbox.errors import Misconfigured


def main(argv: Sequence[str]) -> None:
    """Run with Glue's arguments; arguments meant for Glue itself are passed over."""
    asked, _ = _parser().parse_known_args(argv)
    objects = Objects(asked.data_bucket)
    version = asked.manifest_version or None
    manifest = Manifest.model_validate_json(objects.read(asked.manifest_key, version))
    place = urlparse(asked.workloads)
    shipped = shipped_workloads(Objects(place.netloc), place.path.lstrip("/"))
    if manifest.workload not in shipped:
        raise Misconfigured(f"workload {manifest.workload!r} is not among the shipped ones")
    plan = Plan(asked.data_bucket, shipped[manifest.workload].mapping(), asked.run_key)
    report = run(plan, source_keys(objects, manifest), engine_named(asked.engine))
    key = report_key(manifest.workload, asked.run_key)
    objects.put(key, report.model_dump_json(indent=1).encode())
    _say(f"report: s3://{asked.data_bucket}/{key}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cycle_features", allow_abbrev=False)
    for name in ("--data-bucket", "--workloads", "--manifest-key", "--run-key"):
        parser.add_argument(name, required=True)
    parser.add_argument("--manifest-version", default="")
    parser.add_argument("--engine", choices=["auto", "embedded", "spark"], default="auto")
    return parser


def source_keys(objects: Objects, manifest: Manifest) -> list[str]:
    """The files a manifest speaks of, by name or by prefix."""
    if manifest.keys is not None:
        return manifest.keys
    return [key for key in objects.keys(manifest.prefix or "") if not key.endswith("/")]


def run(plan: Plan, keys: Sequence[str], engine: Engine) -> RunReport:
    """Cut every file, stitch every unit, and account for each file."""
    done: dict[str, Item] = {}
    rejected: dict[str, Item] = {}
    for outcome in engine(partial(cut_files, plan), [{"key": key} for key in keys]):
        (kind, entry), *_ = outcome.items()
        (done if kind == "done" else rejected)[entry["source"]["key"]] = entry
        _progress("files cut", len(done) + len(rejected), len(keys), len(rejected))
    files: dict[str, list[Item]] = defaultdict(list)
    for key in sorted(done):
        for unit in done[key]["units"]:
            files[unit].append(done[key])
    cycles = 0
    items = [{"unit": unit, "files": files[unit]} for unit in sorted(files)]
    for k, outcome in enumerate(engine(partial(stitch_units, plan), items), 1):
        cycles += outcome["cycles"]
        for entry in outcome["rejected"]:
            rejected[entry["source"]["key"]] = entry
            done.pop(entry["source"]["key"], None)
        _progress("units stitched", k, len(items), len(rejected))
    return _report(plan, done, rejected, cycles)


def _report(plan: Plan, done: dict[str, Item], rejected: dict[str, Item], cycles: int) -> RunReport:
    entries: dict[str, Any] = {
        "done": [done[key] for key in sorted(done)],
        "rejected": [rejected[key] for key in sorted(rejected)],
    }
    return RunReport(
        workload=plan.workload["name"],
        run_key=plan.run_key,
        files=len(done) + len(rejected),
        units=sorted({unit for entry in entries["done"] for unit in entry["units"]}),
        cycles=cycles,
        rows=sum(entry["rows"] for entry in entries["done"]),
        start=min((_time(e["start"]) for e in entries["done"]), default=None),
        end=max((_time(e["end"]) for e in entries["done"]), default=None),
        **entries,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _progress(what: str, count: int, of: int, rejected: int) -> None:
    """One line every fiftieth part of the way; Glue keeps a program's output as its log."""
    if count == of or count % max(1, of // 50) == 0:
        _say(f"{what}: {count}/{of}, rejected: {rejected}")


def _say(line: str) -> None:
    print(line, flush=True)
