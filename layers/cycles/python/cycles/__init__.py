"""Cycle features: pure kernels, arrays in, arrays out; numpy and pyarrow only.

The same functions run in Lambda, on the laptop and in every Spark task::

    spec = CycleSpec.from_mapping(workload)
    fragment = cut(Path("day.parquet"), spec, "raw/hvac/unit=A1/day.parquet")
    cycles = stitch([("raw/hvac/unit=A1/day.parquet", fragment)], spec, reread).table
"""

from cycles.cut import cut
from cycles.errors import BadHistory, BadRecording, BadSpec
from cycles.fragment import Fragment
from cycles.readers import open_recording
from cycles.spec import CycleSpec
from cycles.stitch import Stitched, stitch

__all__ = [
    "BadHistory",
    "BadRecording",
    "BadSpec",
    "CycleSpec",
    "Fragment",
    "Stitched",
    "cut",
    "open_recording",
    "stitch",
]
