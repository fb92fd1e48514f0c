"""One engine in a process of its own: it does its work whenever a line comes in, and says what it cost."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.engines import ENGINES, Task


def peak_mb() -> float:
    """Peak resident memory since this program began; ``ru_maxrss`` would start from its parent's."""
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def main(name: str, folder: Path) -> None:
    """Answer each line of standard input with the CPU and peak memory of one more run."""
    run = ENGINES[name](Task.read(folder))
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        held = run()
        cost = {
            "cpu_s": time.process_time() - cpu,
            "wall_s": time.perf_counter() - wall,
            "rss_mb": peak_mb(),
        }
        del held
        print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
