import pytest

from functions.on_scoring_change import app
from signalbox.contracts.sagemaker import run_of
from signalbox.domain.due import note_of
from signalbox.domain.scores import Outcome
from signalbox.domain.scoring import OpenRun, Retry
from tests.fakes import (
    NOON,
    HeardBus,
    InMemoryRunTable,
    InMemoryWindows,
    LambdaContext,
    sample,
    windows_manifest,
)


@pytest.mark.parametrize(
    ("name", "said", "due"),
    [
        ("transform-job-state-change", "FleetScored", []),
        ("transform-job-state-change.failed", "ScoringFailed", [2]),
        ("transform-job-state-change.stopped", "ScoringFailed", [2]),
    ],
)
def test_the_end_of_a_run_is_told(monkeypatch, name, said, due):
    event = sample(f"aws.sagemaker/{name}.json")
    run = run_of(event["detail"]["TransformJobName"])
    retry, note = Retry(InMemoryRunTable(), HeardBus()), note_of("a", ("A1",), NOON)
    retry.table.note("hvac", note)
    opened = retry.table.begin(OpenRun("hvac", run, (note.slot,), NOON))
    retry.table.take(opened, note.slot)
    outcome = Outcome(InMemoryWindows({run: windows_manifest(run)}), retry)
    monkeypatch.setattr(app, "outcome", lambda: outcome)
    for _ in range(2):
        app.handler(event, LambdaContext())
    assert [each.split()[0] for each in retry.bus.said()] == [said]
    assert [each.attempt for each in retry.table.due("hvac", 9)] == due
