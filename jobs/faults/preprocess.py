"""From cycle tables and fault logs to three folders, each a dataset of its own units and their raw rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from jobs.dataset.build import Sources, build
from jobs.dataset.tables import columns_of
from jobs.faults.parts import part_of
from jobs.faults.rows import cycles_of, named_rows, sorted_out, write_raw
from signalbox.contracts.workload import Workload


def preprocess(workload: Workload, source: Path, out: Mapping[str, Path]) -> dict[str, int]:
    """Read, check, label, split by unit and write.

    Args:
        workload: with its section ``prediction``.
        source: folder of cycle tables, and of fault logs unless units run to failure.
        out: folder of each split.

    Returns:
        Units of each split.

    Raises:
        BadHistory: cycles, labels or splits make no dataset; named, with the way out.
        Rejected: a file is none.
    """
    given = sorted_out(source)
    files = cycles_of(given, source)
    with TemporaryDirectory() as made:
        whole = build(workload, Sources(files, given.faults), Path(made))
        of = dict(zip(whole.units, whole.manifest["split"], strict=True))
        parts = {split: part_of(whole, split) for split in out}
    rows: dict[str, list[pd.DataFrame]] = {split: [] for split in out}
    for history, own in named_rows(files, workload, columns_of(workload)):
        rows[of[history.unit]].append(own)
    for split, folder in out.items():
        parts[split].write(folder)
        write_raw(rows[split], folder)
    return {split: len(part.units) for split, part in parts.items()}
