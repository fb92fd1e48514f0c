"""All main jobs of the house and their failures in one quick run, each grant of the template used.

Nothing is asserted here: the end-to-end suite asserts that nothing was denied, the soak that taking
a statement away denies exactly what it allowed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from cli.publish import publish
from localcloud import Cloud, Record
from signalbox.contracts import pipelines
from signalbox.contracts.keys import scores_prefix, windows_manifest_key
from signalbox.contracts.operation_keys import violations_key
from tests.alerted import manifest_file, schema, score_line
from tests.fakes import sample
from tests.idle import OFTEN, stop_schedules
from tests.operated import note_trained, own, predict, shorten
from tests.registered import Models
from tests.services import serving
from tests.standin import model_folder, put_standin

RAW = "raw/hvac/unit=A1/day.parquet"
MANIFEST = "backfill/history.json"
UNITS = b"unit,model,dealer,location,installed\nA1,RTU,north,Oslo,2024-05-01\n"
SCORING_RUN = "0" * 31 + "1"
MODEL = schema()
_SCORING = ("ScoreFleet", "ScoreAllUnits", "StartScoring")


class Scenario:
    """What users and the platform do to one cloud.

    Args:
        cloud: deployed, empty.
        file: a sensor file that the workload hvac can read.
    """

    def __init__(self, cloud: Cloud, file: bytes) -> None:
        self.cloud, self._file = cloud, file
        self.bucket = cloud.physical_id("DataBucket")
        self._s3 = cloud.client("s3")
        put_standin(cloud)

    @property
    def steps(self) -> tuple[Callable[[], None], ...]:
        """Everything, in order; the cloud runs until idle after each."""
        return (
            self.intake,
            self.fleet,
            self.withdrawal,
            self.backfill,
            self.scoring,
            self.scoring_again,
            self.alerts,
            self.models,
            self.quality,
            self.dead_letters,
        )

    def intake(self) -> None:
        """A file, the same again after its record is gone and without a version; a bad one twice."""
        self._put(RAW, self._file)
        self.cloud.run_until_idle()
        self._forget()
        for event in self._events("Object Created", RAW):
            self._to_queue(event)
            del event["detail"]["object"]["version-id"]  # as of files older than versioning
            event["detail"]["object"]["sequencer"] += "1"
            self._to_queue(event)
        for _ in range(2):
            self._put("raw/hvac/torn.csv", b"ts,unit\n2026-01-01,A1\n2026-0")
            self.cloud.run_until_idle()

    def withdrawal(self) -> None:
        """A version deleted, then the file; an event that the door cannot use."""
        version = self._put(RAW, self._file)
        self.cloud.run_until_idle()
        self._s3.delete_object(Bucket=self.bucket, Key=RAW, VersionId=version)
        self._s3.delete_object(Bucket=self.bucket, Key=RAW)
        self.cloud.run_until_idle()
        self._s3.delete_object(Bucket=self.bucket, Key="raw/hvac/torn.csv")
        self.cloud.run_until_idle()
        for event in self._events("Object Deleted", RAW):
            event["detail"]["object"] = {}
            self._invoke("OnSensorFileDeleted", event)

    def fleet(self) -> None:
        """Units and faults; a bad file twice, and one whose event names no version."""
        self._put("registry/hvac/units.csv", UNITS)
        self._put("faults/hvac/log.csv", b"unit,fault,failed_at\nA1,leak,2026-01-01T00:00:00Z\n")
        for _ in range(2):
            self._put("registry/hvac/bad.csv", b"unit\nA1\n")
            self.cloud.run_until_idle()
        for key in ("registry/hvac/units.csv", "faults/hvac/log.csv"):
            for event in self._events("Object Created", key):
                del event["detail"]["object"]["version-id"]
                self._invoke("OnFleetRecord", event)

    def scoring(self) -> None:
        """A model in service: units of a file are due and scored, and all units, as once a day."""
        with tempfile.TemporaryDirectory() as folder:
            publish(self._s3, self.bucket, model_folder(Path(folder)))
        self._put("raw/hvac/unit=A1/more.parquet", self._file)
        self._wake("ScoreAllUnits")
        self.cloud.run_until_idle()
        self.cloud.run_for(timedelta(minutes=10))
        self.cloud.run_until_idle()

    def scoring_again(self) -> None:
        """A manifest told twice and one elsewhere; windows and scores that fail; events of no use."""
        for event in self._events("Object Created", "manifest.json"):
            self._invoke("OnWindows", event)
        for _ in range(2):
            self._put("windows/hvac/by-hand/manifest.json", b"{}")
            self.cloud.run_until_idle()
        self._put("scoring/fail", b"")
        self._put("raw/hvac/unit=A1/again.parquet", self._file)
        self.cloud.run_until_idle()
        self.cloud.run_for(timedelta(minutes=10))
        self.cloud.run_until_idle()
        for event in self._events("SageMaker Transform Job State Change", "Completed"):
            event["detail"]["TransformJobStatus"] = "Failed"
            self._invoke("OnScoringChange", event)
        for door in ("OnWindowsFailed", "OnScoringChange", *_SCORING):
            self._invoke(door, {"id": "of-no-use"})

    def backfill(self) -> None:
        """History with a torn file; the manifest's event without a version; a claim left behind."""
        self._put("history/hvac/unit=A1/a.parquet", self._file)
        self._put("history/hvac/unit=A1/torn.parquet", b"PAR1")
        manifest = json.dumps({"workload": "hvac", "prefix": "history/hvac/"}).encode()
        self._put(MANIFEST, manifest)
        self.cloud.run_until_idle()
        self._put("backfill/odd.json", b"[]")
        table, dynamodb = self.cloud.physical_id("BackfillTable"), self.cloud.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            item.pop("job_run_id", None)
            old = {"announced": {"BOOL": False}, "claimed_at": {"S": "2020-01-01T00:00:00+00:00"}}
            dynamodb.put_item(TableName=table, Item=item | old)
        for event in self._events("Object Created", MANIFEST):
            self._invoke("OnBackfill", event)
            self.cloud.run_until_idle()
            del event["detail"]["object"]["version-id"]
            self._invoke("OnBackfill", event)

    def alerts(self) -> None:
        """Scores twice and of another model; feedback, also on nothing.

        A unit without a registry entry is warned of; its claim is left behind and taken over.
        """
        self._put(windows_manifest_key("hvac", SCORING_RUN), manifest_file(SCORING_RUN, MODEL))
        self._score("one")
        table, dynamodb = self.cloud.physical_id("EpisodeTable"), self.cloud.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            if "told" in item:
                old = {"sent": {"BOOL": False}, "announced": {"BOOL": False}}
                dynamodb.put_item(TableName=table, Item=item | old)
        for event in self._events("Object Created", "/one.out"):
            self.cloud.run_for(timedelta(minutes=5))
            self._invoke("OnScores", event)
            del event["detail"]["object"]["version-id"]
            self._invoke("OnScores", event)
            self.cloud.run_until_idle()
        self._score("later", cycle=2)  # is it armed again? the fault log is asked
        for _ in range(2):
            self._score("odd", schema="other")
        self._say(episode="hvac-Z9-0001")
        self._say(episode="hvac-Z9-0009")
        self.cloud.client("sns").publish(
            TopicArn=self.cloud.physical_id("AlertsTopic"), Message="?"
        )

    def models(self) -> None:
        """Models behind an endpoint: one that fails, one half made before, one that needs a board.

        The second call of the deploy pipeline is refused; a third finds no token.
        """
        with tempfile.TemporaryDirectory() as folder, serving(201, 401) as service:
            models = Models(self.cloud, service.host, Path(folder))
            models.operate(endpoint=True)
            models.approve(models.register(1, sample="torn"))
            half = models.register(2)
            models.prepare(half)
            models.approve(half)
            retuned = models.register(3, retuned="true")
            models.approve(retuned)
            models.approve(retuned, CustomerMetadataProperties={"review_board": "Ada"})
        for event in self._events("ModelPromoted", ""):
            self._invoke("OnModelPromoted", event)
        self.cloud.client("secretsmanager").delete_secret(
            SecretId="signalbox/gitlab", ForceDeleteWithoutRecovery=True
        )
        self._invoke("OnModelPromoted", sample("signalbox/ModelPromoted.json"))
        for door in ("OnModelPackage", "OnEndpointChange", "OnModelPromoted"):
            self._invoke(door, {"id": "of-no-use"})

    def quality(self) -> None:
        """Checks that fail, also of nobody; a run that says itself why it failed; reports, bad ones twice."""
        self._put("training/nobody/a.csv", b"")
        own(self.cloud)
        shorten(self.cloud)
        note_trained(self.cloud)
        for run, workload in (("0", "hvac"), ("1", "nobody")):
            predict(self.cloud, run * 32, workload)
            self.cloud.run_until_idle()
        for event in self._events(pipelines.EXECUTION, "Succeeded"):
            event["detail"]["currentPipelineExecutionStatus"] = "Failed"
            self._invoke("OnPipelineChange", event)
        violation = {"feature_name": "a", "constraint_check_type": "missing_column_check"}
        report = json.dumps({"violations": [violation]}).encode()
        key = violations_key("hvac", "0" * 32)
        for content in (report, b"[]", b"[]"):
            self._put(key, content)
            self.cloud.run_until_idle()
        for event in self._events("Object Created", key):
            del event["detail"]["object"]["version-id"]
            self._invoke("OnQualityReport", event)

    def dead_letters(self) -> None:
        """Pointer, table and bus are gone: every door with something to do fails, again and again."""
        # what is done daily, once more; what is done oftener is only in the way of what is tried again
        now = self.cloud.now()
        stop_schedules(self.cloud, *OFTEN, "MendShares")
        self.cloud.run_until(now.replace(hour=6, minute=0) + timedelta(days=now.hour >= 6))
        table, dynamodb = self.cloud.physical_id("EpisodeTable"), self.cloud.client("dynamodb")
        dynamodb.delete_table(TableName=table)
        self._score("late", cycle=3)
        for door, event in (
            ("OnFeedback", "signalbox.feedback/AlertFeedback.json"),
            ("OnAlertSent", "aws.sns/notification.json"),
            ("JudgePredictions", "aws.scheduler/scheduled-event.json"),
        ):
            self._invoke(door, sample(event))
        self.cloud.run_until_idle()
        pointer = {"Bucket": self.bucket, "Key": "models/hvac/current.json"}
        self._put("raw/hvac/unit=A1/due.parquet", self._file)
        self.cloud.run_until_idle()
        self._s3.delete_object(**pointer)
        self._wake("StartScoring")
        self.cloud.run_until_idle()
        self._s3.put_object(**pointer, Body=b"{}")
        self._wake("ScoreAllUnits")
        self._wake("StartScoring")
        for event in self._events("CycleFeaturesReady", ""):
            self._invoke("ScoreFleet", event)
        self.cloud.run_until_idle()
        self._s3.delete_object(**pointer)
        self.cloud.client("events").delete_event_bus(Name=self.cloud.physical_id("SignalboxBus"))
        self._put("raw/hvac/unit=A1/late.parquet", self._file)
        self._put(MANIFEST, b"[]")
        self.cloud.run_until_idle()
        self._s3.delete_object(Bucket=self.bucket, Key=RAW)
        for event in self._events("Glue Job State Change", ""):
            table, dynamodb = self.cloud.physical_id("BackfillTable"), self.cloud.client("dynamodb")
            for item in dynamodb.scan(TableName=table)["Items"]:
                item.pop("reported", None)
                dynamodb.put_item(TableName=table, Item=item)
            self._invoke("OnGlueJobChange", event)
        self._put("registry/hvac/units.csv", UNITS)
        for event in self._events("Object Created", "manifest.json"):
            self._invoke("OnWindows", event)
        for event in self._events("SageMaker Processing Job State Change", "Completed"):
            self._invoke("OnWindowsFailed", event)
        self.cloud.run_until_idle()
        for event in self._events("SageMaker Transform Job State Change", "Completed"):
            run = event["detail"]["TransformJobName"][-32:]
            self._s3.delete_object(Bucket=self.bucket, Key=f"windows/hvac/{run}/manifest.json")
            self._invoke("OnScoringChange", event)
        self._quality_fails()

    def _quality_fails(self) -> None:
        """The table is gone: changes, checks, reports and models end as dead letters."""
        table = self.cloud.physical_id("OperationsTable")
        self.cloud.client("dynamodb").delete_table(TableName=table)
        for event in self._events(pipelines.STEP, '"Failed"'):
            self._invoke("OnQualityFailure", event)
        for event in self._events(pipelines.EXECUTION, '"Failed"'):
            self._invoke("OnPipelineChange", event)
        for event in self._events("Object Created", violations_key("hvac", "0" * 32)):
            self._invoke("OnQualityReport", event)
        for event in self._events("SageMaker Model Package State Change", '"Rejected"'):
            self._invoke("OnModelPackage", event)
        for event in self._events("SageMaker Endpoint State Change", "IN_SERVICE"):
            self._invoke("OnEndpointChange", event)
        for event in self._events(
            "SageMaker Model Package State Change", '"PendingManualApproval"'
        ):
            self._invoke("OnPackageCard", event)
        for event in self._events("SageMaker Model Card State Change", ""):
            self._invoke("OnModelCardChange", event)
        self._invoke("OnModelPromoted", sample("signalbox/ModelPromoted.json"))
        self._wake("MendShares")
        self._wake("StartPipelines")
        self._put("training/abalone/late.csv", b"")
        self.cloud.run_until_idle()

    def _wake(self, door: str) -> None:
        """What a schedule sends."""
        self._invoke(door, sample("aws.scheduler/scheduled-event.json"))

    def _score(self, name: str, cycle: int = 1, **changes: Any) -> None:
        """A score file about one unit arrives: it was sure to fail, so long ago that it can be judged."""
        at = self.cloud.now() - timedelta(days=100 - cycle)
        line = score_line("Z9", 0.99, at, cycle, MODEL, **changes)
        self._put(f"{scores_prefix('hvac', SCORING_RUN)}{name}.out", line)
        self.cloud.run_until_idle()

    def _say(self, **about: str) -> None:
        """Somebody puts feedback on the bus."""
        detail = {
            "workload": "hvac", "unit": "Z9", "verdict": "confirmed", "by": "north",
            "at": self.cloud.now().isoformat(),
        } | about  # fmt: skip
        entry = {
            "EventBusName": self.cloud.physical_id("SignalboxBus"), "Source": "signalbox.feedback",
            "DetailType": "AlertFeedback", "Detail": json.dumps(detail),
        }  # fmt: skip
        self.cloud.client("events").put_events(Entries=[entry])
        self.cloud.run_until_idle()

    def _put(self, key: str, body: bytes) -> str:
        return self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)["VersionId"]

    def _forget(self) -> None:
        """The idempotency records expire."""
        table, dynamodb = self.cloud.physical_id("IdempotencyTable"), self.cloud.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})

    def _events(self, name: str, key: str) -> Iterator[dict[str, Any]]:
        """The first event of this name about this key once more, to be changed and sent."""
        for record in self.cloud.journal:
            if record.kind == "event" and record.name == name and key in json.dumps(record.detail):
                yield _envelope(record)
                return

    def _to_queue(self, event: dict[str, Any]) -> None:
        queue = self.cloud.physical_id("RawFileQueue")
        self.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        self.cloud.run_until_idle()

    def _invoke(self, door: str, event: dict[str, Any]) -> None:
        name, payload = self.cloud.physical_id(door), json.dumps(event).encode()
        self.cloud.client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=payload
        )


def _envelope(record: Record) -> dict[str, Any]:
    return {
        "version": "0",
        "id": record.detail["event_id"],
        "detail-type": record.name,
        "source": record.detail["source"],
        "account": "123456789012",
        "time": record.at.isoformat(),
        "region": "eu-west-1",
        "resources": record.detail["resources"],
        "detail": json.loads(json.dumps(record.detail["detail"])),
    }


def denials(records: Any) -> list[tuple[str, str]]:
    """(action, resource) of everything that was denied."""
    return [(r.name, r.detail["resource"]) for r in records if r.status == "denied"]
