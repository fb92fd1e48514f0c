"""What is done to each file, and to each unit, wherever it runs; items and outcomes are JSON."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cycles import CycleSpec, Fragment, open_recording, stitch
from cycles.readers import Recording
from signalbox.adapters.kernel import CyclesKernel
from signalbox.adapters.objects import Objects
from signalbox.contracts.keys import features_key, fragment_key, fragments_prefix, newest
from signalbox.contracts.s3 import ObjectRef
from signalbox.contracts.workload import Workload
from signalbox.domain.recording import Cut
from signalbox.errors import Misconfigured, Rejected, SignalboxError

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What every task must know: the bucket, the workload as shipped, the run."""

    bucket: str
    workload: dict[str, Any]
    run_key: str


def cut_files(plan: Plan, items: Iterable[Item]) -> Iterator[Item]:
    """Cut files into fragments.

    Args:
        plan: the run.
        items: ``{"key": <source key>}`` each.

    Yields:
        ``{"done": ...}`` or ``{"rejected": ...}`` in the words of the run's report: a file that fails
        is an outcome and not the end of the run.

    Raises:
        Misconfigured: the deployment does not fit; every file would fail alike.
    """
    objects, workload = Objects(plan.bucket), Workload.model_validate(plan.workload)
    for item in items:
        source = ObjectRef(bucket=plan.bucket, key=item["key"], sequencer="0")
        try:
            source, size = _current(objects, source.key)
            yield {"done": _cut_file(objects, workload, source, size)}
        except Rejected as problem:
            yield {"rejected": _told(source, problem.reason, problem)}
        except Misconfigured:
            raise
        except Exception as problem:  # noqa: BLE001 - recorded with its kind: one file sinks no run
            yield {"rejected": _told(source, "failed", problem)}


def _current(objects: Objects, key: str) -> tuple[ObjectRef, int]:
    current = objects.current(key)
    if current is None:
        raise Rejected("no-such-object", f"{key!r} is named but does not exist")
    return current


def _told(source: ObjectRef, reason: str, problem: Exception) -> Item:
    where = {name: getattr(problem, name, None) for name in ("column", "row", "line", "row_group")}
    message = str(problem)
    if not isinstance(problem, SignalboxError):
        message = (
            f"{source.key}: {type(problem).__name__} while it was cut; this is a mistake of ours"
        )
    return {"source": source.model_dump(), "reason": reason, "message": message, **where}


def _cut_file(objects: Objects, workload: Workload, source: ObjectRef, size: int) -> Item:
    """Cut one version of a file unless that was done before; the fragment's name says which."""
    kernel = CyclesKernel()
    try:
        output_key = fragment_key(source.key, source.sequencer)
    except ValueError as problem:
        raise Rejected("bad-key", str(problem)) from problem
    known = newest(source.key, objects.children(fragments_prefix(source.key)))
    cut = None
    if known and known.kind == "parquet" and known.sequencer == source.sequencer:
        cut = _still_valid(objects.read(output_key), workload)
    if cut is None:
        limit = workload.max_bytes
        if size > limit:
            raise Rejected("too-large", f"{source.key!r} has {size:,} bytes, allowed are {limit:,}")
        with objects.local(source) as path:
            cut = kernel.cut(path, workload, source.key)
        objects.put(output_key, cut.fragment)
    return {
        "source": source.model_dump(), "output_key": output_key, "units": list(cut.units),
        "cycles": cut.cycles, "rows": cut.rows,
        "start": cut.start.isoformat(), "end": cut.end.isoformat(),
    }  # fmt: skip


def _still_valid(stored: bytes, workload: Workload) -> Cut | None:
    """What was cut before, unless the workload has changed since."""
    digest = CycleSpec.from_mapping(workload.mapping()).digest
    same = Fragment.read(io.BytesIO(stored)).spec_digest == digest
    return CyclesKernel().read(stored) if same else None


def stitch_units(plan: Plan, items: Iterable[Item]) -> Iterator[Item]:
    """Join the fragments of each unit into its cycle features and write them.

    Args:
        plan: the run.
        items: ``{"unit": ..., "files": [<done entry>, ...]}`` each.

    Yields:
        ``{"unit", "cycles", "rejected": [...]}``; rejected are files another file contradicts.
    """
    objects, workload = Objects(plan.bucket), Workload.model_validate(plan.workload)
    spec = CycleSpec.from_mapping(workload.mapping())
    for item in items:
        sources = {f["source"]["key"]: ObjectRef.model_validate(f["source"]) for f in item["files"]}
        fragments = (
            (f["source"]["key"], Fragment.read(io.BytesIO(objects.read(f["output_key"]))))
            for f in item["files"]
        )
        held = _Held(objects, spec, sources)
        stitched = stitch(fragments, spec, held.recording, units={item["unit"]})
        target = features_key(workload.name, plan.run_key, item["unit"])
        objects.put(target, _parquet(stitched.table))
        yield {
            "unit": item["unit"],
            "cycles": stitched.table.num_rows,
            "rejected": [
                {"source": sources[name].model_dump(), "reason": problem.reason,
                 "message": problem.message, **problem.where}
                for name, problem in stitched.rejected
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Held:
    """Opens files again that overlap in time."""

    objects: Objects
    spec: CycleSpec
    sources: dict[str, ObjectRef]

    def recording(self, name: str) -> Recording:
        with self.objects.local(self.sources[name]) as path:
            return open_recording(path, self.spec, name).held()


def _parquet(table: pa.Table) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()
