"""What was told, and what was retuned: the fakes and the adapters on moto, by the same tests."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from signalbox.adapters.retune_table import RetuneTable
from signalbox.adapters.told_table import ToldTable
from signalbox.domain.retune_guard import Decision, Verdict, token_of
from signalbox.domain.telling import LEASE
from signalbox.errors import Misconfigured
from tests.fakes import NOON
from tests.operated import TRAINED, InMemoryLedger, InMemoryRetunes

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
GO = Verdict(None, 1, None)


@pytest.fixture(params=["fake", "moto"])
def ledger(request):
    if request.param == "fake":
        return InMemoryLedger()
    request.getfixturevalue("aws")
    return ToldTable("OperationsTable")


@pytest.fixture(params=["fake", "moto"])
def retunes(request):
    if request.param == "fake":
        return InMemoryRetunes()
    request.getfixturevalue("aws")
    return RetuneTable("OperationsTable")


def decision(name, at=NOON, verdict=GO, workload="hvac"):
    return Decision(
        workload, token_of(workload, "r", name), "r" * 32, f"x/{name}", at, verdict, TRAINED
    )


def test_a_thing_is_claimed_once_told_once_and_others_stay_free(ledger):
    assert ledger.claim("a b", NOON) == "claimed"
    assert ledger.claim("a b", NOON) == "held"
    assert ledger.claim("a c", NOON) == "claimed"
    ledger.note("a b")
    assert ledger.claim("a b", NOON) == "told"
    assert ledger.claim("a b", NOON + DAY) == "told"
    assert ledger.claim("a c", NOON + SECOND) == "held"


def test_a_claim_whose_lease_is_over_is_taken_over_by_one(ledger):
    ledger.claim("a", NOON)
    assert ledger.claim("a", NOON + LEASE - SECOND) == "held"
    assert ledger.claim("a", NOON + LEASE) == "claimed"
    assert ledger.claim("a", NOON + LEASE) == "held"
    assert ledger.claim("a", NOON + 2 * LEASE) == "claimed"


def test_what_was_told_is_forgotten_after_a_month_and_can_be_read_by_people(aws):
    ToldTable("OperationsTable").claim("data quality hvac", NOON)
    (item,) = boto3.client("dynamodb").scan(TableName="OperationsTable")["Items"]
    assert item["pk"]["S"].startswith("told#")
    assert (item["sk"]["S"], item["thing"]["S"]) == ("told", "data quality hvac")
    assert int(item["expires"]["N"]) == int((NOON + 30 * DAY).timestamp())


def test_a_decision_is_kept_as_it_is(retunes):
    suppressed = decision("b", verdict=Verdict("limit", 2, NOON + DAY))
    untrained = replace(decision("c", verdict=Verdict("never-trained", 0, None)), trained=None)
    for each in (decision("a"), suppressed, untrained):
        assert retunes.decided("hvac", each.token) is None
        assert retunes.decide(each, None)
        assert retunes.decided("hvac", each.token) == each
    assert retunes.decided("pumps", suppressed.token) is None
    started = retunes.started(decision("a"), "arn:x")
    assert started.tune_execution == "arn:x"
    assert retunes.decided("hvac", started.token) == started


def test_a_check_is_decided_once(retunes):
    assert retunes.decide(decision("a", verdict=Verdict("off", 0, None)), None)
    assert not retunes.decide(decision("a"), None)
    assert not retunes.decide(decision("a", verdict=Verdict("limit", 0, None)), None)
    assert retunes.standing("hvac", 9) == (None, [])


def test_starts_are_counted_newest_first_and_only_of_the_workload(retunes):
    newest = None
    for day in range(4):
        assert retunes.decide(decision(f"d{day}", NOON + day * DAY), newest)
        newest, starts = retunes.standing("hvac", 9)
        assert starts == [NOON + back * DAY for back in range(day, -1, -1)]
    assert retunes.standing("hvac", 2)[1] == [NOON + 3 * DAY, NOON + 2 * DAY]
    retunes.decide(decision("no", NOON + 5 * DAY, Verdict("limit", 2, NOON)), newest)
    assert retunes.standing("hvac", 1) == (newest, [NOON + 3 * DAY])
    assert retunes.standing("pumps", 9) == (None, [])
    assert retunes.decide(decision("p", workload="pumps"), None)


def test_of_two_that_counted_the_same_one_starts(retunes):
    assert retunes.decide(decision("a"), None)
    newest, _ = retunes.standing("hvac", 1)
    assert not retunes.decide(decision("b", NOON + DAY), None)
    assert retunes.decide(decision("c", NOON + DAY), newest)
    assert not retunes.decide(decision("d", NOON + DAY), newest)
    assert retunes.decided("hvac", decision("d").token) is None
    assert retunes.standing("hvac", 9)[1] == [NOON + DAY, NOON]


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    for ask in (
        lambda: ToldTable("nowhere").claim("a", NOON),
        lambda: RetuneTable("nowhere").standing("hvac", 1),
        lambda: RetuneTable("nowhere").started(decision("a"), "x"),
    ):
        with pytest.raises(Misconfigured, match="nowhere"):
            ask()
