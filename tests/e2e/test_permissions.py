"""Least privilege, both ways: nothing is missing, and nothing is granted that is never used."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT
from tests.reviewed_grants import reason
from tests.scenario import Scenario, denials
from tests.soak_policies import granted, lost


def test_the_jobs_and_their_failures_need_no_more_than_is_granted(chain, hvac_file):
    for step in Scenario(chain.cloud, hvac_file()).steps:
        step()
        chain.run()
    assert not denials(chain.cloud.journal)
    assert len([r for r in chain.cloud.journal if r.kind == "call"]) > 100
    dead = [r.name for r in chain.cloud.journal if r.kind == "dead-letter"]
    assert sorted(dead) == ["signalbox-EventDeadLetters"] * 3 + ["signalbox-RawFileDeadLetters"]


@pytest.mark.parametrize(
    ("where", "how", "action", "resource"),
    [
        (
            "OnSensorFileRole.Policies[0].Statement[7]", "intake", "events:PutEvents",
            "arn:aws:events:eu-west-1:123456789012:event-bus/signalbox-signalbox",
        ),
        (
            "RawFileQueuesPolicy.PolicyDocument.Statement[0]", "deploy", "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:123456789012:signalbox-RawFileQueue",
        ),
    ],
)  # fmt: skip
def test_a_statement_taken_away_is_missed(build, where, how, action, resource):
    loss = lost(where, [each for each in granted() if each.where == where])
    assert (loss.how, loss.denied, loss.problem) == (how, ((action, resource),), "")


def in_suite() -> set[str]:
    """Every test function of the end-to-end suite."""
    names = set()
    for path in (ROOT / "tests" / "e2e").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                names.add(f"{path.name}::{node.name}")
    return names


def test_nothing_is_granted_that_the_suite_never_uses(request, permissions):
    ran = {
        f"{item.path.name}::{item.originalname}"
        for item in request.session.items
        if hasattr(item, "originalname")
    }
    if in_suite() - ran:
        return  # after a part of the suite there is nothing to say
    unused = [each for each in permissions.granted if each not in permissions.used]
    unreviewed = [each for each in unused if not reason(each)]
    assert not unreviewed, "granted and never used:\n" + "\n".join(map(str, unreviewed))
    idle = [each for each in permissions.used if reason(each)]
    assert not idle, "reviewed as never used, but used:\n" + "\n".join(map(str, idle))
