"""The table of claims: the fake and the adapter on moto, by the same tests."""

from dataclasses import replace
from datetime import timedelta

import pytest

from signalbox.adapters.backfills import BackfillTable
from signalbox.domain.backfill import Claim, claim_id
from signalbox.errors import Misconfigured, Transient
from tests.fakes import NOON, InMemoryClaims, ref

CLAIM = Claim(ref("backfill/a.json", "a1", "v1"), "hvac", "0" * 32, 7, NOON)
NAME = claim_id(CLAIM.source)


@pytest.fixture(params=["fake", "moto"])
def claims(request):
    if request.param == "fake":
        return InMemoryClaims()
    request.getfixturevalue("aws")
    return BackfillTable("BackfillTable")


def test_the_first_claim_stands(claims):
    assert claims.get(NAME) is None
    assert claims.claim(CLAIM) is None
    assert claims.claim(replace(CLAIM, files=8)) == CLAIM
    assert claims.get(NAME) == CLAIM


def test_an_unversioned_manifest_can_be_claimed(claims):
    claim = replace(CLAIM, source=ref("backfill/a.json", "a1", None))
    claims.claim(claim)
    assert claims.get(claim_id(claim.source)) == claim


def test_everything_noted_is_remembered(claims):
    claims.claim(CLAIM)
    started = claims.started(CLAIM, "jr_1")
    assert started == replace(CLAIM, job_run_id="jr_1")
    claims.announced(started)
    claims.reported(replace(started, announced=True), "jr_1")
    assert claims.get(NAME) == replace(started, announced=True, reported="jr_1")


def test_of_two_that_take_over_one_wins(claims):
    claims.claim(CLAIM)
    later = NOON + timedelta(minutes=5)
    assert claims.renew(CLAIM, later) == replace(CLAIM, claimed_at=later)
    with pytest.raises(Transient):
        claims.renew(CLAIM, later)


def test_a_claim_whose_run_is_known_is_not_taken_over(claims):
    claims.claim(CLAIM)
    claims.started(CLAIM, "jr_1")
    with pytest.raises(Transient):
        claims.renew(CLAIM, NOON + timedelta(minutes=5))


def test_notes_of_two_doors_do_not_undo_each_other(aws):
    claims = BackfillTable("BackfillTable")  # the fake writes whole claims; only the table merges
    claims.claim(CLAIM)
    started = claims.started(CLAIM, "jr_1")
    claims.reported(started, "jr_1")  # the run ended before its start was announced
    claims.announced(started)
    assert claims.get(NAME) == replace(started, announced=True, reported="jr_1")


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    with pytest.raises(Misconfigured, match="dynamodb:GetItem"):
        BackfillTable("nowhere").get(NAME)
    with pytest.raises(Misconfigured, match="dynamodb:PutItem"):
        BackfillTable("nowhere").claim(CLAIM)
    with pytest.raises(Misconfigured, match="dynamodb:UpdateItem"):
        BackfillTable("nowhere").started(CLAIM, "jr_1")
