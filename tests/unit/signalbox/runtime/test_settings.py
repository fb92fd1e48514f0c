import pytest

from signalbox.errors import Misconfigured
from signalbox.runtime.settings import OnBackfillSettings, OnGlueJobChangeSettings, load


def test_fields_are_the_lower_case_names_of_the_environment(monkeypatch):
    told = {
        "DATA_BUCKET": "data",
        "BUS_NAME": "bus",
        "ARTIFACT_BUCKET": "artifacts",
        "WORKLOADS_KEY": "workloads-1.json",
        "BACKFILL_TABLE": "table",
        "GLUE_JOB": "job",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert load(OnBackfillSettings).model_dump() == {n.lower(): v for n, v in told.items()}


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_names_itself_and_the_way_out(monkeypatch, value):
    monkeypatch.setenv("DATA_BUCKET", "data")
    monkeypatch.setenv("BUS_NAME", "bus")
    if value is not None:
        monkeypatch.setenv("BACKFILL_TABLE", value)
    with pytest.raises(
        Misconfigured, match=r"on_glue_job_change: .*BACKFILL_TABLE.*template\.yaml"
    ):
        load(OnGlueJobChangeSettings)
