"""What SAM does not upload: programs, the kernel for Glue, workloads. By content hash, by plain S3 calls.

The same function serves a bucket on AWS and one in the local cloud; what it returns are the template's
parameters, so a deployed stack names exactly the bytes it was deployed with.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.definitions import Confines, definition
from cli.workloads import ROOT, load, names, spec_of

ROOMS = ("layers/cycles/python/cycles", "layers/signalbox/python/signalbox", "jobs")
SHIPPED = ("*.py", "*.so.1", "*.html", "*.css")
PIPELINES = ("train", "tune", "batch")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: equal content gives equal bytes


def ship(s3: Any, bucket: str, parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """Upload what is not there yet and return ``{template parameter: value}``.

    Args:
        s3: a boto3 S3 client.
        bucket: the artifact bucket; it must exist.
        parameters: of the template; those that confine pipelines are written into their definitions.

    Raises:
        BadUse: one of those is malformed.
    """
    confines = Confines.of(parameters or {})
    shipped = {
        "CycleFeaturesJobKey": ("jobs/cycle_features/job.py", _program("cycle_features")),
        "KernelKey": ("kernel.zip", kernel_zip()),
        "WorkloadsKey": ("workloads.json", workloads_json()),
        **{
            f"{name.title()}PipelineKey": (f"pipelines/{name}.json", definition(name, confines))
            for name in PIPELINES
        },
    }
    keys = {parameter: _put(s3, bucket, *item) for parameter, item in shipped.items()}
    return {**keys, **confines.parameters()}


def _program(name: str) -> bytes:
    return (ROOT / "jobs" / name / "job.py").read_bytes()


def kernel_zip() -> bytes:
    """The packages a Glue job imports, zipped so that equal sources give equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for room in ROOMS:
            base = (ROOT / room).parent
            found = [path for kind in SHIPPED for path in (ROOT / room).rglob(kind)]
            for path in sorted(found):
                info = zipfile.ZipInfo(path.relative_to(base).as_posix(), EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, path.read_bytes())
    return target.getvalue()


def workloads_json() -> bytes:
    """All workloads as one JSON object; each is validated, and its cycle specification built, on the way."""
    shipped = {}
    for name in names():
        workload = load(name)
        if workload.recording is not None:
            spec_of(workload)
        shipped[workload.name] = workload.mapping()
    return json.dumps(shipped, sort_keys=True, indent=1).encode()


def _put(s3: Any, bucket: str, name: str, body: bytes) -> str:
    path = Path(name)
    key = f"shipped/{path.parent / path.stem}-{hashlib.sha256(body).hexdigest()[:20]}{path.suffix}"
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount"):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return key
