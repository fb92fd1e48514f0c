"""Model cards from a model's registration to its end, over five accounts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cli.approvals import models as show_models
from cli.cards import cards as show_cards
from cli.cards import shares as show_shares
from cli.workloads import load
from localcloud.shares import Organization, SharingRules
from tests.carded import ACCOUNTS, DEV, HUB, OWNER, PROD, QUALITY, STRANGER, TEST, arn_of, cards
from tests.fakes import sample
from tests.idle import OFTEN, stop_schedules

FIRST, SECOND = "1" * 32, "2" * 32
TOGETHER = SharingRules(Organization(frozenset({OWNER, DEV, TEST, PROD}), OWNER))
EDITOR = "AWSRAMPermissionSageMakerModelCards"
ONE, TWO = "signalbox-abalone-1", "signalbox-abalone-2"


@pytest.fixture
def carded(build, executor, permissions):
    """Makes the cloud of a test, and hands in what was granted and used."""

    @contextmanager
    def start(rules=None, **parameters):
        with cards(executor, rules, **parameters) as world:
            yield world
            assert not world.denied()
            permissions.granted |= set(world.cloud.granted)
            permissions.used |= world.cloud.used

    return start


def dead(world):
    """The doors that failed for good."""
    return {
        record.detail.get("function", record.name).removeprefix("signalbox-")
        for record in world.cloud.journal
        if record.kind == "dead-letter"
    }


def who(told):
    return [(each["card"], each["account"]) for each in told]


@pytest.mark.parametrize("together", [False, True], ids=["invited", "organization"])
def test_a_card_goes_from_account_to_account_as_its_model_goes(carded, together):
    rules, external = (TOGETHER, "false") if together else (None, "true")
    with carded(rules, ExternalAccounts=external) as world:
        if together:
            world.cloud.client("ram").enable_sharing_with_aws_organization()
        package = world.register(FIRST, quality=QUALITY)
        assert world.states() == {1: "PendingReview"}
        found = world.sagemaker.describe_model_card(ModelCardName=ONE)
        content = json.loads(found["Content"])
        words = load("abalone").operations
        assert content["model_overview"]["model_owner"] == words.owner
        assert content["intended_uses"]["purpose_of_model"] == words.card.purpose
        assert (
            content["evaluation_details"][0]["metric_groups"][0]["metric_data"][0]["value"] == 2.1
        )
        assert list(dict.fromkeys(world.changes(1))) == ["Draft", "dev", "PendingReview", "test"]
        first = "nothing" if together else "accepted"
        assert world.reads(DEV, 1) == together  # the others are invited, and did not accept
        assert [world.accept(each) for each in (DEV, TEST, PROD)] == [first, first, "nothing"]
        assert world.accept(DEV) == "nothing"
        assert world.reads(DEV, 1)
        assert world.edits(DEV, 1)
        assert world.edits(TEST, 1)
        assert not any(world.reads(each, 1) or world.edits(each, 1) for each in (PROD, STRANGER))
        world.cloud.run_until_idle()
        assert world.states() == {1: "PendingReview"}

        world.judge(package, "Approved")
        assert world.accept(PROD) == first
        for account in (DEV, TEST, PROD):
            assert world.reads(account, 1)
            assert not world.edits(account, 1)
        assert not world.reads(STRANGER, 1)
        assert not world.edits(STRANGER, 1)
        (pdf,) = world.copies()
        assert pdf.startswith(f"cards/{ONE}/")
        assert pdf.endswith(".pdf")
        told = world.told("ModelCardShared")
        assert set(who(told)) == {(ONE, DEV), (ONE, TEST), (ONE, PROD)}
        assert [each["access"] for each in told if each["account"] == PROD] == ["read"]
        assert {each["card_arn"] for each in told} == {arn_of(1)}

        world.judge(package, "PendingManualApproval")  # a board is to look again
        assert world.edits(DEV, 1)
        assert not world.reads(PROD, 1)
        world.judge(package, "Approved")
        assert not world.edits(DEV, 1)

        second = world.register(SECOND, quality=QUALITY)
        assert world.states() == {1: "Approved", 2: "PendingReview"}
        world.judge(second, "Approved")
        assert world.states() == {1: "Archived", 2: "Approved"}
        assert not any(world.reads(each, 1) for each in (DEV, TEST, PROD, STRANGER))
        assert set(who(world.told("ModelCardUnshared"))) == {(ONE, DEV), (ONE, TEST), (ONE, PROD)}
        world.judge(second, "Rejected")  # back to the one before
        assert world.states() == {1: "Approved", 2: "Archived"}
        assert set(world.shares()) == {f"{ONE}-{stage}" for stage in ("dev", "test", "prod")}
        _, shown = world.shown(show_cards, "abalone")
        assert [(each["card"], each["status"], each["shared with"]) for each in shown] == [
            (ONE, "Approved", [f"dev {DEV}", f"test {TEST}", f"prod {PROD}"]), (TWO, "Archived", []),
        ]  # fmt: skip
        _, shown = world.shown(show_models, "abalone")
        assert [(e["version"], e["promotion"], e["card"], e["accounts"]) for e in shown] == [
            (2, "withdrawn", "Archived", 0), (1, "promoted", "Approved", 3),
        ]  # fmt: skip
        assert [e["version"] for e in world.told("ModelPromoted")] == [1, 1, 2, 1]


def test_without_a_permission_that_only_reads_prod_has_a_copy(carded):
    with carded(SharingRules(customer_permissions=False), HubAccount=HUB) as world:
        package = world.register(FIRST, quality=QUALITY)
        assert set(world.shares()) == {f"{ONE}-dev", f"{ONE}-test"}
        review = world.copies()
        assert review[0] == f"cards/review/{ONE}/card.json"
        assert review[1].endswith(".pdf")
        for key in review:
            assert [world.reads_copy(each, key) for each in (HUB, PROD, STRANGER)] == [
                True, False, False,
            ]  # fmt: skip
        place = f"cards/review/{ONE}/"
        assert [world.lists(each, place) for each in (HUB, PROD, STRANGER)] == [True, False, False]
        _, rows = world.shown(show_shares)
        assert [(row["stage"], row["permission"]) for row in rows][-1] == ("hub", "copy")
        world.judge(package, "Approved")
        assert world.shares() == {}
        assert not [key for key in world.copies() if key.startswith("cards/review/")]
        _, rows = world.shown(show_shares)
        assert [row["permission"] for row in rows] == ["copy"] * 4
        copies = [key for key in world.copies() if key.startswith("cards/shared/")]
        assert copies[0] == f"cards/shared/{ONE}/card.json"
        assert copies[1].endswith(".pdf")
        prod = next(each for each in world.told("ModelCardShared") if each["account"] == PROD)
        assert prod["copy_prefix"] == f"s3://{world.bucket}/cards/shared/{ONE}/"
        assert all(world.reads_copy(each, key) for key in copies for each in (PROD, HUB))
        assert not any(world.reads_copy(STRANGER, key) for key in copies)
        assert not world.reads_copy(PROD, f"cards/{ONE}/card.json"), "only what is shared"
        place = f"cards/shared/{ONE}/"
        assert [world.lists(each, place) for each in (HUB, PROD, STRANGER)] == [True, True, False]
        assert not any(world.lists(PROD, each) for each in ("", "cards/", f"cards/{ONE}/"))
        world.judge(package, "Rejected")
        assert not [key for key in world.copies() if key.startswith("cards/shared/")]
        world.judge(package, "Approved")
        again = [key for key in world.copies() if key.startswith("cards/shared/")]
        assert again[0] == copies[0]
        assert again[1].endswith(".pdf")
        world.register(SECOND)  # and its evaluation was not written
        assert world.states() == {1: "Approved"}


def test_an_account_that_is_refused_holds_no_other_up_and_is_told_of_once(carded):
    with carded(DevAccount=OWNER) as world:  # no account shares with itself
        queue = world.subscribe()
        package = world.register(FIRST, quality=QUALITY)
        assert world.states() == {1: "PendingReview"}
        world.judge(package, "Approved")
        stop_schedules(world.cloud, *OFTEN)
        world.cloud.run_for(timedelta(hours=3))
        assert set(world.shares()) == {f"{ONE}-test", f"{ONE}-prod"}
        assert [key for key in world.copies() if key.endswith(".pdf")]
        assert world.kinds(queue).count("card-refused") == 1
        code, rows = world.shown(show_shares)
        dev = next(row for row in rows if row["stage"] == "dev")
        assert code == 1
        assert dev["drift"].startswith(f"missing; refused {OWNER}: InvalidParameterException: ")
        assert dead(world) == set()


def test_an_evaluation_that_no_card_takes_is_told_once_and_the_cards_go_their_way(carded):
    metrics = {f"{'x' * 200} {n}": {"value": n} for n in range(1000)}
    with carded() as world:
        world.judge(world.register(FIRST, quality=QUALITY), "Approved")
        queue = world.subscribe()
        package = world.register(SECOND, quality={"regression_metrics": metrics})
        assert world.states() == {1: "Approved", 2: "PendingReview"}
        event = sample("aws.sagemaker/model-package-state-change.json")
        event["detail"]["ModelPackageArn"] = package
        world.invoke("OnPackageCard", event)
        world.judge(package, "Approved")
        assert world.states() == {1: "Archived", 2: "Approved"}
        mails = [kind for kind in world.kinds(queue) if kind != "card-shared"]
        assert mails == ["card-draft", "card-incomplete"]
        assert not dead(world) & {"OnPackageCard", "OnModelCardChange"}


def test_an_hour_mends_what_somebody_did_and_what_nobody_accepted(carded):
    with carded() as world:
        world.register(FIRST, quality=QUALITY)
        ram, before = world.cloud.client("ram"), world.shares()
        dev, test = before[f"{ONE}-dev"], before[f"{ONE}-test"]
        ram.delete_resource_share(resourceShareArn=dev["resourceShareArn"])
        ram.associate_resource_share(
            resourceShareArn=test["resourceShareArn"], principals=[STRANGER]
        )
        ram.update_resource_share(
            resourceShareArn=test["resourceShareArn"], allowExternalPrincipals=False
        )
        world.sagemaker.update_model_card(ModelCardName=ONE, ModelCardStatus="Draft")
        world.sagemaker.update_model_card(ModelCardName=ONE, ModelCardStatus="PendingReview")
        code, rows = world.shown(show_shares)
        assert code == 1
        assert {row["stage"]: row["drift"] for row in rows} == {
            "dev": "missing",
            "test": "somebody else in it, or an invitation expired, external accounts",
        }
        world.cloud.run_for(timedelta(hours=1, minutes=5))
        after = world.shares()
        code, rows = world.shown(show_shares)
        assert (code, {row["permission"] for row in rows}) == (0, {EDITOR})
        assert set(after) == set(before)
        assert after[f"{ONE}-dev"]["resourceShareArn"] != dev["resourceShareArn"]
        assert after[f"{ONE}-test"]["allowExternalPrincipals"]
        assert world.accept(STRANGER) == "nothing"
        stop_schedules(world.cloud, *OFTEN)
        world.cloud.run_for(timedelta(hours=12))  # nobody accepts in time
        assert [world.accept(each) for each in (DEV, TEST)] == ["accepted", "accepted"]
        assert world.edits(DEV, 1)


def test_events_twice_and_late_change_nothing(carded):
    with carded() as world:
        package = world.register(FIRST, quality=QUALITY)
        world.judge(package, "Approved")
        told = len(world.told("ModelCardShared"))
        for name in ("", ".draft", ".approved"):
            event = sample(f"aws.sagemaker/model-card-state-change{name}.json")
            event["detail"]["ModelCardName"] = ONE
            world.invoke("OnModelCardChange", event)
        event = sample("aws.sagemaker/model-package-state-change.json")
        event["detail"]["ModelPackageArn"] = package
        world.invoke("OnPackageCard", event)
        world.cloud.run_until_idle()
        assert len(world.told("ModelCardShared")) == told
        assert world.states() == {1: "Approved"}


def test_what_cannot_be_read_is_parked_and_what_fails_again_and_again_is_a_dead_letter(carded):
    with carded() as world:
        package = world.register(FIRST, quality=QUALITY)
        for door in ("OnPackageCard", "OnModelCardChange", "MendShares"):
            world.invoke(door, {"id": "of-no-use"})
        world.cloud.run_until_idle()
        parked = world.cloud.client("s3").list_objects_v2(
            Bucket=world.bucket, Prefix="rejected/events/"
        )
        assert [each["Key"].split("/")[2] for each in parked["Contents"]] == [
            "mend_shares", "on_model_card_change", "on_package_card",
        ]  # fmt: skip
        world.cloud.client("dynamodb").delete_table(
            TableName=world.cloud.physical_id("OperationsTable")
        )
        world.invoke("MendShares", sample("aws.scheduler/scheduled-event.json"))
        world.judge(package, "Approved")
        assert {"MendShares", "OnPackageCard"} <= dead(world)


def test_stages_without_an_account_get_nothing(carded):
    with carded(**dict.fromkeys(ACCOUNTS, "")) as world:
        package = world.register(FIRST, quality=QUALITY)
        world.judge(package, "Approved")
        assert (world.states(), world.shares()) == ({1: "Approved"}, {})
        assert world.told("ModelCardShared") == []
