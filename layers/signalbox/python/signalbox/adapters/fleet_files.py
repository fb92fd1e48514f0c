"""Files about a fleet as rows: CSV with a header, JSON lines, Parquet; text plain or gzipped.

Text is recognised as gzipped by its first bytes, whatever it is called. pyarrow is only imported for
Parquet, so that the door starts fast for everything else.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from signalbox.adapters.objects import Objects
from signalbox.contracts.objects import ObjectRef
from signalbox.domain.fleet import MAX_BYTES, MAX_ROWS, Row
from signalbox.errors import Rejected

_GZIP = b"\x1f\x8b"
_FORMATS = ".csv, .jsonl, .ndjson (each also gzipped, .gz) or .parquet"


class FleetFolder:
    """Files under ``registry/`` and ``faults/`` of the data bucket."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def size(self, ref: ObjectRef) -> int | None:
        """Return the bytes of this version by its head, or None if there is no such version."""
        return self._objects.size(ref)

    def rows(self, source: ObjectRef, columns: Iterable[str]) -> Iterable[Row]:
        """Read these columns of a file, as far as it has them.

        Raises:
            Rejected: it cannot be read as a table.
        """
        name = PurePosixPath(source.key)
        ending = name.with_suffix("").suffix if name.suffix.lower() == ".gz" else name.suffix
        content = self._objects.read(source.key, source.version_id)
        match ending.lower():
            case ".parquet":
                return _parquet(source.key, content, columns)
            case ".csv":
                return _csv(source.key, _text(source.key, content))
            case ".jsonl" | ".ndjson":
                return _lines(source.key, _text(source.key, content))
        raise Rejected(
            "unknown-format", f"{source.key!r} has no ending that is known; name it {_FORMATS}"
        )


def _text(name: str, content: bytes) -> str:
    if content.startswith(_GZIP):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as problem:
            raise Rejected(
                "damaged", f"{name!r} is a damaged gzip file ({problem}); send it again"
            ) from problem
        if len(content) > MAX_BYTES:
            raise Rejected(
                "too-large", f"{name!r} unpacks to more than {MAX_BYTES} bytes; split the file"
            )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise Rejected(
            "bad-text", f"{name!r}, line {line}: not UTF-8; save it as such", line=line
        ) from None


def _csv(name: str, text: str) -> Iterator[Row]:
    """An empty cell is a value that is not given."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or not any(header):
            raise Rejected(
                "bad-header", f"{name!r}: the first line must name every column once", line=1
            )
        for cells in reader:
            if not cells:
                continue  # an empty line, as at the end of many files
            if len(cells) != len(header):
                raise Rejected(
                    "bad-row",
                    f"{name!r}, line {reader.line_num}: {len(cells)} cells under "
                    f"{len(header)} columns; mend the row and send the file again",
                    line=reader.line_num,
                )
            given = {key: cell for key, cell in zip(header, cells, strict=True) if cell}
            yield Row(given, line=reader.line_num)
    except csv.Error as problem:
        raise Rejected(
            "bad-row", f"{name!r}, line {reader.line_num}: {problem}", line=reader.line_num
        ) from problem


def _lines(name: str, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Rejected(
                "bad-row", f"{name!r}, line {number}: not a JSON object on one line", line=number
            )
        yield Row(found, line=number)


def _parquet(name: str, content: bytes, columns: Iterable[str]) -> Iterator[Row]:
    import pyarrow as pa  # noqa: PLC0415 - costs the other formats nothing
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MAX_ROWS:
            raise Rejected(
                "too-many-rows", f"{name!r} has more than {MAX_ROWS} rows; split the file"
            )
        wanted = [column for column in columns if column in file.schema_arrow.names]
        found: list[dict[str, Any]] = file.read(columns=wanted).to_pylist()
    except (pa.ArrowException, OSError) as problem:
        raise Rejected(
            "damaged", f"{name!r} is no Parquet file that can be read ({type(problem).__name__})"
        ) from problem
    for number, values in enumerate(found):
        # null is a value that is not given, as an empty cell of a CSV is
        given = {key: value for key, value in values.items() if value is not None}
        yield Row(given, row=number)
