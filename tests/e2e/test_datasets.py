"""Files start runs whichever way they come into the bucket: at once, in parts, or as copies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cli.chain import Bucket, running
from localcloud.journal import Record
from signalbox.contracts.operation_keys import predicted_key
from tests.e2e.conftest import Chain
from tests.e2e.loops import reship
from tests.least import Permissions

WINDOW = timedelta(minutes=11)


class Files(Chain):
    """A cloud whose pipelines end at once, since only their beginning counts here."""

    def shorten(self) -> None:
        sagemaker = self.cloud.client("sagemaker")
        for name in ("TrainPipeline", "BatchPipeline"):
            pipeline = self.cloud.physical_id(name)
            told = json.loads(
                sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
            )
            end = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "far enough"}}
            sagemaker.update_pipeline(
                PipelineName=pipeline, PipelineDefinition=json.dumps({**told, "Steps": [end]})
            )

    def in_parts(self, key: str, *parts: bytes) -> None:
        place = {"Bucket": self.bucket.name, "Key": key}
        s3 = self.bucket.s3
        upload = s3.create_multipart_upload(**place)["UploadId"]
        done = [
            {
                "PartNumber": number,
                "ETag": s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=part)[
                    "ETag"
                ],
            }
            for number, part in enumerate(parts, 1)
        ]
        self.settle()
        assert self.came(key) == [], "a file that is not whole is none"
        s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": done})

    def copied(self, key: str, body: bytes) -> None:
        self.bucket.write("elsewhere/original.csv", body)
        self.bucket.s3.copy_object(
            Bucket=self.bucket.name, Key=key,
            CopySource={"Bucket": self.bucket.name, "Key": "elsewhere/original.csv"},
        )  # fmt: skip

    def settle(self) -> None:
        self.run()
        self.cloud.run_for(WINDOW)
        self.run()

    def came(self, key: str) -> list[Record]:
        return [
            each
            for each in self.cloud.journal
            if each.kind == "event"
            and each.name == "Object Created"
            and each.detail["detail"]["object"]["key"] == key
        ]

    def listed(self, run: str) -> list[str]:
        """The files of a run, as its pipeline is told them."""
        _, *names = json.loads(self.bucket.read(f"operations/abalone/{run}/inputs.json"))
        return names


@pytest.fixture
def files(build: Path, permissions: Permissions) -> Iterator[Files]:
    with running() as cloud:
        found = Files(cloud, Bucket(cloud.client("s3"), cloud.physical_id("DataBucket")))
        found.shorten()
        yield found
        permissions.granted |= set(cloud.granted)
        permissions.used |= cloud.used
        assert [r.name for r in cloud.journal if r.status == "denied"] == []
        assert [r.name for r in cloud.journal if r.kind == "dead-letter"] == []


KEYS = ["training/abalone/a.csv", "inference/abalone/a.csv", "ground-truth/abalone/a.csv"]


@pytest.mark.parametrize(
    ("way", "reason"), [("in_parts", "CompleteMultipartUpload"), ("copied", "CopyObject")]
)
def test_files_in_parts_and_copies_start_one_run_each(files: Files, way: str, reason: str):
    runs = []
    for key in KEYS:
        getattr(files, way)(key, b"1,2,3\n" * 5)
        files.settle()
        (came,) = files.came(key)
        assert came.detail["detail"]["reason"] == reason
        *_, started = files.events("PipelineStarted")
        assert files.listed(started["run"]) == [key]
        runs.append((started["pipeline"], started["files"]))
        if started["pipeline"] == "batch":  # the shortened pipeline predicts nothing
            files.bucket.write(predicted_key("abalone", started["run"]), b"id\n")
    assert runs == [("train", 1), ("batch", 1), ("batch", 1)]
    assert len(files.events("PipelineStarted")) == len(KEYS)
    assert files.events("FileRejected") == files.events("PipelineRefused") == []


def test_a_schedule_starts_what_the_latest_run_took_and_blocks_no_file(files: Files):
    minute = files.cloud.now() + timedelta(hours=2)
    nightly = {"pipeline": "batch", "every": "day", "at": f"{minute:%H:%M}"}
    reship(files.cloud, lambda told: told["abalone"]["operations"].update({"schedule": [nightly]}))
    for name in ("a", "b"):
        files.bucket.write(f"inference/abalone/{name}.csv", b"1,2,3\n")
    files.settle()
    files.bucket.s3.delete_object(Bucket=files.bucket.name, Key="inference/abalone/a.csv")
    for _ in range(4):
        files.cloud.run_for(timedelta(minutes=35))
        files.run()
    first, second = files.events("PipelineStarted")
    assert [(each["pipeline"], each["why"]) for each in (first, second)] == [
        ("batch", "files"),
        ("batch", "schedule"),
    ]
    assert len(files.listed(first["run"])) == 2
    assert files.listed(second["run"]) == ["inference/abalone/b.csv"]
    assert files.events("PipelineRefused") == []


def test_a_pipeline_that_is_not_there_is_one_mail_and_no_dead_letter(files: Files):
    files.cloud.client("sagemaker").delete_pipeline(
        PipelineName=files.cloud.physical_id("TrainPipeline"), ClientRequestToken="t" * 32
    )
    files.bucket.write(KEYS[0], b"1,2,3\n")
    for _ in range(3):
        files.settle()
    (refused,) = files.events("PipelineRefused")
    assert "signalbox-train does not exist" in refused["message"]
    assert sum(r.name == "sns:Publish" and r.kind == "call" for r in files.cloud.journal) == 1
    assert files.events("PipelineStarted") == []


def test_a_trigger_file_says_how_its_run_is_to_be_and_a_place_of_nobody_is_told(files: Files):
    told = {"RegisterNewBaseline": False, "SuppliedBaseline": "s3://somewhere/baseline"}
    files.bucket.write(KEYS[0], b"1,2,3\n")
    files.bucket.write("training/abalone/_SUCCESS", json.dumps(told).encode())
    files.settle()
    (started,) = files.events("PipelineStarted")
    asked = files.cloud.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=started["execution"]
    )["PipelineParameters"]
    given = {each["Name"]: each["Value"] for each in asked}
    assert {name: given[name] for name in told} == {
        "RegisterNewBaseline": "False",
        "SuppliedBaseline": "s3://somewhere/baseline",
    }
    before = len(mails(files))
    for name in ("a", "b"):
        files.bucket.write(f"training/abalon/{name}.csv", b"1,2,3\n")
    files.settle()
    assert len(files.events("FileRejected")) == 2
    assert len(mails(files)) == before + 1


def mails(files: Files) -> list[Record]:
    return [r for r in files.cloud.journal if r.name == "sns:Publish" and r.kind == "call"]
