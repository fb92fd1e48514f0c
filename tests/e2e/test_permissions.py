"""Least privilege, both ways: nothing is missing, and nothing is granted that is never used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from localcloud.journal import Record, to_line
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
    dead = {
        r.detail.get("function", r.name).removeprefix("signalbox-")
        for r in chain.cloud.journal
        if r.kind == "dead-letter"
    }
    doors = {each.logical_id for each in chain.cloud.stack.of_type("AWS::Lambda::Function")}
    assert dead == doors - {"OnSensorFile"} | {"RawFileDeadLetters"}, "every door fails once"


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


def signalbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_sets_what_was_used_against_what_is_granted(build, tmp_path):
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/signalbox-IdempotencyTable"
    grant = ["OnSensorFileRole.Policies[0].Statement[6]", "dynamodb:PutItem", arn]
    detail = {"role": "OnSensorFileRole", "resource": arn, "grants": [grant]}
    denied = {**detail, "grants": [], "resource": "arn:aws:s3:::signalbox-databucket/runs/x"}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    calls = [
        Record(1, None, now, "call", "dynamodb:PutItem", "ok", detail),
        Record(2, None, now, "call", "s3:GetObject", "denied", denied),
    ]
    trace = tmp_path / "trace.jsonl"
    trace.write_text("".join(to_line(each) + "\n" for each in calls), encoding="utf-8")
    ran = signalbox("permissions", str(trace))
    assert ran.returncode == 0, ran.stderr
    used, never = (part.replace("│", "|") for part in ran.stdout.split("Granted and never used"))
    words = " ".join(used.split())
    assert "OnSensorFile | dynamodb:PutItem" in words
    assert "s3:GetObject" in words
    assert "denied" in words
    assert "dynamodb:UpdateItem" in never
    assert "dynamodb:DeleteItem" in never
    assert len(never.splitlines()) > 20
    absent = signalbox("permissions", str(tmp_path / "none.jsonl"))
    assert (absent.returncode, "run `signalbox demo`" in absent.stderr) == (2, True)


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
