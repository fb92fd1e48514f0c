"""What a mail's attributes hold: who it is for, and a detail that always fits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.domain.mail import MAX_DETAIL, Address, address_of, fitting, mail
from tests.operated import OWNER, operated

RUN = {
    "workload": "hvac",
    "run": "0" * 32,
    "execution": "arn:aws:sagemaker:x:1:pipeline/p/execution/e",
}


def test_a_mail_names_everybody_it_is_for_the_owner_first():
    operations = operated(recipients=["line@example.com", OWNER]).operations
    told = mail(address_of("hvac", "pipeline", "Failed", operations), "s", [], {})
    assert told.recipients == (OWNER, "line@example.com")
    assert told.attributes["owner"] == OWNER
    assert mail(Address("hvac", "model", "Unusable", OWNER), "s", [], {}).recipients == (OWNER,)


@pytest.mark.parametrize("words", ["why", "reason", "problem", "message"])
def test_long_words_are_shortened_and_the_rest_stays(words):
    told = mail(Address("hvac", "pipeline", "Failed", OWNER), "s", [], RUN | {words: "x y " * 900})
    detail = json.loads(told.attributes["detail"])
    assert {name: detail[name] for name in RUN} == RUN
    assert detail["shortened"]
    assert detail[words].startswith("x y x y")
    assert len(detail[words]) == 512
    assert json.loads(told.body.splitlines()[-1])[words] == "x y " * 900


def test_words_of_violations_are_shortened_too():
    many = [{"feature": f"f{n}", "check": "drift", "description": "x" * 300} for n in range(5)]
    detail = json.loads(fitting(RUN | {"violations": many}))
    assert [each["feature"] for each in detail["violations"]] == ["f0", "f1", "f2", "f3", "f4"]


def test_however_much_is_told_sns_takes_it():
    lines = ["é" * 200] * 2000
    detail = RUN | {"why": "x" * 200_000, "metrics": {f"{n}" * 50: 1.0 for n in range(5000)}}
    told = mail(Address("hvac", "model", "Unusable", OWNER), "s", lines, detail)
    told_bytes = len(told.body.encode()) + sum(
        map(len, [*told.attributes, *told.attributes.values()])
    )
    assert told_bytes < 256 * 1024  # SNS API Reference, Publish
    *_, note, _, data = told.body.splitlines()
    assert note == "(the rest is too long for a mail)"
    assert json.loads(data).items() >= RUN.items()


def test_what_fits_stays_as_it_is():
    assert json.loads(fitting(RUN | {"why": "x" * 700})) == RUN | {"why": "x" * 700}


@given(
    st.dictionaries(
        st.sampled_from(["why", "run", "messages", "inputs"]),
        st.text(max_size=3000) | st.lists(st.text(max_size=900), max_size=4),
    )
)
def test_whatever_a_detail_holds_it_fits(detail):
    told = fitting(detail)
    assert len(told) <= MAX_DETAIL
    assert json.loads(told).items() <= (detail | {"shortened": True}).items() or "shortened" in told
