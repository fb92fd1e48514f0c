"""The stack of an account that cards are shared with: deployed strictly, its door and its people at work."""

from __future__ import annotations

import json
import re
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
def consumer(
    folder: Path, executor: str, stage: str, *, keyed: bool = False
) -> Iterator[tuple[Cloud, str]]:
    """The account's cloud, and the ARN of a key of the owner's if there is one."""
    with Cloud(built(folder), executor=EXECUTORS[executor](), stack_name="cards") as cloud:
        key = key_of(cloud, OWNER) if keyed else ""
        told = {"OwnerAccount": OWNER, "Stage": stage, "CardKey": key}
        cloud.deploy(told, import_handlers=True)
        yield cloud, key
        assert [r.name for r in cloud.journal if r.kind == "dead-letter"] == []


def key_of(cloud: Cloud, account: str) -> str:
    """A key of an account whose policy is that of docs/deploy.md; returns its ARN."""
    (shown,) = re.findall(
        r"```json\n(.*?)\n```", (ROOT / "docs/deploy.md").read_text("utf-8"), re.DOTALL
    )
    used = json.loads(shown.replace("123456789012:model-card", f"{account}:model-card"))
    used["Principal"] = {"AWS": "123456789012"}
    own = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, used]})
    return str(cloud.client("kms", account).create_key(Policy=policy)["KeyMetadata"]["Arn"])


def share(cloud: Cloud, account: str, key: str = "") -> None:
    """Somebody shares a card with the account of the stack."""
    secured = {"SecurityConfig": {"KmsKeyId": key}} if key else {}
    cloud.client("sagemaker", account).create_model_card(
        ModelCardName=NAME, Content=CONTENT, ModelCardStatus="Draft", **secured
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


def copy_of(cloud: Cloud, account: str, kind: str = "shared") -> dict[str, str]:
    """A copy of a card in a bucket of an account, which lets the account of the stack read it."""
    place = {"Bucket": f"{kind}-of-{account}", "Key": f"cards/{kind}/{NAME}/card.json"}
    s3 = cloud.client("s3", account)
    s3.create_bucket(
        Bucket=place["Bucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3.put_object(**place, Body=CONTENT)
    bucket = f"arn:aws:s3:::{place['Bucket']}"
    given = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}}
    statements = [
        given | {"Action": "s3:GetObject", "Resource": f"{bucket}/cards/{kind}/*"},
        given | {
            "Action": "s3:ListBucket", "Resource": bucket,
            "Condition": {"StringLike": {"s3:prefix": f"cards/{kind}/*"}},
        },
    ]  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=place["Bucket"], Policy=policy)
    return place


@pytest.mark.parametrize(("stage", "edits"), [("dev", True), ("prod", False)])
def test_invitations_of_the_owner_are_accepted_and_people_do_what_their_stage_may(
    build: Path, tmp_path: Path, executor: str, stage: str, edits: bool
):
    with consumer(tmp_path, executor, stage) as (cloud, _):
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
        for kind in ("shared", "review"):
            copy = copy_of(cloud, OWNER, kind)
            assert may(s3.get_object, **copy)
            assert may(s3.list_objects_v2, Bucket=copy["Bucket"], Prefix=f"cards/{kind}/")
            assert not may(s3.list_objects_v2, Bucket=copy["Bucket"])
        copy = copy_of(cloud, STRANGER)
        assert not may(s3.get_object, **copy), "only copies of the owner's"
        assert not may(s3.list_objects_v2, Bucket=copy["Bucket"], Prefix="cards/shared/")


@pytest.mark.parametrize(("stage", "edits"), [("dev", True), ("prod", False)])
def test_cards_under_a_key_are_read_and_edited_with_it_and_nothing_else_is(
    build: Path, tmp_path: Path, executor: str, stage: str, edits: bool
):
    with consumer(tmp_path, executor, stage, keyed=True) as (cloud, key):
        share(cloud, OWNER, key)
        cloud.run_for(timedelta(hours=1))
        cloud.run_until_idle()
        sagemaker, kms = as_people(cloud, "sagemaker"), as_people(cloud, "kms")
        card = arn_of(OWNER)
        assert sagemaker.describe_model_card(ModelCardName=card)["Content"] == CONTENT
        assert may(sagemaker.update_model_card, ModelCardName=card, Content=CONTENT) is edits
        assert not may(kms.generate_data_key, KeyId=key, KeySpec="AES_256"), (
            "only through SageMaker"
        )


def test_without_the_key_in_its_stack_people_cannot_read_what_is_under_it(
    build: Path, tmp_path: Path, executor: str
):
    with consumer(tmp_path, executor, "dev") as (cloud, _):
        share(cloud, OWNER, key_of(cloud, OWNER))
        cloud.run_for(timedelta(hours=1))
        cloud.run_until_idle()
        assert not may(
            as_people(cloud, "sagemaker").describe_model_card, ModelCardName=arn_of(OWNER)
        )
