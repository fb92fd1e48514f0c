"""Functions in processes of their own: what is on their path, what ends them, what stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localcloud import Cloud
from localcloud.runtime.ric import RicExecutor
from tests.conftest import ROOT
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.test_executors import invocation, logs
from tests.integration.localcloud.test_runtime import LAYER, call, door


def one(deploy: Deploy, app: str, extra: str = "", **options: Any) -> Cloud:
    files = {"One/app.py": app, "Layer/python/shared.py": "VALUE = []\n"}
    resources = ROLE + LAYER + door("One", extra or "      Timeout: 60")
    return deploy(resources, files, executor=RicExecutor(**options))


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does; the suite's own timeout is the bound."""
    while not true():
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended (one that nobody has waited for yet has)."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("module", ["numpy", "moto", "pytest", "simulator", "signalbox", "cli"])
def test_what_neither_package_nor_layer_nor_runtime_brings_is_not_there(
    deploy: Deploy, module: str
) -> None:
    answer = call(one(deploy, f"import {module}\ndef handler(event, context): pass\n"))
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert answer["errorMessage"] == f"Unable to import module 'app': No module named '{module}'"


def test_the_runtime_brings_the_sdk_and_layers_lie_one_over_the_other(deploy: Deploy) -> None:
    app = """
    import boto3, botocore, dateutil, urllib3
    import both, deep, shared
    def handler(event, context):
        return [both.OF, deep.OF, boto3.__file__.split("/")[-3]]
    """
    layers = """
  Second: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Second}}
  Third: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Third}}
"""
    of = door("One", "      Timeout: 60").replace(
        "[!Ref Layer]", "[!Ref Layer, !Ref Second, !Ref Third]"
    )
    files = {
        "One/app.py": app,
        "Layer/python/shared.py": "",
        "Second/python/both.py": "OF = 'second'\n",
        "Third/python/both.py": "OF = 'third'\n",
        "Second/python/lib/python3.11/site-packages/deep.py": "OF = 'second, deep'\n",
    }
    cloud = deploy(ROLE + LAYER + layers + of, files, executor=RicExecutor())
    assert call(cloud) == ["third", "second, deep", "runtime"]


def test_the_environment_is_lambdas(deploy: Deploy) -> None:
    app = """
    import os, sys
    def handler(event, context):
        return [dict(os.environ), os.getcwd(), sys.argv[1:], sys.stdin.read()]
    """
    cloud = one(deploy, app)
    environment, folder, arguments, stdin = call(cloud)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert environment.pop(name)
    assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
    assert environment["LAMBDA_TASK_ROOT"] == folder
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert environment["LD_LIBRARY_PATH"].split(":")[:2] == [folder, f"{folder}/lib"]
    assert environment["PYTHONPATH"].split(":")[-1] == environment["LAMBDA_RUNTIME_DIR"]
    assert environment["OWN"] == "One"
    assert environment["TZ"] == ":UTC"
    assert "HOME" not in environment
    assert arguments == ["app.handler"]
    assert stdin == ""


def test_a_function_above_its_memory_is_killed(deploy: Deploy) -> None:
    app = """
    def handler(event, context):
        held = b"x" * (event["mb"] << 20)
        return len(held) >> 20
    """
    cloud = one(deploy, app, "      Timeout: 60\n      MemorySize: 256")
    assert call(cloud, payload={"mb": 128}) == 128
    answer = call(cloud, payload={"mb": 320})
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert invocation(cloud).detail["memory_mb"] >= 256
    assert call(cloud, payload={"mb": 1}) == 1
    assert invocation(cloud).detail["start"] == "cold"
    assert invocation(cloud).detail["memory_mb"] < 128


@pytest.mark.parametrize(("number", "name"), [(11, "segmentation fault"), (6, "aborted")])
def test_a_crash_is_an_exit_error(deploy: Deploy, number: int, name: str) -> None:
    app = f"""
    import os
    def handler(event, context):
        print("on the edge")
        os.kill(os.getpid(), {number})
    """
    cloud = one(deploy, app)
    answer = call(cloud)
    assert answer["errorMessage"].endswith(f"Error: Runtime exited with error: signal: {name}")
    assert logs(cloud)[0] == "on the edge"


def test_a_crash_in_init_and_a_crash_after_the_answer(deploy: Deploy) -> None:
    app = """
    import os, pathlib, threading, time
    if pathlib.Path(os.environ["LAMBDA_TASK_ROOT"], "early").exists():
        os._exit(7)
    def handler(event, context):
        if event.get("later"):
            threading.Thread(target=lambda: (time.sleep(0.05), os._exit(9))).start()
        return os.getpid()
    """
    cloud = one(deploy, app)
    first = call(cloud, payload={"later": True})
    until(lambda: gone(first))
    second = call(cloud)  # finds the process gone and starts another
    assert second != first
    assert invocation(cloud).detail["start"] == "cold"
    (Path(cloud._build) / "One" / "early").touch()
    os.kill(second, signal.SIGKILL)
    until(lambda: gone(second))
    assert call(cloud)["errorMessage"].endswith("Runtime exited with error: exit status 7")


SLOW = """
import time
time.sleep(3)
def handler(event, context):
    return "up"
"""


def test_an_init_that_takes_too_long_is_done_again_in_the_functions_own_time(
    deploy: Deploy,
) -> None:
    cloud = one(deploy, SLOW, "      Timeout: 60", init_limit_s=1)
    assert call(cloud) == "up"
    assert invocation(cloud).detail["init_ms"] >= 1000


def test_an_init_that_takes_too_long_twice_is_a_timeout(deploy: Deploy) -> None:
    answer = call(one(deploy, SLOW, "      Timeout: 1", init_limit_s=1))
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_a_function_that_is_called_many_times_at_once_has_as_many_processes(
    deploy: Deploy,
) -> None:
    app = """
    import os, pathlib, time
    room = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"], "room")
    def handler(event, context):
        room.mkdir(exist_ok=True)
        (room / str(os.getpid())).touch()
        while len(list(room.iterdir())) < event["wanted"]:
            time.sleep(0.01)
        return os.getpid()
    """
    cloud = one(deploy, app)
    payload = {"wanted": 3}
    with ThreadPoolExecutor(3) as pool:
        pids = list(pool.map(lambda _: call(cloud, payload=payload), range(3)))
    assert len(set(pids)) == 3
    assert call(cloud, payload=payload) in pids  # warm again


def test_a_large_payload_goes_both_ways(deploy: Deploy) -> None:
    app = "def handler(event, context):\n    return event\n"
    cloud = one(deploy, app, "      Timeout: 60\n      MemorySize: 1024")
    payload = {"text": "ü" * 900_000}
    assert call(cloud, payload=payload) == payload


def test_errors_on_standard_error_and_of_logging_keep_their_order(deploy: Deploy) -> None:
    app = """
    import logging, sys
    def handler(event, context):
        print("one")
        print("two", file=sys.stderr)
        logging.getLogger().error("three")
        raise RuntimeError("four")
    """
    cloud = one(deploy, app)
    call(cloud)
    one_, two, three, blank_or_four, *_ = logs(cloud)
    assert (one_, two) == ("one", "two")
    assert three.startswith("[ERROR]\t2026-01-01T00:00:0")
    assert three.endswith("three")
    assert blank_or_four.startswith("[ERROR] RuntimeError: four\nTraceback (most recent call last)")
    assert 'app.py", line 7, in handler' in blank_or_four


def test_closing_leaves_no_process_and_no_folder(deploy: Deploy) -> None:
    app = """
    import os, subprocess
    def handler(event, context):
        other = subprocess.Popen(["/bin/sleep", "600"])
        return [os.getpid(), other.pid, os.environ["LAMBDA_RUNTIME_DIR"]]
    """
    cloud = one(deploy, app)
    pid, other, folder = call(cloud)
    assert not gone(pid)
    assert not gone(other)
    cloud.close()
    until(lambda: gone(pid) and gone(other))
    assert not Path(folder).exists()


PROGRAM = """
import json, sys, time
from pathlib import Path
from localcloud import EXECUTORS, Cloud
with Cloud(Path(sys.argv[1]), executor=EXECUTORS["ric"]()) as cloud:
    cloud.deploy()
    answer = cloud.client("lambda").invoke(FunctionName="signalbox-One", Payload=b"{}")
    print(answer["Payload"].read().decode(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_cloud_that_is_killed_leaves_no_process(deploy: Deploy, how: int) -> None:
    app = """
    import os
    def handler(event, context):
        return os.getpid()
    """
    cloud = one(deploy, app)
    build = str(cloud._build)
    cloud.close()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, build],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdout is not None
        pid = json.loads(program.stdout.readline())
        assert not gone(pid)
        program.send_signal(how)
        program.wait()
        until(lambda: gone(pid))
