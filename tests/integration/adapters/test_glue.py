"""The Glue job: the fake and the adapter on moto, by the same tests."""

import boto3
import pytest

from signalbox.adapters.glue import GlueJob
from signalbox.adapters.objects import Objects
from signalbox.adapters.runs import ManifestFolder, RunFolder
from signalbox.contracts.keys import report_key
from signalbox.errors import Misconfigured, Rejected
from tests.fakes import BUCKET, InMemoryJob, ref

TOLD = {"--run-key": "r1", "--manifest-key": "backfill/a.json"}


@pytest.fixture
def real_job(aws):
    boto3.client("glue").create_job(
        Name="job",
        Role="arn:aws:iam::123456789012:role/job",
        Command={"Name": "glueetl", "ScriptLocation": "s3://a/job.py"},
        ExecutionProperty={"MaxConcurrentRuns": 10},
    )
    return GlueJob("job")


@pytest.fixture(params=["fake", "moto"])
def job(request):
    return InMemoryJob() if request.param == "fake" else request.getfixturevalue("real_job")


def test_a_run_is_found_again_by_what_it_was_told(job):
    assert job.find("--run-key", "r1") is None
    first = job.start(TOLD)
    job.start(TOLD | {"--run-key": "r2"})
    assert job.find("--run-key", "r1") == first


def test_a_run_remembers_its_arguments(real_job):
    run = real_job.start(TOLD)
    assert RunFolder(Objects(BUCKET)).arguments("job", run) == TOLD


def test_a_job_that_is_not_there_is_a_wrong_deployment(aws):
    with pytest.raises(Misconfigured, match="Glue job nowhere"):
        GlueJob("nowhere").start(TOLD)


def test_manifests_are_read_by_version(aws, s3):
    folder = ManifestFolder(Objects(BUCKET))
    good = b'{"workload": "hvac", "prefix": "history/hvac/"}'
    version = s3.put_object(Bucket=BUCKET, Key="backfill/a.json", Body=good)["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="backfill/a.json", Body=b"{")
    assert folder.manifest(ref("backfill/a.json", version=version)).prefix == "history/hvac/"
    with pytest.raises(Rejected) as problem:
        folder.manifest(ref("backfill/a.json", version=None))
    assert problem.value.reason == "bad-manifest"
    s3.put_object(Bucket=BUCKET, Key="history/hvac/a.csv", Body=b"")
    assert folder.count("history/hvac/") == 1


def test_reports_are_read_or_missed(aws, s3):
    folder = RunFolder(Objects(BUCKET))
    assert folder.report("hvac", "0" * 32) is None
    empty = (
        b'{"workload":"hvac","run_key":"r","files":0,"done":[],"rejected":[],"units":[],'
        b'"cycles":0,"rows":0,"start":null,"end":null}'
    )
    s3.put_object(Bucket=BUCKET, Key=report_key("hvac", "0" * 32), Body=empty)
    assert folder.report("hvac", "0" * 32).files == 0
    s3.put_object(Bucket=BUCKET, Key=report_key("hvac", "0" * 32), Body=b'{"files": 1}')
    with pytest.raises(Misconfigured, match="different versions"):
        folder.report("hvac", "0" * 32)
