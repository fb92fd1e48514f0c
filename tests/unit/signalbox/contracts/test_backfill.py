import pytest
from pydantic import ValidationError

from signalbox.contracts.backfill import Manifest, RunReport
from tests.fakes import NOON, ref

KEY = "history/hvac/2025/a.csv"
DONE = {
    "source": ref(KEY, "1"), "output_key": f"fragments/{KEY}/1.parquet", "units": ["u1"],
    "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
}  # fmt: skip
REPORT = {
    "workload": "hvac", "run_key": "0" * 32, "files": 1, "done": [DONE], "rejected": [],
    "units": ["u1"], "cycles": 2, "rows": 9, "start": NOON, "end": NOON,
}  # fmt: skip


def test_a_manifest_names_files_or_a_prefix():
    assert Manifest(workload="hvac", keys=[KEY]).keys == [KEY]
    assert Manifest(workload="hvac", prefix="history/hvac/2025/").prefix == "history/hvac/2025/"


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({}, "exactly one"),
        ({"keys": [KEY], "prefix": "history/hvac/"}, "exactly one"),
        ({"keys": []}, "at least 1"),
        ({"keys": ["raw/hvac/a.csv"]}, "lies outside history/hvac/"),
        ({"keys": ["history/pumps/a.csv"]}, "lies outside"),
        ({"prefix": ""}, "lies outside"),
        ({"prefix": "history/"}, "lies outside"),
        ({"keys": [KEY, KEY]}, "named twice"),
        ({"keys": [KEY], "prio": 1}, "Extra inputs"),
    ],
)
def test_what_is_no_manifest_is_refused(told, what):
    with pytest.raises(ValidationError, match=what):
        Manifest.model_validate({"workload": "hvac"} | told)


def test_a_report_accounts_for_every_file():
    assert RunReport.model_validate(REPORT).files == 1
    with pytest.raises(ValidationError, match="files is 2, but 1 are done and 0 rejected"):
        RunReport.model_validate(REPORT | {"files": 2})
    with pytest.raises(ValidationError, match="must span"):
        RunReport.model_validate(REPORT | {"start": None})
    RunReport.model_validate(REPORT | {"files": 0, "done": [], "start": None, "end": None})
