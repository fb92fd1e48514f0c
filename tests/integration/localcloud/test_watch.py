"""Stopping functions in this process, as far as one process can."""

from __future__ import annotations

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localcloud import EXECUTORS, Cloud
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.test_runtime import LAYER, call, door


def one(deploy: Deploy, app: str, seconds: int = 1) -> Cloud:
    files = {"One/app.py": app, "Layer/python/shared.py": ""}
    resources = ROLE + LAYER + door("One", f"      Timeout: {seconds}") + BUCKET
    return deploy(resources, files, executor=EXECUTORS["inprocess"]())


def timed_out(answer: Any) -> bool:
    return bool(answer["errorType"] == "Sandbox.Timedout")


def test_a_long_sleep_ends_on_the_main_thread_and_nothing_of_the_watch_stays(
    deploy: Deploy,
) -> None:
    app = """
    import time
    def handler(event, context):
        time.sleep(600)
    """
    cloud = one(deploy, app)
    before = signal.getsignal(signal.SIGVTALRM)
    assert timed_out(call(cloud))
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_a_handler_that_catches_everything_ends_all_the_same(deploy: Deploy) -> None:
    app = """
    import time
    def handler(event, context):
        caught = 0
        while caught < 3:
            try:
                while True:
                    time.sleep(0.001)
            except BaseException:
                caught += 1
        return "I go on"
    """
    assert timed_out(call(one(deploy, app)))


def test_what_cannot_be_stopped_is_told_as_a_timeout_afterwards(deploy: Deploy) -> None:
    app = """
    def handler(event, context):
        return sum(range(60_000_000)) and "late"  # one call of C, a second and more
    """
    cloud = one(deploy, app)
    cloud._world.stack.find("AWS::Lambda::Function", "signalbox-One").facts["request"][
        "Timeout"
    ] = 0.01
    assert timed_out(call(cloud))


def test_other_threads_are_stopped_too(deploy: Deploy) -> None:
    app = """
    def handler(event, context):
        while event["stuck"]:
            pass
        return "free"
    """
    cloud = one(deploy, app)
    with ThreadPoolExecutor(1) as pool:
        assert timed_out(pool.submit(call, cloud, payload={"stuck": True}).result())
    assert call(cloud, payload={"stuck": False}) == "free"


def test_a_call_to_the_cloud_is_never_cut_in_two(deploy: Deploy) -> None:
    app = """
    import boto3
    client = boto3.client("s3")
    def handler(event, context):
        k = 0
        while True:
            client.put_object(Bucket=event["bucket"], Key=f"{k:06}", Body=b"")
            k += 1
    """
    cloud = one(deploy, app)
    bucket = cloud.physical_id("Bucket")
    assert timed_out(call(cloud, payload={"bucket": bucket}))
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    told = [r for r in cloud.journal if r.kind == "event"]
    assert keys == [f"{k:06}" for k in range(len(keys))]
    assert len(told) == len(keys)  # none stored without its event


def test_a_finalizer_is_not_interrupted_and_what_it_is_part_of_ends(deploy: Deploy) -> None:
    """Python prints what is raised in a finalizer and goes on; pytest takes that for a failure."""
    app = """
    import time
    class Slow:
        def __del__(self):
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                pass
    def handler(event, context):
        Slow()
        while True:
            time.sleep(0.001)
    """
    assert timed_out(call(one(deploy, app)))


def test_a_function_is_killed_from_another_thread(deploy: Deploy) -> None:
    app = """
    import time
    def handler(event, context):
        if event["stuck"]:
            time.sleep(600)
        return "free"
    """
    cloud = one(deploy, app, 900)
    executor: Any = cloud._executor

    def kill() -> None:
        while not executor.kill("signalbox-One"):
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    answer = call(cloud, payload={"stuck": True})
    killer.join()
    assert answer["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert json.dumps(call(cloud, payload={"stuck": False})) == '"free"'
