"""``signalbox features``: the kernel on local files, no cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cycles import BadRecording, CycleSpec, Fragment, Stitched, cut, open_recording, stitch

ENDINGS = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Cycles of all readable files, and for every other file why it is not among them."""

    table: pa.Table
    rejected: dict[str, BadRecording]
    files: int


def sensor_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given, folders searched for sensor files; each once.

    Raises:
        FileNotFoundError: a path that does not exist, or a folder without sensor files.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.name.lower().endswith(ENDINGS))
            if not inside:
                raise FileNotFoundError(f"{path}: no {', '.join(ENDINGS)} files in this folder")
            found.update({p.resolve(): p for p in inside})
        elif path.exists():
            found[path.resolve()] = path
        else:
            raise FileNotFoundError(f"{path}: no such file or folder")
    return list(found.values())


def features(
    files: Sequence[Path],
    spec: CycleSpec,
    progress: Callable[[Path, Fragment | BadRecording], None],
) -> Outcome:
    """Cut every file and stitch what could be read.

    Args:
        files: sensor files of any number of units.
        spec: the workload's cycle specification.
        progress: told of each file and what became of it.
    """
    by_name = {path.as_posix(): path for path in files}
    fragments: list[tuple[str, Fragment]] = []
    rejected: dict[str, BadRecording] = {}
    for name, path in by_name.items():
        try:
            fragment = cut(path, spec, name)
        except BadRecording as problem:
            rejected[name] = problem
            progress(path, problem)
        else:
            fragments.append((name, fragment))
            progress(path, fragment)
    stitched: Stitched = stitch(fragments, spec, lambda n: open_recording(by_name[n], spec, n))
    return Outcome(stitched.table, rejected | dict(stitched.rejected), len(by_name))


def write(table: pa.Table, target: Path) -> None:
    """Write the features as Parquet, or as CSV where the name ends so."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".csv":
        pacsv.write_csv(table, target)
    else:
        pq.write_table(table, target, compression="zstd")
