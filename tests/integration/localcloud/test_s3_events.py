"""What S3 tells EventBridge: AWS's shape, the default bus only, once for each object."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud import Cloud
from tests.integration.localcloud.builds import BUCKET
from tests.integration.localcloud.conftest import Deploy

PLAIN = (
    BUCKET
    + "  Silent: {Type: AWS::S3::Bucket}\n"
    + BUCKET.replace("  Bucket:", "  Unversioned:").replace(
        "{Status: Enabled}", "{Status: Suspended}"
    )
)


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(PLAIN)


def events(cloud: Cloud) -> list[dict[str, Any]]:
    cloud.run_until_idle()
    return [
        {"type": record.name, **record.detail["detail"]}
        for record in cloud.journal
        if record.kind == "event"
    ]


def test_a_put_has_the_documented_shape(cloud: Cloud) -> None:
    bucket = cloud.physical_id("Bucket")
    put = cloud.client("s3").put_object(Bucket=bucket, Key="a b/ü+.csv", Body=b"12345")
    cloud.run_until_idle()
    (record,) = list(cloud.journal)
    assert record.name == "Object Created"
    assert record.detail["source"] == "aws.s3"
    assert record.detail["bus"] == "default"
    assert record.detail["resources"] == [f"arn:aws:s3:::{bucket}"]
    detail = record.detail["detail"]
    assert set(detail) == {
        "version", "event-version", "bucket", "object", "request-id", "requester",
        "source-ip-address", "reason",
    }  # fmt: skip
    assert detail["bucket"] == {"name": bucket}
    assert detail["reason"] == "PutObject"
    sequencer = detail["object"].pop("sequencer")
    assert int(sequencer, 16)
    assert detail["object"] == {
        "key": "a b/ü+.csv",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }


def test_copies_and_multipart_uploads_tell_once_and_why(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Bucket")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"123")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="c", UploadId=upload, MultipartUpload=parts)
    s3.copy_object(Bucket=bucket, Key="d", CopySource={"Bucket": bucket, "Key": "c"})
    s3.put_object(Bucket=bucket, Key="c", Body=b"again")
    assert [(event["object"]["key"], event["reason"]) for event in events(cloud)] == [
        ("a", "PutObject"),
        ("b", "CopyObject"),
        ("c", "CompleteMultipartUpload"),
        ("d", "CopyObject"),
        ("c", "PutObject"),
    ]


def test_sequencers_grow(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Bucket")
    for _ in range(20):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="a")
    numbers = [int(event["object"]["sequencer"], 16) for event in events(cloud)]
    assert len(numbers) == 21
    assert numbers == sorted(set(numbers))


def test_tags_and_access_lists_tell_nothing(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Bucket")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", Tagging="x=y")
    s3.put_object_tagging(Bucket=bucket, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_object_acl(Bucket=bucket, Key="a", ACL="private")
    s3.delete_object_tagging(Bucket=bucket, Key="a")
    assert [event["type"] for event in events(cloud)] == ["Object Created"]


def test_deleting_in_a_versioned_bucket_makes_a_marker_and_deleting_a_version_is_for_good(
    cloud: Cloud,
) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Bucket")
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a", VersionId=put["VersionId"])
    s3.delete_object(Bucket=bucket, Key="a", VersionId="no-such-version")
    _, marked, gone = events(cloud)
    assert marked["type"] == gone["type"] == "Object Deleted"
    assert marked["reason"] == gone["reason"] == "DeleteObject"
    assert marked["deletion-type"] == "Delete Marker Created"
    assert marked["object"]["version-id"] == marker
    assert marked["object"]["etag"] == "d41d8cd98f00b204e9800998ecf8427e"
    assert "size" not in marked["object"]
    assert gone["deletion-type"] == "Permanently Deleted"
    assert gone["object"]["version-id"] == put["VersionId"]
    assert gone["object"]["etag"] == put["ETag"].strip('"')


def test_without_versions_an_object_is_gone_and_has_no_version_id(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Unversioned")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "never there"}]})
    created, deleted = events(cloud)
    assert deleted["deletion-type"] == "Permanently Deleted"
    assert "version-id" not in created["object"]
    assert "version-id" not in deleted["object"]


def test_a_bucket_without_eventbridge_is_silent(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Silent")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="a")
    assert events(cloud) == []
