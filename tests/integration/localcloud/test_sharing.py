"""Model cards across accounts: dev and test edit, prod reads, a stranger gets nothing."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pypdf import PdfReader

from localcloud import Cloud
from signalbox.adapters.resource_shares import ResourceShares
from signalbox.domain.share_plan import Create, Grant, Permit
from signalbox.errors import Rejected, Transient
from tests.integration.localcloud.builds import write_build
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.sharing import (
    ARN,
    DEV,
    EXPORTING,
    MANAGED,
    OWNER,
    PROD,
    QUEUE,
    STRANGER,
    TEST,
    TOGETHER,
    accept,
    allow,
    client_of,
    content,
    denied,
    make_card,
    reading,
    refusal,
    role,
    share,
    status,
)

CALLS = {
    "describe_model_card": {"ModelCardName": ARN},
    "list_model_card_versions": {"ModelCardName": ARN},
    "update_model_card": {"ModelCardName": ARN, "ModelCardStatus": "Approved"},
    "create_model_card_export_job": {
        "ModelCardName": ARN, "ModelCardExportJobName": "job",
        "OutputConfig": {"S3OutputPath": "s3://papers"},
    },
    "describe_model_card_export_job": {"ModelCardExportJobArn": f"{ARN}/export-job/job"},
    "delete_model_card": {"ModelCardName": ARN},
    "list_model_card_export_jobs": {"ModelCardName": ARN},
}  # fmt: skip
EDITS = {"describe_model_card", "list_model_card_versions", "update_model_card"}
READS = {"describe_model_card", "list_model_card_versions"}


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    cloud = deploy(QUEUE)
    make_card(cloud)
    return cloud


def may(cloud: Cloud, account: str) -> set[str]:
    """The calls on the owner's card that an account's administrator is not denied."""
    client = cloud.client("sagemaker", account)
    refused = ("AccessDeniedException",)
    allowed = set()
    for name, members in CALLS.items():
        try:
            getattr(client, name)(**members)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in refused:
                continue
        allowed.add(name)
    return allowed


def test_five_accounts_with_invitations(cloud: Cloud) -> None:
    share(cloud, DEV, name="editing")
    share(cloud, TEST, permission=EXPORTING, name="exporting")
    share(cloud, PROD, permission=reading(cloud), name="reading")
    assert [may(cloud, each) for each in (DEV, TEST, PROD, STRANGER)] == [set()] * 4
    for each in (DEV, TEST, PROD):
        accept(cloud, each)
    assert may(cloud, DEV) == EDITS
    assert may(cloud, TEST) == EDITS | {
        "create_model_card_export_job",
        "describe_model_card_export_job",
    }
    assert may(cloud, PROD) == READS
    assert may(cloud, STRANGER) == set()
    assert status(cloud) == "Approved"


def test_five_accounts_of_which_four_are_an_organization(deploy: Deploy) -> None:
    cloud = deploy(QUEUE, sharing=TOGETHER)
    make_card(cloud)
    cloud.client("ram").enable_sharing_with_aws_organization()
    share(cloud, DEV, TEST, name="editing", allowExternalPrincipals=False)
    share(cloud, PROD, permission=reading(cloud), name="reading")
    assert [may(cloud, each) for each in (DEV, TEST, PROD)] == [EDITS, EDITS, READS]
    assert may(cloud, STRANGER) == set()
    for each in (DEV, PROD):
        invitations = cloud.client("ram", each).get_resource_share_invitations()
        assert invitations["resourceShareInvitations"] == []


def test_the_whole_organization_at_once(deploy: Deploy) -> None:
    cloud = deploy(QUEUE, sharing=TOGETHER)
    make_card(cloud)
    assert TOGETHER.organization is not None
    cloud.client("ram").enable_sharing_with_aws_organization()
    arn = share(cloud, TOGETHER.organization.arn)
    assert [may(cloud, each) for each in (DEV, TEST, PROD)] == [EDITS] * 3
    assert may(cloud, STRANGER) == set()
    cloud.client("ram").disassociate_resource_share(
        resourceShareArn=arn, principals=[TOGETHER.organization.arn]
    )
    assert may(cloud, DEV) == set()


def test_the_owner_and_others_names_are_not_mixed_up(cloud: Cloud) -> None:
    share(cloud, DEV)
    accept(cloud, DEV)
    theirs = cloud.client("sagemaker", DEV)
    assert refusal(theirs.describe_model_card, ModelCardName="pumps") == "ResourceNotFound"
    assert theirs.list_model_cards()["ModelCardSummaries"] == []
    theirs.create_model_card(ModelCardName="pumps", Content="{}", ModelCardStatus="Draft")
    theirs.update_model_card(ModelCardName=ARN, Content=content(business_details={}))
    assert theirs.describe_model_card(ModelCardName="pumps")["ModelCardVersion"] == 1
    own = cloud.client("sagemaker")
    assert own.describe_model_card(ModelCardName="pumps")["ModelCardVersion"] == 2
    events = [r.detail for r in cloud.journal if r.name == "SageMaker Model Card State Change"]
    assert [each["account"] for each in events] == [OWNER, DEV, OWNER]


def test_access_ends_with_the_share_the_principal_or_the_resource(cloud: Cloud) -> None:
    ram = cloud.client("ram")
    arn = share(cloud, DEV)
    accept(cloud, DEV)
    assert may(cloud, DEV) == EDITS
    ram.disassociate_resource_share(resourceShareArn=arn, resourceArns=[ARN])
    assert may(cloud, DEV) == set()
    ram.associate_resource_share(resourceShareArn=arn, resourceArns=[ARN])
    assert may(cloud, DEV) == EDITS
    ram.disassociate_resource_share(resourceShareArn=arn, principals=[DEV])
    assert may(cloud, DEV) == set()
    ram.associate_resource_share(resourceShareArn=arn, principals=[DEV])
    assert may(cloud, DEV) == set()  # invited again, and not there yet
    accept(cloud, DEV)
    assert may(cloud, DEV) == EDITS
    ram.delete_resource_share(resourceShareArn=arn)
    assert may(cloud, DEV) == set()


def test_a_card_made_again_is_not_shared(cloud: Cloud) -> None:
    share(cloud, DEV)
    accept(cloud, DEV)
    cloud.client("sagemaker").delete_model_card(ModelCardName="pumps")
    assert may(cloud, DEV) == set()
    make_card(cloud)
    assert may(cloud, DEV) == set()


def test_tags_stay_with_the_owner(cloud: Cloud) -> None:
    share(cloud, DEV)
    accept(cloud, DEV)
    theirs = cloud.client("sagemaker", DEV)
    theirs.create_model_card(ModelCardName="pumps", Content="{}", ModelCardStatus="Draft")
    assert denied(theirs.add_tags, ResourceArn=ARN, Tags=[{"Key": "a", "Value": "b"}])
    assert denied(theirs.list_tags, ResourceArn=ARN)
    own = theirs.describe_model_card(ModelCardName="pumps")["ModelCardArn"]
    assert theirs.list_tags(ResourceArn=own)["Tags"] == []


def test_an_account_can_leave_a_share_it_was_invited_to(cloud: Cloud) -> None:
    arn = share(cloud, DEV)
    accept(cloud, DEV)
    theirs = cloud.client("ram", DEV)
    leave = theirs.disassociate_resource_share
    assert refusal(leave, resourceShareArn=arn, principals=[TEST]) == "UnknownResourceException"
    leave(resourceShareArn=arn, principals=[DEV])
    assert may(cloud, DEV) == set()


def test_another_permission_takes_the_place_of_the_first(cloud: Cloud) -> None:
    ram, arn = cloud.client("ram"), share(cloud, DEV)
    accept(cloud, DEV)
    change = ram.associate_resource_share_permission
    more = {"resourceShareArn": arn, "permissionArn": reading(cloud)}
    assert refusal(change, **more) == "InvalidParameterException"
    assert may(cloud, DEV) == EDITS
    assert change(**more, replace=True)["returnValue"]
    assert may(cloud, DEV) == READS


def test_a_role_needs_its_own_policy_and_the_share(cloud: Cloud) -> None:
    reads = allow("sagemaker:DescribeModelCard", on=ARN)
    reader = client_of(role(cloud, DEV, "Reader", reads), "sagemaker")
    nobody = client_of(role(cloud, DEV, "Nobody"), "sagemaker")
    anything = client_of(role(cloud, DEV, "Anything", allow("*")), "sagemaker")
    barred = client_of(
        role(cloud, DEV, "Barred", allow("*"), allow("sagemaker:Update*", effect="Deny")),
        "sagemaker",
    )
    for each in (reader, anything):
        assert denied(each.describe_model_card, ModelCardName=ARN)
    share(cloud, DEV)
    accept(cloud, DEV)
    assert reader.describe_model_card(ModelCardName=ARN)["ModelCardName"] == "pumps"
    assert denied(reader.list_model_card_versions, ModelCardName=ARN)
    assert denied(nobody.describe_model_card, ModelCardName=ARN)
    assert denied(anything.delete_model_card, ModelCardName=ARN)
    edit = {"ModelCardName": ARN, "ModelCardStatus": "Approved"}
    assert denied(barred.update_model_card, **edit)
    assert denied(reader.update_model_card, **edit)
    assert status(cloud) == "Draft"
    anything.update_model_card(**edit)
    assert status(cloud) == "Approved"
    (record, *_) = (r for r in cloud.journal if r.status == "denied")
    assert "arn:aws:iam::222222222222:role" in str(record.detail["principal"]).replace(
        "sts", "iam"
    ).replace("assumed-role", "role")


def test_who_changes_the_permission_of_a_share_needs_it_on_share_and_permission(
    cloud: Cloud,
) -> None:
    arn, reader = share(cloud, DEV), reading(cloud)
    changes = "ram:AssociateResourceSharePermission"
    half = client_of(role(cloud, OWNER, "Half", allow(changes, on=arn)), "ram")
    both = allow(changes, on=arn), allow(changes, on=reader)
    whole = client_of(role(cloud, OWNER, "Whole", *both), "ram")
    asked = {"resourceShareArn": arn, "permissionArn": reader, "replace": True}
    assert denied(half.associate_resource_share_permission, **asked)
    assert whole.associate_resource_share_permission(**asked)["returnValue"]


@pytest.mark.parametrize("account", ["nobody", "arn:aws:iam::222222222222:role/me", OWNER])
def test_a_principal_that_is_no_account_is_refused_and_nothing_else_is_held_up(
    cloud: Cloud, account: str
) -> None:
    ram = cloud.client("ram")
    shares, said = ResourceShares(OWNER, "eu-west-1", "aws", ram), set()
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            shares.do(Create(Grant("cards", ARN, account, MANAGED, external=True)))
        said.add((caught.value.reason, caught.value.message))
    ((reason, message),) = said  # in the same words each time
    assert reason in {"InvalidParameterException", "OperationNotPermittedException"}
    assert message.startswith(reason)
    assert ram.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []


def test_whom_a_share_does_not_let_go_is_trouble(cloud: Cloud) -> None:
    shares = ResourceShares(OWNER, "eu-west-1", "aws", cloud.client("ram"))
    with pytest.raises(Transient, match=r"InvalidParameter|MalformedArn"):
        shares.do(Permit(share(cloud, DEV), "no-permission"))


def test_an_export_is_written_as_the_role_that_asked(cloud: Cloud) -> None:
    cloud.client("s3", TEST).create_bucket(
        Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    share(cloud, TEST, permission=EXPORTING)
    accept(cloud, TEST)
    exports = allow("sagemaker:*ModelCardExportJob", on=f"{ARN}*")
    writes = allow("s3:PutObject", on="arn:aws:s3:::theirs/cards/*")
    asked = {"ModelCardName": ARN, "OutputConfig": {"S3OutputPath": "s3://theirs/cards"}}

    def export(session: boto3.Session, name: str) -> dict[str, Any]:
        client = client_of(session, "sagemaker")
        arn = client.create_model_card_export_job(ModelCardExportJobName=name, **asked)
        cloud.run_until_idle()
        job: dict[str, Any] = client.describe_model_card_export_job(
            ModelCardExportJobArn=arn["ModelCardExportJobArn"]
        )
        return job

    done = export(role(cloud, TEST, "Exporter", exports, writes), "one")
    assert done["Status"] == "Completed"
    assert done["ModelCardExportJobArn"] == f"{ARN}/export-job/one"  # the owner's
    key = done["ExportArtifacts"]["S3ExportArtifacts"].removeprefix("s3://theirs/")
    body = cloud.client("s3", TEST).get_object(Bucket="theirs", Key=key)["Body"].read()
    assert "Warns before pumps fail." in PdfReader(io.BytesIO(body)).pages[0].extract_text()
    failed = export(role(cloud, TEST, "Poor", exports), "two")
    assert failed["Status"] == "Failed"
    assert "AccessDenied" in failed["FailureReason"]
    assert "s3:PutObject" in failed["FailureReason"]
    owned = cloud.client("sagemaker").list_model_card_export_jobs(ModelCardName="pumps")
    assert len(owned["ModelCardExportJobSummaries"]) == 2


def test_an_expired_invitation_lets_nobody_in(cloud: Cloud) -> None:
    arn = share(cloud, DEV)
    cloud.run_for(timedelta(hours=12, seconds=1))
    ram, theirs = cloud.client("ram"), cloud.client("ram", DEV)
    (late,) = theirs.get_resource_share_invitations()["resourceShareInvitations"]
    assert late["status"] == "EXPIRED"
    expired = "ResourceShareInvitationExpiredException"
    named = {"resourceShareInvitationArn": late["resourceShareInvitationArn"]}
    assert refusal(theirs.accept_resource_share_invitation, **named) == expired
    assert refusal(theirs.reject_resource_share_invitation, **named) == expired
    assert refusal(theirs.list_pending_invitation_resources, **named) == expired
    assert may(cloud, DEV) == set()
    (there,) = ram.get_resource_share_associations(
        associationType="PRINCIPAL", resourceShareArns=[arn]
    )["resourceShareAssociations"]
    assert there["status"] == "FAILED"
    ram.associate_resource_share(resourceShareArn=arn, principals=[DEV])
    accept(cloud, DEV)
    assert may(cloud, DEV) == EDITS


def test_an_invitation_can_be_accepted_until_the_twelfth_hour(cloud: Cloud) -> None:
    share(cloud, DEV)
    cloud.run_for(timedelta(hours=12))
    accept(cloud, DEV)
    assert may(cloud, DEV) == EDITS


def key(cloud: Cloud, *accounts: str) -> str:
    """The owner's key, which lets other accounts use it for the owner's cards; returns its ARN."""
    used = {
        "Effect": "Allow",
        "Principal": {"AWS": list(accounts)},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {
            "Bool": {"kms:GrantIsForAWSResource": True},
            "StringEquals": {"kms:ViaService": "sagemaker.eu-west-1.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:sagemaker:model-card-arn": f"{ARN}*"},
        },
    }
    own = {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [own, used]})
    return str(cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])


def test_an_encrypted_card_takes_its_key_too(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    cloud.client("sagemaker").create_model_card(
        ModelCardName="pumps", Content=content(), ModelCardStatus="Draft",
        SecurityConfig={"KmsKeyId": key(cloud, DEV)},
    )  # fmt: skip
    share(cloud, DEV, TEST)
    accept(cloud, DEV)
    accept(cloud, TEST)
    assert may(cloud, DEV) == EDITS
    assert may(cloud, TEST) == {"list_model_card_versions"}
    metadata = {"ModelCardName": ARN, "IncludedData": "MetadataOnly"}
    assert cloud.client("sagemaker", TEST).describe_model_card(**metadata)
    poor = client_of(role(cloud, DEV, "Poor", allow("sagemaker:*")), "sagemaker")
    assert denied(poor.describe_model_card, ModelCardName=ARN)
    rich = client_of(role(cloud, DEV, "Rich", allow("sagemaker:*", "kms:Decrypt")), "sagemaker")
    assert rich.describe_model_card(ModelCardName=ARN)["SecurityConfig"]


def test_over_http_the_same_holds(cloud: Cloud) -> None:
    share(cloud, DEV)
    given = cloud.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{DEV}:role/Any", RoleSessionName="test"
    )["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], "eu-west-1"
    )
    ram = session.client("ram", endpoint_url=cloud.endpoint)
    cards = session.client("sagemaker", endpoint_url=cloud.endpoint)
    assert denied(cards.describe_model_card, ModelCardName=ARN)
    (invited,) = ram.get_resource_share_invitations()["resourceShareInvitations"]
    ram.accept_resource_share_invitation(
        resourceShareInvitationArn=invited["resourceShareInvitationArn"]
    )
    assert cards.describe_model_card(ModelCardName=ARN)["ModelCardArn"] == ARN
    assert denied(cards.delete_model_card, ModelCardName=ARN)


def test_what_is_shared_outlives_the_cloud(tmp_path: Path) -> None:
    build, state = write_build(tmp_path, QUEUE, {}), tmp_path / "state"
    asked = {"name": "once", "resourceArns": [ARN], "principals": [DEV], "clientToken": "once"}
    with Cloud(build, state=state, sharing=TOGETHER) as first:
        first.deploy()
        make_card(first)
        cards, ram = first.client("sagemaker"), first.client("ram")
        cards.update_model_card(ModelCardName="pumps", Content=content(business_details={}))
        cards.add_tags(ResourceArn=ARN, Tags=[{"Key": "stage", "Value": "test"}])
        ram.enable_sharing_with_aws_organization()
        once = ram.create_resource_share(**asked)["resourceShare"]["resourceShareArn"]
        share(first, STRANGER, permission=reading(first))
        cards.create_model_card_export_job(
            ModelCardName="pumps", ModelCardExportJobName="late",
            OutputConfig={"S3OutputPath": "s3://papers"},
        )  # fmt: skip
    assert [each.partition(",")[0] for each in first.left_behind] == ["CardExports._run"]
    with Cloud(build, state=state, sharing=TOGETHER) as second:
        second.deploy()
        cards = second.client("sagemaker")
        assert cards.describe_model_card(ModelCardName="pumps")["ModelCardVersion"] == 2
        assert [each["Key"] for each in cards.list_tags(ResourceArn=ARN)["Tags"]] == ["stage"]
        job = cards.describe_model_card_export_job(ModelCardExportJobArn=f"{ARN}/export-job/late")
        assert job["Status"] == "Failed"
        assert "the cloud ended" in job["FailureReason"]
        again = second.client("ram").create_resource_share(**asked)
        assert again["resourceShare"]["resourceShareArn"] == once
        assert may(second, DEV) == EDITS
        assert may(second, STRANGER) == set()
        accept(second, STRANGER)
        assert may(second, STRANGER) == READS
