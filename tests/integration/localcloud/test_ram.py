"""AWS RAM's own rules: principals, resources, invitations, permissions, tokens, lists, events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, DeployError
from localcloud.shares import SharingRules
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.sharing import (
    ARN,
    DEV,
    EXPORTING,
    MANAGED,
    OWNER,
    PROD,
    QUEUE,
    READING,
    STRANGER,
    TEST,
    TOGETHER,
    accept,
    allow,
    client_of,
    denied,
    invitation,
    make_card,
    reading,
    refusal,
    role,
    share,
)

CHANGED = "Resource Sharing State Change"


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    cloud = deploy(QUEUE)
    make_card(cloud)
    return cloud


@pytest.fixture
def ram(cloud: Cloud) -> Any:
    return cloud.client("ram")


PRINCIPALS = {
    "12345": ("InvalidParameterException", "Principal ID 12345 is malformed. Verify the ID"),
    "o-123random": ("InvalidParameterException", "Principal ID o-123random is malformed"),
    "arn:aws:iam::222222222222:root": ("InvalidParameterException", "is malformed"),
    OWNER: ("InvalidParameterException", "cannot be shared with its owner"),
    "arn:aws:iam::222222222222:role/Reader": ("OperationNotPermittedException", "with accounts"),
    "arn:aws:organizations::111111111111:organization/o-else": (
        "UnknownResourceException", "Organization o-else could not be found.",
    ),
    "arn:aws:organizations::111111111111:ou/o-else/ou-ab12-x": (
        "UnknownResourceException", "OrganizationalUnit ou-ab12-x in unknown organization",
    ),
}  # fmt: skip


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_principal_that_cannot_be_one(ram: Any, principal: str) -> None:
    code, said = PRINCIPALS[principal]
    with pytest.raises(ClientError, match=said) as caught:
        ram.create_resource_share(name="cards", resourceArns=[ARN], principals=[DEV, principal])
    assert caught.value.response["Error"]["Code"] == code
    assert ram.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []


def test_a_resource_that_cannot_be_shared(cloud: Cloud, ram: Any) -> None:
    def code(arn: str) -> str:
        return refusal(ram.create_resource_share, name="cards", resourceArns=[arn])

    assert code("pumps") == "MalformedArnException"
    assert code(f"arn:aws:sagemaker:eu-west-1:{OWNER}:model/pumps") == "MalformedArnException"
    assert code(f"{ARN}/export-job/job") == "MalformedArnException"
    assert code(f"{ARN}x") == "UnknownResourceException"
    theirs = cloud.client("sagemaker", DEV).create_model_card(
        ModelCardName="theirs", Content="{}", ModelCardStatus="Draft"
    )["ModelCardArn"]
    assert code(theirs) == "OperationNotPermittedException"


def test_a_repeated_call_with_its_token_shares_once(cloud: Cloud, ram: Any) -> None:
    asked = {"name": "cards", "resourceArns": [ARN], "principals": [DEV], "clientToken": "once"}
    first, again = ram.create_resource_share(**asked), ram.create_resource_share(**asked)
    assert first["resourceShare"] == again["resourceShare"]
    assert again["clientToken"] == "once"
    assert len(ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]) == 1
    received = cloud.client("ram", DEV).get_resource_share_invitations()
    assert len(received["resourceShareInvitations"]) == 1
    other = {**asked, "principals": [TEST]}
    mismatch = "IdempotentParameterMismatchException"
    assert refusal(ram.create_resource_share, **other) == mismatch
    theirs = cloud.client("ram", DEV)
    accepted = {"resourceShareInvitationArn": invitation(cloud, DEV), "clientToken": "once"}
    for _ in range(2):
        answer = theirs.accept_resource_share_invitation(**accepted)
        assert answer["resourceShareInvitation"]["status"] == "ACCEPTED"
    ended = {"resourceShareArn": first["resourceShare"]["resourceShareArn"], "clientToken": "gone"}
    assert ram.delete_resource_share(**ended)["returnValue"]
    assert ram.delete_resource_share(**ended)["returnValue"]
    assert ram.create_resource_share(**asked)["resourceShare"] == first["resourceShare"]


def test_without_a_token_each_call_is_its_own(ram: Any) -> None:
    one = ram.create_resource_share(name="cards")
    two = ram.create_resource_share(name="cards")
    assert one["resourceShare"]["resourceShareArn"] != two["resourceShare"]["resourceShareArn"]
    assert one["clientToken"] != two["clientToken"]


def test_invitations_are_answered_once_by_those_invited(cloud: Cloud, ram: Any) -> None:
    arn = share(cloud, DEV)
    named = {"resourceShareInvitationArn": invitation(cloud, DEV)}
    for account in (OWNER, STRANGER):
        take = cloud.client("ram", account).accept_resource_share_invitation
        assert refusal(take, **named) == "ResourceShareInvitationArnNotFoundException"
    theirs = cloud.client("ram", DEV)
    (pending,) = theirs.list_pending_invitation_resources(**named)["resources"]
    assert (pending["arn"], pending["type"], pending["status"]) == (
        ARN, "sagemaker:ModelCard", "PENDING",
    )  # fmt: skip
    theirs.reject_resource_share_invitation(**named)
    rejected = "ResourceShareInvitationAlreadyRejectedException"
    assert refusal(theirs.accept_resource_share_invitation, **named) == rejected
    ram.associate_resource_share(resourceShareArn=arn, principals=[DEV])
    accept(cloud, DEV)
    again = {"resourceShareInvitationArn": invitation(cloud, DEV)}
    accepted = "ResourceShareInvitationAlreadyAcceptedException"
    assert refusal(theirs.accept_resource_share_invitation, **again) == accepted
    states = theirs.get_resource_share_invitations()["resourceShareInvitations"]
    assert [each["status"] for each in states] == ["REJECTED", "ACCEPTED"]
    odd = {"resourceShareInvitationArn": "arn:aws:ram:odd"}
    assert refusal(theirs.accept_resource_share_invitation, **odd) == "MalformedArnException"


def test_who_is_invited_already_is_not_invited_again(cloud: Cloud, ram: Any) -> None:
    arn = share(cloud, DEV)
    ram.associate_resource_share(resourceShareArn=arn, principals=[DEV])
    received = cloud.client("ram", DEV).get_resource_share_invitations()
    assert len(received["resourceShareInvitations"]) == 1


def test_an_invitation_ends_with_what_it_was_for(cloud: Cloud, ram: Any) -> None:
    arn = share(cloud, DEV)
    named = {"resourceShareInvitationArn": invitation(cloud, DEV)}
    ram.disassociate_resource_share(resourceShareArn=arn, principals=[DEV])
    theirs = cloud.client("ram", DEV)
    gone = "ResourceShareInvitationArnNotFoundException"
    assert refusal(theirs.accept_resource_share_invitation, **named) == gone


def test_an_organization_shares_only_once_it_is_enabled(deploy: Deploy) -> None:
    cloud = deploy(QUEUE, sharing=TOGETHER)
    make_card(cloud)
    ram = cloud.client("ram")
    enable = cloud.client("ram", DEV).enable_sharing_with_aws_organization
    assert refusal(enable) == "OperationNotPermittedException"
    assert TOGETHER.organization is not None
    everyone = {"name": "all", "principals": [TOGETHER.organization.arn]}
    assert refusal(ram.create_resource_share, **everyone) == "OperationNotPermittedException"
    within = {"name": "within", "principals": [DEV], "allowExternalPrincipals": False}
    assert refusal(ram.create_resource_share, **within) == "OperationNotPermittedException"
    share(cloud, DEV)  # as if DEV were outside
    assert invitation(cloud, DEV)
    assert ram.enable_sharing_with_aws_organization()["returnValue"]
    ram.create_resource_share(**within)
    outside = {**within, "principals": [STRANGER]}
    with pytest.raises(ClientError, match="only be shared within your AWS Organization"):
        ram.create_resource_share(**outside)
    share(cloud, STRANGER, name="outside")
    found = ram.list_principals(resourceOwner="SELF")["principals"]
    assert [(each["id"], each["external"]) for each in found] == [(DEV, False)]
    leave = cloud.client("ram", DEV).disassociate_resource_share
    (joined,) = cloud.client("ram", DEV).get_resource_shares(resourceOwner="OTHER-ACCOUNTS")[
        "resourceShares"
    ]
    named = {"resourceShareArn": joined["resourceShareArn"], "principals": [DEV]}
    assert refusal(leave, **named) == "OperationNotPermittedException"


def test_no_organization_nothing_to_enable(ram: Any) -> None:
    enable = ram.enable_sharing_with_aws_organization
    assert refusal(enable) == "OperationNotPermittedException"


def test_permissions_of_aws_and_of_the_customer(cloud: Cloud, ram: Any) -> None:
    found = ram.list_permissions(resourceType="sagemaker:modelcard")["permissions"]
    assert [(each["arn"], each["isResourceTypeDefault"]) for each in found] == [
        (MANAGED, True), (EXPORTING, False),
    ]  # fmt: skip
    own = reading(cloud)
    assert own == f"arn:aws:ram:eu-west-1:{OWNER}:permission/read-cards"
    shown = ram.get_permission(permissionArn=own)["permission"]
    assert json.loads(shown["permission"]) == {"Effect": "Allow", "Action": READING}
    assert shown["permissionType"] == "CUSTOMER_MANAGED"
    of_managed = ram.get_permission(permissionArn=MANAGED)["permission"]["permission"]
    assert "sagemaker:UpdateModelCard" in json.loads(of_managed)["Action"]
    mine = ram.list_permissions(permissionType="CUSTOMER_MANAGED")["permissions"]
    assert [each["arn"] for each in mine] == [own]
    assert len(cloud.client("ram", DEV).list_permissions()["permissions"]) == 2
    theirs = cloud.client("ram", DEV)
    assert refusal(theirs.get_permission, permissionArn=own) == "UnknownResourceException"
    assert refusal(ram.delete_permission, permissionArn=MANAGED) == "OperationNotPermittedException"
    arn = share(cloud, permission=own)
    assert refusal(ram.delete_permission, permissionArn=own) == "OperationNotPermittedException"
    ram.delete_resource_share(resourceShareArn=arn)
    assert ram.delete_permission(permissionArn=own)["permissionStatus"] == "DELETED"
    assert refusal(ram.get_permission, permissionArn=own) == "UnknownResourceException"


TEMPLATES = {
    "no JSON": ("{", "MalformedPolicyTemplateException"),
    "a principal": ('{"Effect": "Allow", "Action": [], "Principal": "*"}',
                    "MalformedPolicyTemplateException"),
    "a denial": ('{"Effect": "Deny", "Action": "sagemaker:DescribeModelCard"}',
                 "MalformedPolicyTemplateException"),
    "nothing": ('{"Effect": "Allow", "Action": []}', "InvalidPolicyException"),
    "another type's": ('{"Effect": "Allow", "Action": ["sagemaker:DescribeModel"]}',
                       "InvalidPolicyException"),
    "never shared": ('{"Effect": "Allow", "Action": ["sagemaker:DeleteModelCard"]}',
                     "InvalidPolicyException"),
    "unknown key": ('{"Effect": "Allow", "Action": ["sagemaker:DescribeModelCard"],'
                    ' "Condition": {"StringEquals": {"odd:key": "x"}}}',
                    "MalformedPolicyTemplateException"),
}  # fmt: skip


@pytest.mark.parametrize("case", TEMPLATES)
def test_a_template_that_is_none(ram: Any, case: str) -> None:
    template, code = TEMPLATES[case]
    named = {"name": "odd", "resourceType": "sagemaker:ModelCard", "policyTemplate": template}
    assert refusal(ram.create_permission, **named) == code


def test_names_and_types_of_permissions(cloud: Cloud, ram: Any) -> None:
    reading(cloud)
    template = json.dumps({"Effect": "ALLOW", "Action": READING})
    named = {
        "name": "read-cards",
        "resourceType": "sagemaker:ModelCard",
        "policyTemplate": template,
    }
    make = ram.create_permission
    assert refusal(make, **named) == "PermissionAlreadyExistsException"
    assert refusal(make, **{**named, "name": "x" * 37}) == "InvalidParameterException"
    odd = {**named, "resourceType": "sagemaker:modelcard"}
    assert refusal(make, **odd) == "InvalidParameterException"
    assert make(**{**named, "name": "other"})["permission"]["status"] == "ATTACHABLE"


def test_ram_may_make_no_permission_of_the_customers_own(deploy: Deploy) -> None:
    cloud = deploy(QUEUE, sharing=SharingRules(customer_permissions=False))
    make_card(cloud)
    with pytest.raises(ClientError, match="not supported for sagemaker:ModelCard") as caught:
        reading(cloud)
    assert caught.value.response["Error"]["Code"] == "OperationNotPermittedException"
    assert share(cloud, DEV)


def test_conditions_of_a_permission_hold(cloud: Cloud) -> None:
    template = {
        "Effect": "Allow",
        "Action": READING,
        "Condition": {"StringEquals": {"aws:PrincipalAccount": TEST}},
    }
    made = cloud.client("ram").create_permission(
        name="for-test", resourceType="sagemaker:ModelCard", policyTemplate=json.dumps(template)
    )
    share(cloud, DEV, TEST, permission=made["permission"]["arn"])
    accept(cloud, DEV)
    accept(cloud, TEST)
    assert denied(cloud.client("sagemaker", DEV).describe_model_card, ModelCardName=ARN)
    assert cloud.client("sagemaker", TEST).describe_model_card(ModelCardName=ARN)


def test_two_permissions_for_one_type_are_one_too_many(ram: Any) -> None:
    named = {"name": "cards", "permissionArns": [MANAGED, EXPORTING]}
    assert refusal(ram.create_resource_share, **named) == "InvalidParameterException"
    unknown = {"name": "cards", "permissionArns": [f"{MANAGED}X"]}
    assert refusal(ram.create_resource_share, **unknown) == "UnknownResourceException"


def test_both_sides_see_what_is_shared(cloud: Cloud, ram: Any) -> None:
    arn = share(cloud, DEV, PROD, tags=[{"key": "stage", "value": "dev"}])
    theirs = cloud.client("ram", DEV)
    other = {"resourceOwner": "OTHER-ACCOUNTS"}
    assert theirs.get_resource_shares(**other)["resourceShares"] == []
    accept(cloud, DEV)
    (seen,) = theirs.get_resource_shares(**other)["resourceShares"]
    assert (seen["resourceShareArn"], seen["owningAccountId"]) == (arn, OWNER)
    (resource,) = theirs.list_resources(**other)["resources"]
    assert (resource["arn"], resource["status"]) == (ARN, "AVAILABLE")
    assert [each["id"] for each in theirs.list_principals(**other)["principals"]] == [OWNER]
    assert theirs.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []
    (own,) = ram.get_resource_shares(
        resourceOwner="SELF", tagFilters=[{"tagKey": "stage", "tagValues": ["dev"]}]
    )["resourceShares"]
    assert own["resourceShareArn"] == arn
    assert [each["id"] for each in ram.list_principals(resourceOwner="SELF")["principals"]] == [DEV]
    found = ram.get_resource_share_associations(associationType="PRINCIPAL")
    states = {
        each["associatedEntity"]: (each["status"], each["external"])
        for each in found["resourceShareAssociations"]
    }
    assert states == {DEV: ("ASSOCIATED", True), PROD: ("ASSOCIATING", True)}
    (permission,) = ram.list_resource_share_permissions(resourceShareArn=arn)["permissions"]
    assert permission["arn"] == MANAGED
    (policy,) = ram.get_resource_policies(resourceArns=[ARN])["policies"]
    assert json.loads(policy)["Statement"][0]["Principal"] == {"AWS": [DEV]}
    cloud.client("sagemaker").delete_model_card(ModelCardName="pumps")
    assert theirs.list_resources(**other)["resources"] == []
    ram.delete_resource_share(resourceShareArn=arn)
    assert theirs.get_resource_shares(**other)["resourceShares"] == []
    (own,) = ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert own["status"] == "DELETED"


def test_a_share_changes_its_name_and_who_may_come_in(cloud: Cloud, ram: Any) -> None:
    arn = share(cloud, DEV)
    accept(cloud, DEV)
    close = {"resourceShareArn": arn, "allowExternalPrincipals": False}
    assert refusal(ram.update_resource_share, **close) == "OperationNotPermittedException"
    answer = ram.update_resource_share(resourceShareArn=arn, name="papers")
    assert answer["resourceShare"]["name"] == "papers"
    update = cloud.client("ram", DEV).update_resource_share
    assert refusal(update, resourceShareArn=arn, name="x") == "UnknownResourceException"
    assert refusal(ram.update_resource_share, resourceShareArn="x") == "MalformedArnException"
    ram.delete_resource_share(resourceShareArn=arn)
    add = {"resourceShareArn": arn, "principals": [TEST]}
    gone = "InvalidStateTransitionException"
    assert refusal(ram.associate_resource_share, **add) == gone


def test_what_is_not_played_is_refused(cloud: Cloud, ram: Any) -> None:
    make = ram.create_resource_share
    sourced = {"name": "cards", "sources": [DEV]}
    assert refusal(make, **sourced) == "OperationNotPermittedException"
    kept = {"resourceShareConfiguration": {"retainSharingOnAccountLeaveOrganization": True}}
    assert refusal(make, name="cards", **kept) == "OperationNotPermittedException"
    assert refusal(make, name="cards/dev") == "InvalidParameterException"
    second = {"permissionArn": MANAGED, "permissionVersion": 2}
    assert refusal(ram.get_permission, **second) == "UnknownResourceException"
    own = ram.list_permissions(resourceOwner="SELF")["permissions"]
    assert own == []


def test_lists_come_in_pages(ram: Any) -> None:
    for place in range(3):
        ram.create_resource_share(name=f"share-{place}")
    first = ram.get_resource_shares(resourceOwner="SELF", maxResults=2)
    rest = ram.get_resource_shares(resourceOwner="SELF", maxResults=2, nextToken=first["nextToken"])
    names = [each["name"] for each in (*first["resourceShares"], *rest["resourceShares"])]
    assert names == ["share-0", "share-1", "share-2"]
    assert "nextToken" not in rest
    odd = {"resourceOwner": "SELF", "nextToken": "x"}
    assert refusal(ram.get_resource_shares, **odd) == "InvalidNextTokenException"
    assert refusal(ram.get_resource_shares, resourceOwner="ME") == "InvalidParameterException"


def test_a_role_needs_rams_own_permissions(cloud: Cloud) -> None:
    arn = share(cloud)
    watcher = allow("ram:GetResourceShares", "ram:AssociateResourceShare", on=arn)
    client = client_of(role(cloud, OWNER, "Sharer", watcher), "ram")
    assert denied(client.create_resource_share, name="more")
    assert client.associate_resource_share(resourceShareArn=arn, principals=[DEV])
    assert denied(client.delete_resource_share, resourceShareArn=arn)
    take = client_of(role(cloud, DEV, "Taker", allow("ram:AcceptResourceShareInvitation")), "ram")
    named = {"resourceShareInvitationArn": invitation(cloud, DEV)}
    assert denied(take.reject_resource_share_invitation, **named)
    assert take.accept_resource_share_invitation(**named)


def test_owner_and_principal_are_told(cloud: Cloud) -> None:
    arn = share(cloud, DEV)
    accept(cloud, DEV)
    cloud.client("ram").delete_resource_share(resourceShareArn=arn)
    told = [r.detail for r in cloud.journal if r.name == CHANGED]
    assert {each["source"] for each in told} == {"aws.ram"}
    assert all(each["resources"] == [arn] for each in told)
    joined = {"event": "Resource Share Association", "status": "associated"}
    ended = {"event": "Resource Share Association", "status": "disassociated"}
    invited = {"event": "Resource Share Invitation"}
    expected = {OWNER: [joined, invited, joined, ended, ended], DEV: [invited, joined, ended]}
    for account, details in expected.items():
        assert [each["detail"] for each in told if each["account"] == account] == details


TEMPLATE = """
  Reading:
    Type: AWS::RAM::Permission
    Properties:
      Name: reading
      ResourceType: sagemaker:ModelCard
      PolicyTemplate: {Effect: Allow, Action: [sagemaker:DescribeModelCard]}
  Cards:
    Type: AWS::RAM::ResourceShare
    Properties:
      Name: cards
      PermissionArns: [!Ref Reading]
      Principals: ["222222222222"]
      Tags: [{Key: stage, Value: dev}]
"""


def test_a_share_and_its_permission_come_from_the_template(deploy: Deploy) -> None:
    cloud = deploy(TEMPLATE)
    make_card(cloud)
    arn = cloud.physical_id("Cards")
    assert arn == cloud.stack.attribute("Cards", "Arn")
    (made,) = cloud.client("ram").get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert (made["resourceShareArn"], made["tags"]) == (arn, [{"key": "stage", "value": "dev"}])
    cloud.client("ram").associate_resource_share(resourceShareArn=arn, resourceArns=[ARN])
    accept(cloud, DEV)
    cards = cloud.client("sagemaker", DEV)
    assert cards.describe_model_card(ModelCardName=ARN)
    assert denied(cards.update_model_card, ModelCardName=ARN, ModelCardStatus="Approved")


def test_a_permission_that_is_not_granted_stops_the_deployment(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match=r"Reading.*not supported for sagemaker:ModelCard"):
        deploy(TEMPLATE, sharing=SharingRules(customer_permissions=False))
