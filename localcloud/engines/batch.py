"""Sends the records of a transform job to its container, and puts together what it answers.

Run as `python -I batch.py PLAN`, in the process group that the container is then in. PLAN is a JSON
file that `localcloud.engines.transform` writes. Output files lie beside the input files' names, with
`.out` at the end; what failed is written to the plan's `failure`. Exit code 1 says that there is a
failure. It imports the standard library and its neighbour only: it is no part of the cloud's
process.

Citations: "How Containers Serve Requests" of "Use Your Own Inference Code with Batch Transform", and
"Speed up a Batch Transform Job" of the SageMaker Developer Guide; BatchStrategy, MaxPayloadInMB,
SplitType and AssembleWith of CreateTransformJob. "When your dataset has multiple input files, a
transform job continues to process input files even if it fails to process one."
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

if __package__:
    from localcloud.engines.serving import Reply, Unhealthy, request, wait_until_healthy
else:  # isolated from everything but what lies beside it
    sys.path.append(str(Path(__file__).parent))
    from serving import Reply, Unhealthy, request, wait_until_healthy  # type: ignore[import-not-found,no-redef]

_MB = 1024 * 1024
_SNIPPET = 300
_EXECUTION_PARAMETERS_S = 10.0


class Failed(Exception):  # noqa: N818 - named for what it says
    """An input file cannot be transformed; the text is the job's failure reason."""


class Sender:
    """Sends payloads as the plan, or else the container, says.

    Args:
        plan: what the job asks for.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        told = self._told()
        self.most_bytes = int((plan["max_payload_mb"] or told.get("MaxPayloadInMB") or 6) * _MB)
        self.single = (plan["strategy"] or _word(told.get("BatchStrategy"))) == "SingleRecord"
        self.at_once = int(plan["max_concurrent"] or told.get("MaxConcurrentTransforms") or 1)

    def _told(self) -> dict[str, Any]:
        """/execution-parameters, which a container need not have."""
        try:
            reply = request(
                self._plan["port"], "GET", "/execution-parameters", _EXECUTION_PARAMETERS_S
            )
            told = json.loads(reply.body) if reply.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def payloads(self, content: bytes) -> Iterator[bytes]:
        """A file's mini-batches.

        Raises:
            Failed: a record is larger than a payload may be.
        """
        records = content.splitlines(keepends=True) if self._plan["split"] == "Line" else [content]
        held: list[bytes] = []
        size = 0
        for record in records:
            if len(record) > self.most_bytes:
                message = f"a record of {len(record)} bytes is larger than MaxPayloadInMB"
                raise Failed(f"ClientError: {message}, {self.most_bytes // _MB} MB")
            if held and (self.single or size + len(record) > self.most_bytes):
                yield b"".join(held)
                held, size = [], 0
            held.append(record)
            size += len(record)
        if held:
            yield b"".join(held)

    def send(self, payload: bytes) -> bytes:
        """One inference.

        Raises:
            Failed: it got no answer of 200, after as many tries as the plan allows.
        """
        trouble = ""
        for _ in range(1 + self._plan["retries"]):
            try:
                reply: Reply = request(
                    self._plan["port"], "POST", "/invocations", self._plan["timeout_s"], payload,
                    self._plan["headers"],
                )  # fmt: skip
            except TimeoutError:
                limit = self._plan["timeout_s"]
                trouble = f"AlgorithmError: the container did not answer within {limit:g} s"
                continue
            except (OSError, http.client.HTTPException) as error:
                trouble = f"AlgorithmError: the container did not answer: {error!r}"
                continue
            if reply.status == 200:
                return reply.body
            whose = "ClientError" if reply.status < 500 else "AlgorithmError"
            trouble = f"{whose}: the container answered with status {reply.status}"
            text = reply.body[:_SNIPPET].decode("utf-8", "replace")
            _say(f"Bad HTTP status received from the container: {reply.status}: {text}")
            if reply.status < 500:
                break
        raise Failed(trouble)

    def transform(self, content: bytes) -> bytes:
        """What becomes of a file: the answers to its mini-batches, in order."""
        with ThreadPoolExecutor(self.at_once) as pool:
            answers = list(pool.map(self.send, self.payloads(content)))
        if self._plan["assemble"] == "Line":
            answers = [each if each.endswith(b"\n") else each + b"\n" for each in answers]
        return b"".join(answers)


def _say(line: str) -> None:
    """To the job's log."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _word(told: Any) -> str:
    """The strategy in the API's words; the container's are SINGLE_RECORD and MULTI_RECORD."""
    return str(told or "").title().replace("_", "")


def transform_all(plan: dict[str, Any]) -> str:
    """Transform every file of the plan; the failure of the first that failed, or nothing."""
    sender, failure = Sender(plan), ""
    for name in plan["names"]:
        target = Path(plan["output"], f"{name}.out")
        try:
            transformed = sender.transform(Path(plan["input"], name).read_bytes())
        except Failed as failed:
            kind, _, text = str(failed).partition(": ")
            said = f"{kind}: {plan['uris'][name]}: {text}"
            _say(said)
            failure = failure or said
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(transformed)
    return failure


def main(place: str) -> int:
    """Start the container, send everything, stop it: SIGTERM, and SIGKILL after its grace."""
    plan: dict[str, Any] = json.loads(Path(place).read_text(encoding="utf-8"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the whole group gets it
    container = subprocess.Popen(plan["command"], cwd=plan["folder"])
    try:
        wait_until_healthy(plan["port"], plan["health_s"], lambda wait: _ended(container, wait))
        failure = transform_all(plan)
    except Unhealthy as unhealthy:
        failure = f"AlgorithmError: {unhealthy}"
        if container.poll() is not None:
            failure += f", exit code: {container.returncode}"
    finally:
        container.terminate()
        if not _ended(container, plan["grace_s"]):
            container.kill()
            container.wait()
    if failure:
        Path(plan["failure"]).write_text(failure, encoding="utf-8")
    return 1 if failure else 0


def _ended(container: subprocess.Popen[bytes], wait_s: float) -> bool:
    try:
        container.wait(wait_s)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
