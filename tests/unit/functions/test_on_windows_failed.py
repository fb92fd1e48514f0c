from functions.on_windows_failed import app
from signalbox.contracts.sagemaker import run_of
from signalbox.domain.due import note_of
from signalbox.domain.scoring import OpenRun, Retry
from tests.fakes import NOON, HeardBus, InMemoryRunTable, LambdaContext, sample

EVENT = sample("aws.sagemaker/processing-job-state-change.failed.json")


def test_units_of_a_failed_run_are_due_again(monkeypatch):
    retry = Retry(InMemoryRunTable(), HeardBus())
    note = note_of("a", ("A1",), NOON)
    retry.table.note("hvac", note)
    run = OpenRun("hvac", run_of(EVENT["detail"]["ProcessingJobName"]), (note.slot,), NOON)
    retry.table.begin(run)
    retry.table.take(run, note.slot)
    monkeypatch.setattr(app, "retry", lambda: retry)
    for _ in range(2):
        app.handler(EVENT, LambdaContext())
    assert [each.attempt for each in retry.table.due("hvac", 9)] == [2]
    assert len(retry.bus.said()) == 1
