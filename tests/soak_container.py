"""Ten thousand malformed requests to one container: all refused, none remembered.

`python -m tests.soak_container [requests]` sends them with good ones between, prints what was answered
and how much memory the last half left behind, and ends with 1 if an answer was wrong, the process
ended, or more than 1 KB a request stayed.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from itertools import islice
from pathlib import Path

import orjson
import psutil

from tests.container_process import Container, container
from tests.malformed import malformed, send
from tests.onnx_models import fault, records, save

MOST_KB = 1.0
GOOD_EVERY = 50


def main(requests: int = 10_000) -> int:
    """Run the soak; the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-container-") as folder,
        container(save(Path(folder), fault())) as running,
    ):
        wrong, answered, resident = soak(running, requests)
        ended = running.stop()
    kept = (resident[-1] - resident[len(resident) // 2]) / 1024 / (requests / 2)
    for status, count in sorted(answered.items()):
        print(f"{status}: {count}")
    for problem in wrong[:20]:
        print(problem)
    print(f"{requests} malformed requests, {len(wrong)} answered wrongly; exit code {ended}")
    print(
        f"resident {resident[0] / 2**20:.1f} MB at first, {resident[-1] / 2**20:.1f} MB at last; "
        f"over the last half {kept:.3f} KB a request (at most {MOST_KB:g})"
    )
    return 1 if wrong or ended or kept > MOST_KB else 0


def soak(running: Container, requests: int) -> tuple[list[str], Counter[int], list[int]]:
    """What was wrong, how often each status came, and resident bytes along the way."""
    given = records(1)
    good = orjson.dumps({"windows": given["windows"][0].tolist(), "valid": int(given["valid"][0])})
    process = psutil.Process(running.process.pid)
    wrong: list[str] = []
    answered: Counter[int] = Counter()
    resident: list[int] = []
    for k, request in enumerate(islice(malformed(seed=2026), requests)):
        answer = send(running.port, request)
        answered[answer.status] += 1
        if answer.status != request.status:
            wrong.append(f"{request.kind}: {answer.status}, not {request.status}: {answer.body!r}")
        if k % GOOD_EVERY == 0:
            if running.post("application/jsonlines", good).status != 200:
                wrong.append("a good request was refused")
            resident.append(process.memory_info().rss)
    resident.append(process.memory_info().rss)
    return wrong, answered, resident


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
