"""A process that runs one engine whenever it is asked, and says what that cost.

``python -m benchmarks.worker ENGINE FILE``: a line in, one run, a line of JSON out: CPU seconds (user and
system, all threads) and the peak resident memory so far in megabytes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.engines import ENGINES, kernel_of
from benchmarks.unitday import UnitDay


def main() -> None:
    """Serve rounds until the input ends."""
    engine, path, day = sys.argv[1], Path(sys.argv[2]), UnitDay()
    run = ENGINES.get(engine) or _special(engine)
    for _ in sys.stdin:
        start = time.process_time()
        run(path, day)
        spent = time.process_time() - start
        print(json.dumps({"cpu": spent, "rss": peak_memory()}), flush=True)


def peak_memory() -> float:
    """The most this program ever held, MB; ru_maxrss would count its parent's size at the fork too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _special(engine: str):  # type: ignore[no-untyped-def]
    if engine == "hvac":
        from cli.workloads import load

        return kernel_of(load("hvac").mapping())
    return ENGINES["kernel"]


if __name__ == "__main__":
    main()
