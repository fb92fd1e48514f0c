"""The doors of fleet and scoring against their roles, as `test_roles` does for the others."""

import boto3

from cli.publish import publish
from signalbox.contracts.keys import request_key, windows_manifest_key
from signalbox.contracts.sagemaker import run_of, scores_job, windows_job
from tests.fakes import BUCKET, object_event, sample, windows_manifest
from tests.integration.adapters.test_doors import doors
from tests.integration.adapters.test_roles import judge, role_of, watch, watched
from tests.standin import model_folder

__all__ = ["doors", "watch", "watched"]

TICK = sample("aws.scheduler/scheduled-event.json")
READY = sample("signalbox/CycleFeaturesReady.json")
POINTER = "models/hvac/current.json"
ODD = {"id": "of-no-use"}


def put(s3, key, body):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]


def runs(s3):
    listing = s3.list_objects_v2(Bucket=BUCKET, Prefix="scoring/").get("Contents", [])
    return [each["Key"].split("/")[2] for each in listing]


def test_on_fleet_record(watch, s3):
    units = b"unit,model,dealer,location,installed\nA1,RTU,north,Oslo,2024-05-01\n"
    faults = b"unit,fault,failed_at\nA1,leak,2026-01-01T00:00:00Z\n"
    events = []
    for key, body in (
        ("registry/hvac/a.csv", units), ("faults/hvac/a.csv", faults),
        ("registry/hvac/bad.csv", b"unit\nA1\n"),
    ):  # fmt: skip
        events.append(object_event(key, "a1", put(s3, key, body)))
        events.append(object_event(key, "a2", None))
    events.append(object_event("registry/hvac/gone.csv", "a1", None))
    judge(role_of("on_fleet_record"), watch("on_fleet_record", *events))


def test_score_fleet_and_score_all_units(watch, s3, tmp_path):
    calls = set(watch("score_fleet", READY, ODD))
    publish(s3, BUCKET, model_folder(tmp_path))
    judge(role_of("score_fleet"), calls | watch("score_fleet", READY))


def test_score_all_units(watch, s3, tmp_path):
    calls = set(watch("score_all_units", TICK, ODD))
    publish(s3, BUCKET, model_folder(tmp_path))
    judge(role_of("score_all_units"), calls | watch("score_all_units", TICK))


def test_start_scoring_and_on_windows_failed(watch, watched, doors, s3, tmp_path):
    publish(s3, BUCKET, model_folder(tmp_path))
    watch("score_fleet", READY).clear()
    pointer = s3.get_object(Bucket=BUCKET, Key=POINTER)["Body"].read()
    s3.delete_object(Bucket=BUCKET, Key=POINTER)
    watch("start_scoring", TICK, ODD)
    put(s3, POINTER, pointer)
    calls = set(watch("start_scoring", TICK, TICK))
    judge(role_of("start_scoring"), calls)
    (run,) = runs(s3)
    job = boto3.client("sagemaker").describe_processing_job(
        ProcessingJobName=windows_job("hvac", run)
    )
    assert job["AppSpecification"]["ContainerArguments"][3] == request_key("hvac", run)
    event = sample("aws.sagemaker/processing-job-state-change.failed.json")
    event["detail"]["ProcessingJobName"] = windows_job("hvac", run)
    watched(lambda: None).clear()
    judge(role_of("on_windows_failed"), watch("on_windows_failed", event, event, ODD))
    assert [kind for kind, _ in doors.heard()] == ["ScoringFailed"] * 2


def test_on_windows_and_on_scoring_change(watch, watched, doors, s3, tmp_path):
    publish(s3, BUCKET, model_folder(tmp_path))
    watch("score_fleet", READY)
    watch("start_scoring", TICK).clear()
    (run,) = runs(s3)
    key = windows_manifest_key("hvac", run)
    put(s3, key, windows_manifest(run).model_dump_json(by_alias=True).encode())
    gone = object_event(windows_manifest_key("hvac", "f" * 32), "a1")
    bad = object_event("windows/hvac/by-hand/manifest.json", "a1")
    windows = object_event(key, "a1")
    judge(role_of("on_windows"), watch("on_windows", windows, windows, gone, bad, bad))
    done = sample("aws.sagemaker/transform-job-state-change.json")
    done["detail"]["TransformJobName"] = scores_job("hvac", run)
    failed = sample("aws.sagemaker/transform-job-state-change.failed.json")
    failed["detail"]["TransformJobName"] = scores_job("hvac", run)
    assert run_of(scores_job("hvac", run)) == run
    watched(lambda: None).clear()
    calls = watch("on_scoring_change", done, failed, ODD)
    judge(role_of("on_scoring_change"), calls)
    kinds = [kind for kind, _ in doors.heard()]
    assert kinds[-2:] == ["FleetScored", "ScoringFailed"]
