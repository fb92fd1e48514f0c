"""Stands in for the windows program and for a trained model, where only the way of an event matters.

The program makes windows of numbers that mean nothing, of the same files and with the same grants as
the real one. An object ``scoring/fail`` makes it fail as a program does that says why.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from cli.ship import kernel_zip
from tests.fakes import model_in_service

PROGRAM = """
import argparse, io, os, sys
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cycles import Fragment
from signalbox.adapters.fleet_table import FleetTable
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts import keys
from signalbox.contracts.scoring import ScoringRequest, WindowsManifest

given = argparse.ArgumentParser()
given.add_argument("step", choices=["windows"])
for name in ("--data-bucket", "--fleet-table", "--request", "--workloads"):
    given.add_argument(name, required=True)
told = given.parse_args()
objects = Objects(told.data_bucket)
if objects.exists("scoring/fail"):
    root = Path(os.environ["SIGNALBOX_ML_ROOT"])
    (root / "output" / "message").write_text("ValueError: the windows are torn")
    sys.exit(1)
bucket, _, key = told.workloads.removeprefix("s3://").partition("/")
print(f"windows of {told.request}")
request = ScoringRequest.model_validate_json(objects.read(told.request))
assert request.workload in shipped_workloads(Objects(bucket), key)
listing = {}
for room in ("raw/", "history/"):
    for key in objects.keys(f"fragments/{room}{request.workload}/"):
        listing.setdefault(keys.parse_fragment_key(key).source_key, []).append(key)
ended = {}
for source, found in sorted(listing.items()):
    newest = keys.newest(source, found)
    if newest.kind == "parquet":
        objects.find(source)  # as where files overlap
        stored = objects.read(keys.fragment_key(source, newest.sequencer))
        fragment = Fragment.read(io.BytesIO(stored))
        for unit in fragment.units:
            if request.units is None or unit in request.units:
                ended[unit] = max(ended.get(unit, 0), fragment.end_ns)
for unit in ended:
    FleetTable(told.fleet_table).faults(request.workload, unit)
schema = request.model.schema_
size = schema.window * len(schema.features)
prefix = keys.parts_prefix(request.workload, request.run)
parts = []
if ended:
    units = sorted(ended)
    at = [datetime.fromtimestamp(ended[unit] // 10**9, timezone.utc).isoformat() for unit in units]
    table = pa.table({
        "windows": pa.array([[float(n)] * size for n in range(len(units))], pa.list_(pa.float32())),
        "valid": pa.array([schema.window] * len(units), pa.int64()),
        "unit": units, "cycle": [1] * len(units), "at": at, "model": [schema.version] * len(units),
        "schema": [schema.digest] * len(units), "moved": ["[]"] * len(units),
    })
    target = io.BytesIO()
    pq.write_table(table, target)
    parts = [f"{prefix}part-00000.parquet"]
    objects.put(parts[0], target.getvalue())
skipped = [
    {"unit": unit, "reason": "no-cycles", "message": "nothing of it is known"}
    for unit in request.units or [] if unit not in ended
]
manifest = WindowsManifest(
    workload=request.workload, run=request.run, model=request.model, parts=parts,
    units=len(ended), skipped=skipped, at=request.at,
)
content = manifest.model_dump_json(by_alias=True).encode()
objects.put(keys.windows_manifest_key(request.workload, request.run), content)
"""


def kernel_with_standin() -> bytes:
    """The kernel as it is shipped, but for the windows program."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(kernel_zip())) as shipped,
        zipfile.ZipFile(target, "w") as archive,
    ):
        for name in shipped.namelist():
            if not name.startswith("jobs/dataset/"):
                archive.writestr(name, shipped.read(name))
        archive.writestr("jobs/dataset/__init__.py", "")
        archive.writestr("jobs/dataset/__main__.py", PROGRAM)
    return target.getvalue()


def put_standin(cloud: Any) -> None:
    """Have the cloud's windows jobs run the program above, and hvac be scored."""
    s3 = cloud.client("s3")

    def shipped(name: str) -> str:
        listing = s3.list_objects_v2(Bucket=cloud.packages, Prefix=f"shipped/{name}-")
        (found,) = [each["Key"] for each in listing["Contents"]]
        return str(found)

    s3.put_object(Bucket=cloud.packages, Key=shipped("kernel"), Body=kernel_with_standin())
    place = {"Bucket": cloud.packages, "Key": shipped("workloads")}
    workloads = json.loads(s3.get_object(**place)["Body"].read())
    workloads["hvac"].setdefault("prediction", {})
    s3.put_object(**place, Body=json.dumps(workloads).encode())


def model_folder(folder: Path, version: str = "v1") -> Path:
    """A folder as `signalbox publish` takes it: a graph of two inputs, and its schema."""
    from onnx import TensorProto, helper, numpy_helper, save

    schema = model_in_service(version=version).schema_
    size = schema.window * len(schema.features)
    weights = numpy_helper.from_array(np.tile([0.0, 0.1], (size, 1)).astype(np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["windows"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["logits"]),
            helper.make_node("LogSoftmax", ["logits"], ["log_probabilities"], axis=1),
        ],
        "faults",
        [
            helper.make_tensor_value_info(
                "windows", TensorProto.FLOAT, ["n", schema.window, len(schema.features)]
            ),
            helper.make_tensor_value_info("valid", TensorProto.INT64, ["n"]),
        ],
        [helper.make_tensor_value_info("log_probabilities", TensorProto.FLOAT, ["n", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    save(model, str(folder / "model.onnx"))
    (folder / "model.json").write_text(json.dumps(schema.model_dump(mode="json")))
    return folder
