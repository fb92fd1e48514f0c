"""The kernel as the doors see it, on real bytes."""

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signalbox.adapters.kernel import CyclesKernel
from signalbox.errors import Misconfigured, Rejected
from tests.fakes import workload

LIMIT = 10**6
START = 1_782_864_000_000  # 2026-07-01, ms


def hvac():
    told = workload().mapping()
    told["recording"]["max_bytes"] = LIMIT
    return workload(recording=told["recording"])


def recording(tmp_path: Path, header: str = "ts,unit,power,pressure") -> Path:
    """Ten minutes at 1 Hz; running from the second to the fourth minute."""
    lines = [header]
    for second in range(600):
        power = 1.5 if 120 <= second < 240 else 0.0
        lines.append(f"{START + 1000 * second},u1,{power},{second % 7}")
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_becomes_a_fragment_that_can_be_read_back(tmp_path):
    kernel = CyclesKernel()
    cut = kernel.cut(recording(tmp_path), hvac(), "raw/hvac/a.csv")
    assert (cut.units, cut.cycles, cut.rows) == (("u1",), 1, 600)
    assert cut.start.isoformat() == "2026-07-01T00:00:00+00:00"
    assert cut.end.isoformat() == "2026-07-01T00:09:59+00:00"
    assert kernel.read(cut.fragment) == cut


def test_a_fragment_of_another_format_is_not_taken_for_ours(tmp_path):
    foreign = BytesIO()
    pq.write_table(pa.table({"unit": ["u1"]}), foreign)
    with pytest.raises(Misconfigured, match="delete the stored fragment"):
        CyclesKernel().read(foreign.getvalue())


def test_the_same_file_gives_the_same_bytes(tmp_path):
    path, kernel = recording(tmp_path), CyclesKernel()
    assert kernel.cut(path, hvac(), "a.csv").fragment == kernel.cut(path, hvac(), "a.csv").fragment


def test_a_bad_file_is_rejected_with_its_place(tmp_path):
    path = recording(tmp_path, header="ts,unit,power,temperature")
    with pytest.raises(Rejected) as problem:
        CyclesKernel().cut(path, hvac(), "raw/hvac/a.csv")
    assert (problem.value.reason, problem.value.column) == ("no-such-column", "pressure")


def test_a_workload_the_kernel_cannot_follow_is_a_wrong_deployment(tmp_path):
    odd = hvac().model_copy(update={"sensors": []})
    with pytest.raises(Misconfigured, match="workload 'hvac'"):
        CyclesKernel().cut(recording(tmp_path), odd, "a.csv")
