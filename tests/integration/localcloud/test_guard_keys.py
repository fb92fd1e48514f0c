"""What is written to S3 and read from it takes permissions on the key that encrypts it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.doors import NOBODY, Door

VAULT = (
    NOBODY
    + """
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: ["s3:GetObject*", "s3:PutObject*"], Resource: "*"}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: signalbox-vault
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms, KMSMasterKeyID: !Ref Own}
"""
    + "".join(
        f"""
  {name}:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Principal: {{AWS: "123456789012"}}, Action: "kms:*", Resource: "*"}}
          - {{Effect: Allow, Principal: {{AWS: !GetAtt Role.Arn}}, Action: [{actions}], Resource: "*"}}
"""
        for name, actions in {
            "Own": '"kms:GenerateDataKey*"',  # writes, but no parts and no reads
            "Both": '"kms:GenerateDataKey*", kms:Decrypt',
            "Neither": "kms:DescribeKey",
        }.items()
    )
)


@pytest.fixture(params=["in process", "over HTTP"])
def vault(deploy: Deploy, request: pytest.FixtureRequest) -> Door:
    cloud = deploy(VAULT)
    return Door(cloud, cloud.endpoint if request.param == "over HTTP" else None)


def with_key(vault: Door, name: str) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": vault.cloud.physical_id(name)}


def refused_key(vault: Door, operation: str, **params: Any) -> tuple[str, str]:
    """The permission that was missing, and the key it was missing on."""
    code, _, message = vault.denied("s3", operation, **params)
    assert code == "AccessDenied"
    action, key = message.partition("perform: ")[2].split(" on resource: ")
    names = {vault.cloud.physical_id(name): name for name in ("Own", "Both", "Neither")}
    return action, names[key.partition(" ")[0].rpartition("/")[2]]


def test_what_is_written_takes_the_key_that_the_request_names(vault: Door) -> None:
    place = {"Bucket": vault.bucket, "Key": "a", "Body": b"x"}
    vault.call("s3", "put_object", **place)
    vault.call("s3", "put_object", **place, **with_key(vault, "Both"))
    found = refused_key(vault, "put_object", **place, **with_key(vault, "Neither"))
    assert found == ("kms:GenerateDataKey", "Neither")
    missing = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "no-such-key"}
    *_, message = vault.denied("s3", "put_object", **place, **missing)
    assert "arn:aws:kms:eu-west-1:123456789012:key/no-such-key" in message


def test_what_is_read_takes_the_key_it_was_written_with(vault: Door) -> None:
    s3, place = vault.cloud.client("s3"), {"Bucket": vault.bucket, "Key": "a"}
    versions = {
        name: s3.put_object(**place, Body=b"x", **given)["VersionId"]
        for name, given in {
            "": {"ServerSideEncryption": "AES256"}, "Own": {}, "Both": with_key(vault, "Both"),
        }.items()
    }  # fmt: skip
    for readable in ("", "Both"):
        vault.call("s3", "get_object", **place, VersionId=versions[readable])
    vault.call("s3", "get_object", **place)
    found = refused_key(vault, "get_object", **place, VersionId=versions["Own"])
    assert found == ("kms:Decrypt", "Own")
    source = {**place, "VersionId": versions["Own"]}
    copy = {"Bucket": vault.bucket, "Key": "copy", "CopySource": source}
    assert refused_key(vault, "copy_object", **copy) == ("kms:Decrypt", "Own")
    judged = vault.cloud._world.guard.judge_role
    role, arn = vault.cloud.stack.attribute("Role", "Arn"), f"arn:aws:s3:::{vault.bucket}/a"
    assert judged(role, "s3:GetObject", arn).allowed
    s3.put_object(**place, Body=b"x")
    assert "it takes kms:Decrypt on its key" in judged(role, "s3:GetObject", arn).reason


def test_a_multipart_upload_reads_its_parts_again(vault: Door) -> None:
    place = {"Bucket": vault.bucket, "Key": "big"}
    found = refused_key(vault, "create_multipart_upload", **place)
    assert found == ("kms:Decrypt", "Own")
    s3 = vault.cloud.client("s3")
    begun = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    part = {**begun, "PartNumber": 1}
    assert refused_key(vault, "upload_part", **part, Body=b"x") == ("kms:Decrypt", "Own")
    tag = s3.upload_part(**part, Body=b"x")["ETag"]
    parts = {"MultipartUpload": {"Parts": [{"ETag": tag, "PartNumber": 1}]}}
    found = refused_key(vault, "complete_multipart_upload", **begun, **parts)
    assert found == ("kms:Decrypt", "Own")

    both = with_key(vault, "Both")
    upload = vault.call("s3", "create_multipart_upload", **place, **both)["UploadId"]
    begun = {**place, "UploadId": upload}
    tag = vault.call("s3", "upload_part", **begun, PartNumber=1, Body=b"x")["ETag"]
    parts = {"MultipartUpload": {"Parts": [{"ETag": tag, "PartNumber": 1}]}}
    vault.call("s3", "complete_multipart_upload", **begun, **parts)
    assert vault.call("s3", "get_object", **place)["Body"].read() == b"x"
