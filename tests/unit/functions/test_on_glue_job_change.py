import pytest

from functions.on_glue_job_change import app
from signalbox.contracts.backfill import RunReport
from signalbox.contracts.keys import run_key
from signalbox.domain.backfill import Claim, Debrief, arguments_of, claim_id
from signalbox.errors import Misconfigured
from tests.fakes import (
    BUCKET,
    NOON,
    HeardBus,
    InMemoryClaims,
    InMemoryRuns,
    KeptRejections,
    LambdaContext,
    ref,
    sample,
)

MANIFEST = ref("backfill/hvac-2025.json", "a1", "v1")
RUN = run_key(BUCKET, MANIFEST.key, "v1")
DONE = {
    "source": ref("history/hvac/a.csv", "1"), "output_key": "fragments/x", "units": ["u1"],
    "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
}  # fmt: skip
REPORT = {
    "workload": "hvac", "run_key": RUN, "files": 1, "done": [DONE], "rejected": [],
    "units": ["u1"], "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
}  # fmt: skip


@pytest.fixture
def world(monkeypatch):
    event = sample("aws.glue/glue-job-state-change.json")
    run = event["detail"]["jobRunId"]
    claim = Claim(MANIFEST, "hvac", RUN, 1, NOON, run, announced=True)
    runs = InMemoryRuns({run: arguments_of(claim)}, {RUN: RunReport.model_validate(REPORT)})
    bus = HeardBus()
    claims = InMemoryClaims(items={claim_id(MANIFEST): claim})
    debrief = Debrief(runs, claims, KeptRejections(bus), bus)
    monkeypatch.setattr(app, "debrief", lambda: debrief)
    return debrief


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("aws.glue/glue-job-state-change.json", "CycleFeaturesReady"),
        ("aws.glue/glue-job-state-change.failed.json", "BackfillFailed"),
        ("aws.glue/glue-job-state-change.timeout.json", "BackfillFailed"),
    ],
)
def test_the_end_of_a_run_is_told_once(world, event, said):
    for _ in range(2):
        app.handler(sample(event), LambdaContext())
    assert [event.detail_type() for event in world.bus.heard] == [said]


def test_success_without_a_report_ends_as_a_dead_letter(world):
    world.runs.reports.clear()
    with pytest.raises(Misconfigured):
        app.handler(sample("aws.glue/glue-job-state-change.json"), LambdaContext())
