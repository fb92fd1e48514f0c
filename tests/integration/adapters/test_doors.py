"""Each door as it is, on moto: its own composition, settings, adapters, kernel and Powertools."""

import importlib
import json

import boto3
import pytest

from signalbox.contracts.keys import fragment_key, report_key, run_key, tombstone_key
from tests.fakes import BUCKET, LambdaContext, batch, object_event, sample, workload
from tests.integration.adapters.test_kernel import hvac, recording

KEY = "raw/hvac/2026/07/01/u1.csv"
SEQUENCER = "617f08299329d189"
OPERATED = {
    "prediction": {"gate": {"metric": "auc", "at_least": 0.8}},
    "operations": {"owner": "owner@example.com", "card": {"purpose": "a test"}},
}
ROLES = "arn:aws:iam::123456789012:role/"
DOORS = [
    "on_sensor_file", "on_sensor_file_deleted", "on_backfill", "on_glue_job_change",
    "on_fleet_record", "score_fleet", "score_all_units", "start_scoring", "on_windows_failed",
    "on_windows", "on_scoring_change",
    "on_scores", "on_alert_sent", "on_feedback", "judge_predictions",
    "on_pipeline_change", "on_quality_failure", "on_quality_report",
]  # fmt: skip


@pytest.fixture
def doors(aws, monkeypatch):
    """The doors by name, freshly imported and told about this cloud; `heard()` empties their bus."""
    events, sqs, glue = boto3.client("events"), boto3.client("sqs"), boto3.client("glue")
    events.create_event_bus(Name="house")
    queue = sqs.create_queue(QueueName="ears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    events.put_rule(Name="all", EventBusName="house", EventPattern='{"source": ["signalbox"]}')
    events.put_targets(Rule="all", EventBusName="house", Targets=[{"Id": "q", "Arn": arn}])
    glue.create_job(Name="CycleFeaturesJob-example", Role="r", Command={"Name": "glueetl"})
    boto3.client("s3").put_object(
        Bucket=BUCKET,
        Key="workloads.json",
        Body=json.dumps({"hvac": hvac().mapping() | OPERATED}),
    )
    told = {
        "DATA_BUCKET": BUCKET, "BUS_NAME": "house", "ARTIFACT_BUCKET": BUCKET,
        "WORKLOADS_KEY": "workloads.json", "IDEMPOTENCY_TABLE": "IdempotencyTable",
        "BACKFILL_TABLE": "BackfillTable", "GLUE_JOB": "CycleFeaturesJob-example",
        "FLEET_TABLE": "FleetTable", "SCORING_TABLE": "ScoringTable", "KERNEL_KEY": "kernel.zip",
        "PROGRAMS_IMAGE": "programs", "WINDOWS_JOB_ROLE": f"{ROLES}WindowsJobRole",
        "WINDOWS_INSTANCE_TYPE": "ml.m5.xlarge", "ONNX_INFERENCE_IMAGE": "onnx",
        "INFERENCE_ROLE": f"{ROLES}InferenceRole", "INFERENCE_INSTANCE_TYPE": "ml.g4dn.xlarge",
        "INFERENCE_DEVICE": "cuda",
        "EPISODE_TABLE": "EpisodeTable", "PORTAL_URL": "https://portal.example.com",
        "ALERTS_TOPIC": boto3.client("sns").create_topic(Name="AlertsTopic")["TopicArn"],
        "OPERATIONS_TABLE": "OperationsTable", "TUNE_PIPELINE": "signalbox-tune",
        "TRAIN_PIPELINE": "signalbox-train",
        "MODELS_TOPIC": boto3.client("sns").create_topic(Name="ModelsTopic")["TopicArn"],
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    class Doors:
        def __getattr__(self, name):
            return importlib.reload(importlib.import_module(f"functions.{name}.app")).handler

        def heard(self):
            found = []
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for message in messages:
                    body = json.loads(message["Body"])
                    found.append((body["detail-type"], body["detail"]))
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return found

    return Doors()


def upload(s3, tmp_path, key=KEY, **options):
    content = recording(tmp_path, **options).read_bytes()
    return s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]


def keys(s3, prefix):
    return [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_a_sensor_file_becomes_its_fragment_once(doors, s3, tmp_path, capsys):
    event = batch(object_event(KEY, SEQUENCER, upload(s3, tmp_path)))
    handler = doors.on_sensor_file
    for _ in range(2):
        assert handler(event, LambdaContext()) == {"batchItemFailures": []}
    assert keys(s3, "fragments/") == [fragment_key(KEY, SEQUENCER)]
    ((kind, detail),) = doors.heard()
    assert (kind, detail["units"], detail["cycles"], detail["rows"]) == (
        "CycleFeaturesReady",
        ["u1"],
        1,
        600,
    )
    outcomes = [json.loads(line).get("message") for line in capsys.readouterr().out.splitlines()]
    assert [o for o in outcomes if o] == ["cut", "repeated"]


def test_after_the_memory_is_lost_the_same_bytes_and_words_come_again(doors, s3, tmp_path):
    event = batch(object_event(KEY, SEQUENCER, upload(s3, tmp_path)))
    doors.on_sensor_file(event, LambdaContext())
    before = s3.get_object(Bucket=BUCKET, Key=fragment_key(KEY, SEQUENCER))["Body"].read()
    first = doors.heard()
    table = boto3.client("dynamodb")
    for item in table.scan(TableName="IdempotencyTable")["Items"]:
        table.delete_item(TableName="IdempotencyTable", Key={"id": item["id"]})
    doors.on_sensor_file(event, LambdaContext())
    assert doors.heard() == first
    assert s3.get_object(Bucket=BUCKET, Key=fragment_key(KEY, SEQUENCER))["Body"].read() == before


def test_a_bad_file_is_parked_and_the_rest_of_the_batch_done(doors, s3, tmp_path):
    bad = "raw/hvac/2026/07/01/u2.csv"
    events = [
        object_event(bad, SEQUENCER, upload(s3, tmp_path, bad, header="ts,unit,power,other")),
        object_event(KEY, SEQUENCER, upload(s3, tmp_path)),
        object_event("raw/unknown/u3.csv", SEQUENCER, "v"),
    ]
    answer = doors.on_sensor_file(batch(*events, "torn"), LambdaContext())
    assert answer == {"batchItemFailures": []}
    assert keys(s3, "fragments/") == [fragment_key(KEY, SEQUENCER)]
    assert keys(s3, "rejected/") == [
        "rejected/events/on_sensor_file/message-4.json",
        f"rejected/{bad}.json",
        "rejected/raw/unknown/u3.csv.json",
    ]
    assert sorted(kind for kind, _ in doors.heard()) == [
        "CycleFeaturesReady",
        "FileRejected",
        "FileRejected",
    ]
    reason = json.loads(s3.get_object(Bucket=BUCKET, Key=f"rejected/{bad}.json")["Body"].read())
    assert (reason["reason"], reason["column"]) == ("no-such-column", "pressure")
    assert s3.head_object(Bucket=BUCKET, Key=bad)["ContentLength"] > 0  # the original is kept


def test_a_deleted_file_is_withdrawn(doors, s3, tmp_path):
    upload(s3, tmp_path)
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    event = object_event(KEY, "617f0837b476e463", "m1", "aws.s3/object-deleted.json")
    doors.on_sensor_file_deleted(event, LambdaContext())
    assert keys(s3, "fragments/") == [tombstone_key(KEY, "617f0837b476e463")]
    assert [kind for kind, _ in doors.heard()] == ["CycleFeaturesWithdrawn"]


def test_a_manifest_starts_one_run_and_its_end_is_told(doors, s3, tmp_path):
    manifest = json.dumps({"workload": "hvac", "keys": ["history/hvac/a.csv"]})
    key = "backfill/hvac-2025.json"
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=manifest)["VersionId"]
    event = object_event(key, "a1", version, "aws.s3/object-created.manifest.json")
    for _ in range(2):
        doors.on_backfill(event, LambdaContext())
    ((kind, started),) = doors.heard()
    assert (kind, started["files"]) == ("BackfillStarted", 1)
    runs = boto3.client("glue").get_job_runs(JobName="CycleFeaturesJob-example")["JobRuns"]
    assert [run["Id"] for run in runs] == [started["job_run_id"]]
    run = run_key(BUCKET, key, version)
    assert runs[0]["Arguments"]["--run-key"] == run == started["run_key"]

    done = {
        "source": {"bucket": BUCKET, "key": "history/hvac/a.csv", "sequencer": "1"},
        "output_key": "fragments/x", "units": ["u1"], "cycles": 1, "rows": 600,
        "start": "2026-07-01T00:00:00Z", "end": "2026-07-01T00:09:59Z",
    }  # fmt: skip
    report = {
        "workload": "hvac", "run_key": run, "files": 1, "done": [done], "rejected": [],
        "units": ["u1"], "cycles": 1, "rows": 600, "start": done["start"], "end": done["end"],
    }  # fmt: skip
    s3.put_object(Bucket=BUCKET, Key=report_key("hvac", run), Body=json.dumps(report))
    change = sample("aws.glue/glue-job-state-change.json")
    change["detail"]["jobRunId"] = started["job_run_id"]
    for _ in range(2):
        doors.on_glue_job_change(change, LambdaContext())
    ((kind, ready),) = doors.heard()
    assert (kind, ready["origin"], ready["source"]["key"]) == (
        "CycleFeaturesReady",
        "backfill",
        key,
    )


def test_a_manifest_that_is_none_is_parked(doors, s3):
    key = "backfill/odd.json"
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=b"[]")["VersionId"]
    event = object_event(key, "a1", version, "aws.s3/object-created.manifest.json")
    doors.on_backfill(event, LambdaContext())
    ((kind, detail),) = doors.heard()
    assert (kind, detail["workload"], detail["rejected_key"]) == (
        "FileRejected",
        None,
        "rejected/backfill/odd.json.json",
    )


@pytest.mark.parametrize("door", DOORS)
def test_nothing_happens_at_import(door, monkeypatch):
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert callable(importlib.reload(importlib.import_module(f"functions.{door}.app")).handler)


def test_a_small_workload_limits_by_head(doors, s3, tmp_path):
    s3.put_object(
        Bucket=BUCKET, Key="workloads.json", Body=json.dumps({"hvac": workload().mapping()})
    )
    doors.on_sensor_file(batch(object_event(KEY, SEQUENCER, upload(s3, tmp_path))), LambdaContext())
    ((kind, detail),) = doors.heard()
    assert (kind, detail["reason"]) == ("FileRejected", "too-large")
