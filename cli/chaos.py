"""Jobs on bad days: the same files under every kind of fault must end in the same state.

The main job takes sensor files to features; the loop (`cli.loop_day`) takes tables to models and back.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from cli.chain import Bucket, running
from cli.loop_day import START, loop_job
from localcloud import Chaos, Cloud, EndState, end_state
from signalbox.contracts import keys
from signalbox.contracts.own import SOURCE
from simulator.fleet import Fleet

DAY = date(2024, 7, 16)
ROWS = 2_400
# What depends on when, on ids that a service gave, and what a door answered (`data`): that a version
# was outdated, say, when its event came late.
VOLATILE = (
    "at", "claimed_at", "data", "expiration", "in_progress_expiration", "job_run_id", "reported",
    "sequencer",
)  # fmt: skip
MODES = {
    "as ever": "",
    "every delivery twice": "twice",
    "shuffled": "shuffle",
    "late": "delay=45,shuffle",
    "throttled": "throttle=s3:4,throttle=events:2",
    "failing": "fail=s3:6,fail=events:2",
    "killed in mid-flight": "kill=7",
    "visible too early": "visibility",
    # not with those that show too early: each showing counts as a try, and too many end as dead letters
    "many at once": "twice,delay=45,shuffle,throttle=s3:11,fail=dynamodb:5,kill=12",
}
# Every delivery comes within the quiet time of a workload: what comes later is rightly another run.
# A process that dies between the topic's answer and its note costs a mail too many, so none is killed.
LOOP_MODES = {
    "as ever": "",
    "every delivery twice": "twice",
    "shuffled": "shuffle",
    "late": "delay=45,shuffle",
    "throttled": "throttle=s3:9,throttle=dynamodb:30,throttle=events:4,throttle=sns:5",
    "failing": "fail=s3:12,fail=dynamodb:50,fail=events:7,fail=sns:9",
    "many at once": "twice,delay=45,shuffle",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended, against the run without faults; `faults` are those dealt out, by kind."""

    mode: str
    chaos: Chaos
    faults: dict[str, int]
    lost: list[str]
    doubled: list[str]
    repeats: int
    invocations: int


@dataclass(frozen=True, slots=True)
class Job:
    """What is done on bad days: what it is called, what does it, and the modes that it is done under."""

    title: str
    run: Callable[..., tuple[EndState, Cloud]]
    modes: Mapping[str, str]


def table(endings: Sequence[Ended], job: str) -> Table:
    """How each mode ended: over all its seeds, what was lost and what was done twice."""
    title = f"{JOBS[job].title} on bad days, against a day without faults"
    shown = Table(title=title, title_justify="left")
    shown.caption = "lost: what the day without faults has; doubled: what it has not"
    for heading in ("mode", "chaos", "runs", "invoked", "repeats", "lost", "doubled"):
        right = heading not in ("mode", "chaos")
        shown.add_column(heading, justify="right" if right else "left", no_wrap=right)
    for mode in dict.fromkeys(each.mode for each in endings):
        own = [each for each in endings if each.mode == mode]
        lost, doubled = (sum(len(getattr(e, name)) for e in own) for name in ("lost", "doubled"))
        bad = f"[red]{lost}[/]", f"[red]{doubled}[/]"
        counts = (len(own), sum(e.invocations for e in own), sum(e.repeats for e in own))
        ends = (bad[0] if lost else "0", bad[1] if doubled else "0")
        shown.add_row(mode, JOBS[job].modes[mode] or "none", *map(str, counts), *ends)
    return shown


def endings(
    modes: Sequence[str], seeds: Sequence[int], job: str = "files", **options: Any
) -> Iterator[Ended]:
    """Run a job without faults, and then under each mode with each seed.

    Args:
        modes: of the job.
        seeds: of what is drawn at random, a run each.
        job: one of `JOBS`.
        options: of `Cloud`, for all runs.
    """
    told = JOBS[job]
    plain, _ = told.run(Chaos(), **options)
    for mode in modes:
        for seed in seeds:
            chaos = Chaos.parse(told.modes[mode], seed)
            state, cloud = told.run(chaos, **options)
            yield Ended(
                mode,
                chaos,
                {kind: count for kind, count in cloud.faults.items() if count},
                state.lost(plain),
                state.doubled(plain),
                state.repeats,
                sum(record.kind == "invocation" for record in cloud.journal),
            )


def main_job(chaos: Chaos, **options: Any) -> tuple[EndState, Cloud]:
    """Drop the files, let the cloud come to rest, and look at what is left; the cloud is closed."""
    with running(start=START, chaos=chaos, **options) as cloud:
        bucket = Bucket(cloud.client("s3"), cloud.physical_id("DataBucket"))
        for key, body in _files():
            if body is None:
                bucket.s3.delete_object(Bucket=bucket.name, Key=key)
            else:
                bucket.write(key, body)
        cloud.run_until_idle()
        return end_state(cloud, SOURCE, VOLATILE, _outdated), cloud


def _outdated(found: list[str]) -> set[str]:
    """Of all keys, the fragments that a newer version of their file replaced."""
    fragments = {
        key: keys.parse_fragment_key(key) for key in found if key.startswith(keys.FRAGMENTS)
    }
    newest: dict[str, str] = {}
    for each in fragments.values():
        newest[each.source_key] = max(newest.get(each.source_key, ""), each.sequencer)
    return {key for key, each in fragments.items() if each.sequencer < newest[each.source_key]}


@cache
def _files() -> tuple[tuple[str, bytes | None], ...]:
    """What is dropped, in order: files of two units, cut where no cycle ends; a broken one; newer versions
    and deletions right after; a manifest over old files and one that is none.
    """
    fleet = Fleet(units=2, start=DAY, days=1)
    dropped: list[tuple[str, bytes | None]] = [("raw/hvac/broken.parquet", b"PAR1 cut short")]
    for unit in fleet.units:
        day = fleet.raw_day(unit, DAY)
        for k in range(4):
            body = _parquet(day.slice(k * ROWS, ROWS))
            name = f"hvac/unit={unit}/{k}.parquet"
            dropped += [(f"raw/{name}", body), (f"history/{name}", body)]
        newer = _parquet(day.slice(ROWS, ROWS - 60))
        dropped += [(f"raw/hvac/unit={unit}/1.parquet", newer)]
        dropped += [(f"raw/hvac/unit={unit}/3.parquet", None)]
    manifest = {"workload": "hvac", "prefix": "history/hvac/"}
    dropped += [("backfill/history.json", json.dumps(manifest).encode())]
    return (*dropped, ("backfill/none.json", b"[]"))


def _parquet(table: pa.Table) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


JOBS = {
    "files": Job("The main job", main_job, MODES),
    "loop": Job("The loop of data and models", loop_job, LOOP_MODES),
}
