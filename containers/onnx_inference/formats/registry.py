"""Which format a request is in and which its answer shall have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from containers.onnx_inference.formats import csv_lines, json_records, npy, parquet
from containers.onnx_inference.formats.contract import Reader, Spools, Writer
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Signature


@dataclass(frozen=True)
class Format:
    """A media type, what reads it (given the records of a slice) and what writes it."""

    name: str
    reader: Callable[[Signature, int, Spools], Reader]
    writer: Callable[[Signature, Spools], Writer]


CSV = Format("text/csv", csv_lines.reader, csv_lines.CsvWriter)
LINES = Format("application/jsonlines", json_records.lines_reader, json_records.LinesWriter)
NDJSON = Format("application/x-ndjson", json_records.lines_reader, json_records.LinesWriter)
DOCUMENT = Format("application/json", json_records.DocumentReader, json_records.DocumentWriter)
NPY = Format(
    "application/x-npy",
    lambda signature, most, spools: npy.NpyReader(signature, most, spools, archive=False),
    lambda signature, spools: npy.NpyWriter(signature, spools, archive=False),
)
NPZ = Format(
    "application/x-npz",
    lambda signature, most, spools: npy.NpyReader(signature, most, spools, archive=True),
    lambda signature, spools: npy.NpyWriter(signature, spools, archive=True),
)
PARQUET = Format("application/x-parquet", parquet.ParquetReader, parquet.ParquetWriter)

FORMATS = {f.name: f for f in (CSV, LINES, NDJSON, DOCUMENT, NPY, NPZ, PARQUET)}


def format_in(content_type: str) -> Format:
    """The format of a request body.

    Raises:
        Refused: 415, it is none of those read here.
    """
    name = content_type.partition(";")[0].strip().lower()
    if name not in FORMATS:
        raise Refused(
            415,
            "wrong_content_type",
            f"Content-Type is {name[:80]!r}; it may be {', '.join(FORMATS)}",
        )
    return FORMATS[name]


def format_out(accept: str, given: Format, signature: Signature) -> Format:
    """The format of the answer: the first acceptable one, that of the request if any will do.

    Raises:
        Refused: 406, none of those asked for is written here.
    """
    one_array = len(signature.outputs) == 1
    same = NPZ if given is NPY and not one_array else given
    asked = [entry.replace(" ", "").lower() for entry in accept.split(",") if entry.strip()]
    for entry in asked:
        name, *parameters = entry.split(";")
        if any(parameter in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for parameter in parameters):
            continue
        kind = same.name.partition("/")[0]
        if name in {"*/*", "*", f"{kind}/*"}:
            return same
        if name in FORMATS and (name != NPY.name or one_array):
            return FORMATS[name]
    if not asked:
        return same
    raise Refused(
        406, "not_acceptable", f"Accept is {accept[:80]!r}; the answer may be {', '.join(FORMATS)}"
    )
