"""Promotions and claims: the table and what stands in for it in tests of the domain behave alike."""

from datetime import timedelta

import boto3
import pytest

from signalbox.adapters.promotion_table import PromotionTable
from signalbox.contracts.promotion import Flight, Promotion, Standing
from signalbox.domain.claims import LEASE, Claim, held
from signalbox.errors import Misconfigured, Transient
from tests.fakes import NOON
from tests.promoted import InMemoryPromotions, arn

FLIGHT = Flight(package=arn(1), former="a", seen="then", began=NOON)


@pytest.fixture(params=["dynamodb", "in memory"])
def table(request):
    if request.param == "in memory":
        return InMemoryPromotions()
    request.getfixturevalue("aws")
    return PromotionTable("OperationsTable")


def test_what_stands_is_changed_by_one_of_two(table):
    nothing = table.standing("hvac")
    assert nothing == Standing()
    under_way = table.change("hvac", nothing, flight=FLIGHT)
    assert table.standing("hvac") == under_way
    with pytest.raises(Transient, match="changed by somebody else"):
        table.change("hvac", nothing, waiting=arn(2))
    done = table.change("hvac", under_way, flight=None, promoted=arn(1))
    assert (done.flight, done.promoted, done.revision) == (None, arn(1), 2)
    assert table.standing("pumps") == Standing()


def test_the_latest_end_of_a_promotion_is_known(table):
    assert table.promotion("hvac", arn(1)) is None
    for state in ("failed", "promoted"):
        table.ended("hvac", Promotion(package=arn(1), state=state, at=NOON))
    assert table.promotion("hvac", arn(1)).state == "promoted"


def test_a_claim_is_held_for_its_lease_and_then_inherited_with_what_was_found(table):
    assert table.claim("a", "x", NOON) == Claim("mine")
    assert table.claim("a", "x", NOON + LEASE / 2) == Claim("busy")
    assert table.claim("a", "y", NOON) == Claim("mine")
    table.keep("a", "x", "half of it")
    assert table.claim("a", "x", NOON + LEASE) == Claim("inherited", "half of it")
    assert table.claim("a", "x", NOON + LEASE) == Claim("busy")
    table.done("a", "x", NOON)
    assert table.claim("a", "x", NOON + 9 * LEASE) == Claim("done")
    table.forget("a", "x")
    assert table.claim("a", "x", NOON) == Claim("mine")


def test_what_was_done_about_a_package_is_known_for_good(aws):
    table = PromotionTable("OperationsTable")
    table.claim("package#x", "status#Approved", NOON)
    table.done("package#x", "status#Approved", NOON)
    (item,) = boto3.client("dynamodb").scan(TableName="OperationsTable")["Items"]
    assert "expires" not in item


def test_something_may_be_done_without_a_claim(table):
    table.done("a", "x", NOON)
    assert table.claim("a", "x", NOON).state == "done"


def test_what_fails_as_a_whole_is_given_back_and_what_dies_is_not(table):
    def doing(problem):
        with held(table, "a", "x", NOON) as mine:
            assert mine
            raise problem

    with pytest.raises(Misconfigured):
        doing(Misconfigured("no topic"))
    with pytest.raises(ZeroDivisionError):
        doing(ZeroDivisionError())
    with pytest.raises(Transient), held(table, "a", "x", NOON):
        pass
    with held(table, "a", "x", NOON + LEASE) as mine:
        assert mine
    with held(table, "a", "x", NOON + timedelta(days=1)) as mine:
        assert not mine
