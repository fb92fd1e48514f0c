"""``signalbox publish``: a trained model goes into service.

The archive is packed so that equal files give equal bytes. It is uploaded before the pointer is, so
whoever reads the pointer finds the model; a version is never replaced by other bytes, because
scores are told by it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError
from rich.console import Console

from cli.whereabouts import BadUse, client, noted
from cli.workloads import load, names
from signalbox.contracts.complaints import complaint
from signalbox.contracts.keys import current_model_key, model_key
from signalbox.contracts.model_schema import FILE, ONNX, ModelSchema
from signalbox.contracts.scoring import CurrentModel

_DIGEST = "sha256"  # among the object's metadata


def publish(s3: Any, bucket: str, folder: Path, workload: str | None = None) -> CurrentModel:
    """Put a model into service and return the pointer that says so.

    Args:
        s3: a boto3 S3 client.
        bucket: the data bucket.
        folder: holds ``model.onnx`` and ``model.json``.
        workload: which it must have been trained for; None for whichever it was.

    Raises:
        BadUse: the folder holds no model, one of another workload or of one that is not scored, or its
            version is taken by another.
    """
    schema = _schema(folder)
    if workload not in (None, schema.workload):
        raise BadUse(f"{folder} holds a model of workload {schema.workload!r}, not of {workload!r}")
    if schema.workload in names() and not load(schema.workload).scored:
        raise BadUse(
            f"cycles of {schema.workload} come ready, so its fleet is not scored as features come; "
            "predict by its pipelines, or with `signalbox score`"
        )
    key, body = model_key(schema.workload, schema.version), packed(folder)
    digest = hashlib.sha256(body).hexdigest()
    standing = _digest(s3, bucket, key)
    if standing is None:
        s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={_DIGEST: digest})
    elif standing != digest:
        raise BadUse(
            f"version {schema.version!r} of {schema.workload!r} was published with other content; "
            f"give this one a version of its own in {folder / FILE}"
        )
    pointer = CurrentModel(model_data=f"s3://{bucket}/{key}", schema=schema)
    s3.put_object(
        Bucket=bucket,
        Key=current_model_key(schema.workload),
        Body=pointer.model_dump_json(by_alias=True, indent=1).encode(),
    )
    return pointer


def packed(folder: Path) -> bytes:
    """The archive that the model container unpacks; equal files give equal bytes."""
    target = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in (FILE, ONNX):
            body = (folder / name).read_bytes()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(body), 0o644
            archive.addfile(info, io.BytesIO(body))
    return target.getvalue()


def run(console: Console, folder: Path, workload: str | None) -> int:
    """Publish into the cloud that is up."""
    note = noted()
    pointer = publish(client("s3", note), note["bucket"], folder, workload)
    schema = pointer.schema_
    console.print(
        f"{schema.workload}: model {schema.version} is in service ({pointer.model_data})",
        highlight=False,
    )
    return 0


def _schema(folder: Path) -> ModelSchema:
    for name in (FILE, ONNX):
        if not (folder / name).is_file():
            raise BadUse(f"{folder} has no {name}; a model is a folder with {FILE} and {ONNX}")
    try:
        return ModelSchema.model_validate(json.loads((folder / FILE).read_bytes()))
    except ValidationError as problem:
        raise BadUse(f"{folder / FILE}: {complaint(problem)}") from None
    except ValueError:
        raise BadUse(f"{folder / FILE} is not JSON") from None


def _digest(s3: Any, bucket: str, key: str) -> str | None:
    """What is known of the archive that stands there, "" if nothing; None if there is none."""
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as problem:
        if problem.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
    return str(head.get("Metadata", {}).get(_DIGEST, ""))
