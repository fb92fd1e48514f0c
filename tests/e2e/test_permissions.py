"""Least privilege, both ways: nothing is missing, and nothing is granted that is never used."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from localcloud import Cloud
from localcloud.iam import Grant
from localcloud.journal import Record, to_line
from tests.conftest import ROOT
from tests.least import Permissions
from tests.scenario import Scenario, denials
from tests.soak_policies import deployed, lost


@pytest.mark.timeout(500)
@pytest.mark.ric
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
    # who asks FindModel is told itself
    assert dead == doors - {"OnSensorFile", "FindModel"} | {"RawFileDeadLetters"}, (
        "every door fails once"
    )


@pytest.mark.parametrize(
    ("where", "how", "action", "resource"),
    [
        pytest.param(
            "OnSensorFileRole.Policies[0].Statement[7]", "intake", "events:PutEvents",
            "arn:aws:events:eu-west-1:123456789012:event-bus/signalbox-signalbox",
            marks=pytest.mark.soak,
        ),
        (
            "RawFileQueuesPolicy.PolicyDocument.Statement[0]", "deploy", "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:123456789012:signalbox-RawFileQueue",
        ),
    ],
)  # fmt: skip
def test_a_statement_taken_away_is_missed(build, where, how, action, resource):
    with Cloud(build) as cloud:
        deployed(cloud)
        grants = [each for each in cloud.granted if each.where == where]
    loss = lost(where, grants, "scenario")
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


def test_what_is_granted_and_never_used_is_told():
    used = Grant("OnScoresRole.Policies[0].Statement[0]", "s3:GetObject", "arn:aws:s3:::b/scores/*")
    never = Grant("OnScoresRole.Policies[0].Statement[1]", "s3:PutObject", "arn:aws:s3:::b/x")
    pulled = Grant("InferenceRole.Policies[0].Statement[4]", "ecr:BatchGetImage", "*")
    seen = Permissions({used, never, pulled}, {used})
    (told,) = seen.complaints()
    assert told == f"granted and never used: {never}"
    seen.hand_in(([], [tuple(vars(each).values()) for each in (never, pulled)]))
    (told,) = seen.complaints()
    assert told == f"reviewed as never used, but used: {pulled}"
