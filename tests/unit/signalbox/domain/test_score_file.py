"""Score files that can be believed, and why others are refused."""

import json

import pytest

from signalbox.contracts.keys import scores_prefix, windows_manifest_key
from signalbox.domain.score_file import read_scores
from signalbox.errors import Rejected
from tests.alerted import manifest_file, schema, score_line
from tests.fakes import NOON, InMemoryObjects, ref, workload

RUN = "0" * 31 + "1"
KEY = f"{scores_prefix('hvac', RUN)}part-0.out"
MODEL = schema()
WORKLOADS = {"hvac": workload(prediction={}), "pumps": workload("pumps")}


def read(body, key=KEY, manifest=None, workloads=WORKLOADS):
    store = InMemoryObjects()
    store.put(key, body)
    if manifest != b"":
        store.put(windows_manifest_key("hvac", RUN), manifest or manifest_file(RUN, MODEL))
    return read_scores(ref(key, "1", "v1"), store, workloads)


def line(**changes):
    return score_line("A1", 0.5, NOON, 1, MODEL, **changes)


def test_a_file_is_read_in_the_order_of_cycles_and_blank_lines_do_not_count():
    second = score_line("A1", 0.5, NOON, 2, MODEL)
    found = read(second + b"\n\n" + line() + b"\n")
    assert [score.cycle for score in found.scores] == [1, 2]
    assert found.scores[0].moved[0].sensor == "pressure"
    assert found.schema == MODEL


@pytest.mark.parametrize(
    ("body", "reason", "number", "words"),
    [
        (line() + b"\n" + line(schema="feed"), "schema-mismatch", 2, "schema 'feed'"),
        (line(model="v2"), "schema-mismatch", 1, "model 'v2'"),
        (line(log_probabilities=[0.1, -3]), "bad-scores", 1, "LogSoftmax"),
        (line(log_probabilities=[float("nan"), -3]), "bad-scores", 1, "finite"),
        (line(log_probabilities=[0, float("-inf")]), "bad-scores", 1, "finite"),
        (line(log_probabilities=[-1]), "bad-scores", 1, "log_probabilities"),
        (line() + b"\n" + line()[:40], "bad-scores", 2, "line 2"),
        (b"\n \n", "empty", None, "no score"),
    ],
)
def test_a_file_is_refused_whole_with_the_line(body, reason, number, words):
    with pytest.raises(Rejected, match=words) as problem:
        read(body)
    assert (problem.value.reason, problem.value.line) == (reason, number)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "scores/hvac/other/part.out"}, "bad-key"),
        ({"key": f"scores/nobody/{RUN}/part.out"}, "unknown-workload"),
        ({"key": f"scores/pumps/{RUN}/part.out"}, "unknown-workload"),
        ({"manifest": b""}, "no-manifest"),
        ({"manifest": b"{}"}, "bad-manifest"),
        ({"manifest": manifest_file("f" * 32, MODEL)}, "schema-mismatch"),
        ({"manifest": manifest_file(RUN, schema(time="cycles"))}, "schema-mismatch"),
    ],
)
def test_a_file_that_its_run_does_not_vouch_for_is_refused(changes, reason):
    with pytest.raises(Rejected) as problem:
        read(line(), **changes)
    assert problem.value.reason == reason


def test_the_model_of_another_workload_is_refused():
    manifest = json.loads(manifest_file(RUN, MODEL))
    manifest["model"]["schema"]["workload"] = "pumps"
    with pytest.raises(Rejected, match="is for workload 'pumps'"):
        read(line(), manifest=json.dumps(manifest).encode())
