"""The stack of an account that cards are shared with: deployed strictly, its door and its people at work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import EXECUTORS, Cloud
from localcloud.clients import CONFIG, session_with
from signalbox.contracts.cards import card_name, share_name
from tests.conftest import BUILD, ROOT

OWNER, STRANGER = "222222222222", "999999999999"
NAME = card_name("signalbox-abalone", 1)
MANAGED = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerModelCards"
CONTENT = json.dumps({"model_overview": {"model_id": "abalone-1"}})


def arn_of(account: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:{account}:model-card/{NAME}"


def built(folder: Path) -> Path:
    """What `sam build` makes of consumer.yaml: its layers are those of template.yaml."""
    told = (ROOT / "consumer.yaml").read_text(encoding="utf-8")
    for written, place in {
        "functions/accept_share": "AcceptShare",
        "layers/signalbox/python": "SignalboxLayer",
        "layers/deps": "DepsLayer",
    }.items():
        assert told.count(f"Uri: {written}") == 1
        told = told.replace(f"Uri: {written}", f"Uri: {place}")
    (folder / "template.yaml").write_text(told, encoding="utf-8")
    (folder / "AcceptShare").symlink_to(ROOT / "functions" / "accept_share")
    for layer in ("SignalboxLayer", "DepsLayer"):
        (folder / layer).symlink_to(BUILD / layer)
    return folder


@contextmanager
def consumer(folder: Path, executor: str, stage: str) -> Iterator[Cloud]:
    with Cloud(built(folder), executor=EXECUTORS[executor](), stack_name="cards") as cloud:
        cloud.deploy({"OwnerAccount": OWNER, "Stage": stage}, import_handlers=True)
        yield cloud
        assert [r.name for r in cloud.journal if r.kind == "dead-letter"] == []


def share(cloud: Cloud, account: str) -> None:
    """Somebody shares a card with the account of the stack."""
    cloud.client("sagemaker", account).create_model_card(
        ModelCardName=NAME, Content=CONTENT, ModelCardStatus="Draft"
    )
    cloud.client("ram", account).create_resource_share(
        name=share_name(NAME, "dev"), resourceArns=[arn_of(account)], principals=["123456789012"],
        permissionArns=[MANAGED], allowExternalPrincipals=True,
    )  # fmt: skip
    cloud.run_until_idle()


def invitations(cloud: Cloud) -> dict[str, str]:
    found = cloud.client("ram").get_resource_share_invitations()["resourceShareInvitations"]
    return {each["senderAccountId"]: each["status"] for each in found}


def as_people(cloud: Cloud, service: str) -> Any:
    """A client of the role CardPeople."""
    role = cloud.outputs["CardPeopleRole"]
    given = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return session_with("eu-west-1", *keys).client(service, config=CONFIG)


def may(call: Callable[..., Any], **members: Any) -> bool:
    try:
        call(**members)
    except ClientError as problem:
        if not problem.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return False
    return True


def copy_of(cloud: Cloud, account: str) -> dict[str, str]:
    """A copy of a card in a bucket of an account, which lets the account of the stack read it."""
    place = {"Bucket": f"cards-of-{account}", "Key": f"cards/shared/{NAME}/card.json"}
    s3 = cloud.client("s3", account)
    s3.create_bucket(
        Bucket=place["Bucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3.put_object(**place, Body=CONTENT)
    statement = {
        "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{place['Bucket']}/cards/shared/*",
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=place["Bucket"], Policy=policy)
    return place


@pytest.mark.parametrize(("stage", "edits"), [("dev", True), ("prod", False)])
def test_invitations_of_the_owner_are_accepted_and_people_do_what_their_stage_may(
    build: Path, tmp_path: Path, executor: str, stage: str, edits: bool
):
    with consumer(tmp_path, executor, stage) as cloud:
        share(cloud, OWNER)
        share(cloud, STRANGER)
        cloud.run_for(timedelta(hours=2))
        cloud.run_until_idle()
        assert invitations(cloud) == {OWNER: "ACCEPTED", STRANGER: "PENDING"}
        denied = [r for r in cloud.journal if r.kind == "call" and r.status == "denied"]
        assert denied == [], "the door may do all that it tries"
        sagemaker, s3 = as_people(cloud, "sagemaker"), as_people(cloud, "s3")
        card = arn_of(OWNER)
        assert sagemaker.describe_model_card(ModelCardName=card)["Content"] == CONTENT
        assert may(sagemaker.update_model_card, ModelCardName=card, Content=CONTENT) is edits
        assert may(s3.get_object, **copy_of(cloud, OWNER))
        assert not may(s3.get_object, **copy_of(cloud, STRANGER)), "only copies of the owner's"
