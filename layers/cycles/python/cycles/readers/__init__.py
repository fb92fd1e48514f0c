"""Readers: a file of any accepted kind becomes a :class:`Recording`, or a BadRecording that says why not."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from cycles.errors import BadRecording
from cycles.readers.long import read_long
from cycles.readers.parquet import read_wide
from cycles.readers.recording import Recording, check_times
from cycles.readers.text import read_csv
from cycles.spec import CycleSpec

__all__ = ["Recording", "check_times", "open_recording", "refusing"]

PARQUET_MAGIC, GZIP_MAGIC = b"PAR1", b"\x1f\x8b"
UNREADABLE = (pa.ArrowException, UnicodeDecodeError, csv.Error, zlib.error, EOFError)
FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv.gz"}


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Inside, what a library says of a damaged file becomes a refusal; rows of text files get their line."""
    try:
        yield
    except BadRecording as problem:
        if problem.line is None and problem.row is not None and ".csv" in name.lower():
            problem.line = problem.row + 2  # the header is line 1
        raise
    except UNREADABLE as problem:
        kind = type(problem).__name__
        raise BadRecording(
            "unreadable",
            f"{name}: damaged, or holding what no reader here knows ({kind}); export it again",
        ) from problem


def open_recording(path: Path, spec: CycleSpec, name: str) -> Recording:
    """Open a sensor file: Parquet, CSV or gzipped CSV, wide or long as the spec says.

    Args:
        path: the file on this machine.
        spec: the workload's cycle specification.
        name: the file's key, which decides the expected format and may hold the unit.

    Raises:
        BadRecording: the file is empty, too large, not what its name says, or lacks what is asked.
    """
    with refusing(name):
        return _opened(path, spec, name)


def _opened(path: Path, spec: CycleSpec, name: str) -> Recording:
    size = path.stat().st_size
    if size == 0:
        raise BadRecording("empty", f"{name}: the file is empty")
    if size > spec.max_bytes:
        raise BadRecording(
            "too-large", f"{name}: {size:,} bytes, above the limit of {spec.max_bytes:,}"
        )
    expected = next((kind for end, kind in FORMATS.items() if name.lower().endswith(end)), None)
    if expected is None:
        raise BadRecording("unknown-format", f"{name}: the name must end in {', '.join(FORMATS)}")
    found = _found_format(path)
    if found != expected:
        raise BadRecording(
            "not-what-it-says",
            f"{name}: named as {expected} but holds {found}; rename or re-export it",
        )
    if spec.long:
        return read_long(path, spec, name, expected)
    return read_wide(path, spec, name) if expected == "parquet" else read_csv(path, spec, name)


def _found_format(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    if head.startswith(GZIP_MAGIC):
        return "csv.gz"
    return "bytes that are no text" if b"\x00" in head else "csv"
