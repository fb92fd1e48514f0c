"""What both executors do alike: what a function sees, how it ends, and what the caller is told."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import EXECUTORS, Cloud
from localcloud.runtime.faults import LARGEST_RESPONSE
from localcloud.wiring import Call
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.test_runtime import LAYER, call, door


def one(deploy: Deploy, executor: str, app: str, extra: str = "", more: str = "") -> Cloud:
    files = {"One/app.py": app, "Layer/python/shared.py": "VALUE = []\n"}
    resources = ROLE + LAYER + door("One", extra) + more
    return deploy(resources, files, executor=EXECUTORS[executor]())


def invocation(cloud: Cloud) -> Any:
    """The last invocation's record."""
    return [record for record in cloud.journal if record.kind == "invocation"][-1]


def logs(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def test_the_context_tells_what_lambda_tells(deploy: Deploy, executor: str) -> None:
    app = """
    def handler(event, context):
        names = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
                 "log_group_name", "client_context")
        left = context.get_remaining_time_in_millis()
        identity = context.identity.cognito_identity_id if context.identity else None
        return [*[getattr(context, name) for name in names], identity, 20000 < left <= 30000]
    """
    assert call(one(deploy, executor, app, "      Timeout: 30")) == [
        "signalbox-One",
        "$LATEST",
        "arn:aws:lambda:eu-west-1:123456789012:function:signalbox-One",
        "256",
        "/aws/lambda/signalbox-One",
        None,
        None,
        True,
    ]


@pytest.mark.parametrize(
    ("app", "kind", "message"),
    [
        ("def handler(e, c): raise ValueError('no')", "ValueError", "no"),
        ("def handler(e, c): return {1}", "Runtime.MarshalError", "Unable to marshal response"),
        ("def handler(e, c): import nowhere", "ModuleNotFoundError", "No module named 'nowhere'"),
        ("import nowhere", "Runtime.ImportModuleError", "Unable to import module 'app': No module"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def f(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("raise KeyError('early')", "KeyError", "'early'"),
    ],
)
def test_an_exception_is_told_as_the_runtime_tells_it(
    deploy: Deploy, executor: str, app: str, kind: str, message: str
) -> None:
    cloud = one(deploy, executor, app)
    answer = call(cloud)
    assert answer["errorType"] == kind
    assert message in answer["errorMessage"]
    assert len(answer["requestId"]) == 36
    assert invocation(cloud).status == "failed"
    assert any(line.startswith(f"[ERROR] {kind}: ") for line in logs(cloud))


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("sys.exit('text')", "Runtime exited with error: exit status 1"),
    ],
)
def test_leaving_the_process_is_an_exit_error_and_the_next_start_is_cold(
    deploy: Deploy, executor: str, body: str, how: str
) -> None:
    app = f"""
    import sys
    def handler(event, context):
        if event.get("leave"):
            {body}
        return "stayed"
    """
    cloud = one(deploy, executor, app)
    assert call(cloud) == "stayed"
    answer = call(cloud, payload={"leave": True})
    assert answer.keys() == {"errorType", "errorMessage"}
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith(f" Error: {how}")
    assert call(cloud) == "stayed"
    starts = [r.detail["start"] for r in cloud.journal if r.kind == "invocation"]
    assert starts == ["cold", "warm", "cold"]


def test_a_failed_init_is_done_again_with_the_invocation(deploy: Deploy, executor: str) -> None:
    app = """
    import os, pathlib
    tries = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"]).parent / "tries"
    with tries.open("a") as file:
        file.write("x")
    if len(tries.read_text()) < 4:
        raise RuntimeError("not yet")
    def handler(event, context):
        return len(tries.read_text())
    """
    cloud = one(deploy, executor, app)
    assert call(cloud)["errorMessage"] == "not yet"  # the first and the second time
    assert call(cloud) == 4


def test_a_function_is_stopped_at_its_timeout(deploy: Deploy, executor: str) -> None:
    app = """
    import time
    def handler(event, context):
        while event.get("stuck"):
            time.sleep(0.01)
        return "done"
    """
    cloud = one(deploy, executor, app, "      Timeout: 2")
    answer = call(cloud, payload={"stuck": True})
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert any("Task timed out after 2.00 seconds" in line for line in logs(cloud))
    assert call(cloud) == "done"
    assert invocation(cloud).detail["start"] == "cold"


def test_a_function_sees_the_clouds_clock(deploy: Deploy, executor: str) -> None:
    app = """
    import time
    from datetime import UTC, datetime
    BORN = time.time()
    def handler(event, context):
        seen = [BORN, time.time(), time.time_ns() / 1e9, datetime.now(UTC).timestamp()]
        return [*seen, context.get_remaining_time_in_millis()]
    """
    cloud = one(deploy, executor, app, "      Timeout: 60")
    for hours in (0, 5):
        born, *seen, left = call(cloud)
        now = START.timestamp() + hours * 3600
        assert START.timestamp() <= born < START.timestamp() + 30
        assert all(now <= instant < now + 30 for instant in seen)
        assert 30_000 < left <= 60_000
        cloud._world.clock.follow(START + timedelta(hours=5))


def test_what_a_function_stores_and_logs_carries_the_clouds_time(
    deploy: Deploy, executor: str
) -> None:
    app = """
    import boto3
    def handler(event, context):
        print("stored")
        for _ in range(3):
            boto3.client("s3").put_object(Bucket=event["bucket"], Key="made", Body=b"")
    """
    cloud = one(deploy, executor, app, "      Timeout: 60", BUCKET)
    bucket = cloud.physical_id("Bucket")
    assert call(cloud, payload={"bucket": bucket}) is None
    made = cloud.client("s3").list_object_versions(Bucket=bucket)["Versions"]
    assert [version["IsLatest"] for version in made] == [True, False, False]
    assert all(abs(version["LastModified"] - START) < timedelta(seconds=30) for version in made)
    events = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/signalbox-One")
    assert events["events"][-1]["timestamp"] == START.timestamp() * 1000


def test_a_function_may_call_others_and_itself_in_the_middle(deploy: Deploy, executor: str) -> None:
    app = """
    import json
    import boto3
    client = boto3.client("lambda")
    def handler(event, context):
        if not event["deeper"]:
            return "ground"
        payload = json.dumps({"deeper": event["deeper"] - 1}).encode()
        answer = client.invoke(FunctionName=context.function_name, Payload=payload)
        return ["above", json.loads(answer["Payload"].read())]
    """
    cloud = one(deploy, executor, app, "      Timeout: 60")
    assert call(cloud, payload={"deeper": 2}) == ["above", ["above", "ground"]]
    invoked = [r for r in cloud.journal if r.kind == "invocation"]
    assert [record.cause for record in invoked] == [None, invoked[0].id, invoked[1].id]


def test_calls_carry_the_role_and_name_the_invocation_as_their_cause(
    deploy: Deploy, executor: str
) -> None:
    app = """
    import io
    import boto3
    def handler(event, context):
        boto3.client("s3").upload_fileobj(io.BytesIO(b"x"), event["bucket"], "made")
        return boto3.client("sts").get_caller_identity()["Arn"]
    """
    cloud = one(deploy, executor, app, "      Timeout: 60", BUCKET)
    arn = call(cloud, payload={"bucket": cloud.physical_id("Bucket")})
    assert arn == "arn:aws:sts::123456789012:assumed-role/signalbox-Role/signalbox-One"
    (event,) = [record for record in cloud.journal if record.kind == "event"]
    assert event.cause == invocation(cloud).id


def test_output_goes_to_the_journal_line_by_line(deploy: Deploy, executor: str) -> None:
    app = """
    import sys
    def handler(event, context):
        print("first")
        sys.stdout.write("se")
        sys.stdout.write("cond – ü")
    """
    cloud = one(deploy, executor, app)
    call(cloud)
    call(cloud)
    assert logs(cloud) == ["first", "second – ü"] * 2


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_logging_is_set_up_as_lambdas_runtime_does(
    deploy: Deploy, executor: str, log_format: str
) -> None:
    app = """
    import logging, sys
    logging.getLogger("early").warning("while starting")
    def handler(event, context):
        print("two", file=sys.stderr)
        logging.getLogger("own").info("too low")
        logging.getLogger("own").error("%s of %s", "three", "four")
        raise RuntimeError("five")
    """
    config = f"      LoggingConfig: {{LogFormat: {log_format}, ApplicationLogLevel: WARN}}"
    cloud = one(deploy, executor, app, config)
    for _ in range(2):
        request_id = call(cloud)["requestId"]
    *_, two, three, five = logs(cloud)
    assert len(logs(cloud)) == 7
    assert two == "two"
    if log_format == "JSON":
        told = json.loads(three)
        assert (told["level"], told["message"], told["logger"]) == ("ERROR", "three of four", "own")
        assert told["timestamp"].startswith("2026-01-01T00:00:")
        assert json.loads(five)["errorType"] == "RuntimeError"
        assert json.loads(five)["requestId"] == request_id
    else:
        assert three.startswith("[ERROR]\t2026-01-01T00:00:")
        assert three.endswith(f"Z\t{request_id}\tthree of four")
        assert five.startswith("[ERROR] RuntimeError: five\nTraceback (most recent call last):\n")
        assert 'app.py", line 8, in handler' in five


def test_payloads_and_answers_have_their_limits(deploy: Deploy, executor: str) -> None:
    app = """
    def handler(event, context):
        return "x" * event["size"]
    """
    cloud = one(deploy, executor, app, "      Timeout: 60\n      MemorySize: 1024")
    fits = LARGEST_RESPONSE - 2  # the quotation marks
    assert len(call(cloud, payload={"size": fits})) == fits
    assert call(cloud, payload={"size": fits + 1}) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }
    name, client = cloud.physical_id("One"), cloud.client("lambda")
    for kind, most in (("RequestResponse", 6 * 2**20), ("Event", 2**20)):
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName=name, InvocationType=kind, Payload=b" " * most + b"1")
        assert refused.value.response["Error"]["Code"] == "RequestTooLargeException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
        assert f"(limit {most} bytes)" in str(refused.value)
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        client.invoke(FunctionName=name, Payload=b"{no json")
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b" " * (2**20 - 1) + b"1")


def test_a_killed_invocation_is_retried_as_any_failure(deploy: Deploy, executor: str) -> None:
    app = """
    import boto3
    def handler(event, context):
        try:
            boto3.client("s3").put_object(Bucket=event["bucket"], Key="made", Body=b"")
        except Exception:
            return "survived"
        return "done"
    """
    runner = EXECUTORS[executor]()
    files = {"One/app.py": app, "Layer/python/shared.py": ""}
    resources = ROLE + LAYER + door("One", "      Timeout: 60") + BUCKET
    cloud = deploy(resources, files, executor=runner)
    heard = []

    def kill_the_first(call: Call, _principal: object) -> None:
        heard.append(call.operation())
        if len(heard) == 1:
            assert runner.kill("signalbox-One")

    cloud._world.guard.fault = kill_the_first
    payload = json.dumps({"bucket": cloud.physical_id("Bucket")}).encode()
    cloud.client("lambda").invoke(
        FunctionName="signalbox-One", InvocationType="Event", Payload=payload
    )
    cloud.run_until_idle()
    first, second = [r for r in cloud.journal if r.kind == "invocation"]
    assert first.detail["error"] == "Runtime.ExitError"
    assert first.detail["message"].endswith("Error: Runtime exited with error: signal: killed")
    assert (second.status, second.detail["start"], second.detail["attempt"]) == ("ok", "cold", 2)
    assert not runner.kill("signalbox-One")


def test_two_invocations_at_once_leave_no_trace_of_each_other(
    deploy: Deploy, executor: str
) -> None:
    app = """
    import boto3
    def handler(event, context):
        s3 = boto3.client("s3")
        for key in (f"{event['name']}/1", f"{event['name']}/2"):
            s3.put_object(Bucket=event["bucket"], Key=key, Body=b"")
        return event["name"]
    """
    cloud = one(deploy, executor, app, "      Timeout: 60", BUCKET)
    bucket, begin, said = cloud.physical_id("Bucket"), threading.Barrier(4), []

    def invoke(name: str) -> None:
        begin.wait(30)
        said.append(call(cloud, payload={"name": name, "bucket": bucket}))

    threads = [threading.Thread(target=invoke, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == list("abcd")
    functions = cloud._reactions.functions
    assert not any(functions._at_work.values())
    assert not any(cloud._world.callers.values())
    made = [r for r in cloud.journal if r.kind == "call" and r.name == "s3:PutObject"]
    assert len(made) == 8
    if executor == "inprocess":  # one at a time: each call is known to be of its own invocation
        causes = {r.detail["resource"].split("/")[1]: set() for r in made}
        for record in made:
            causes[record.detail["resource"].split("/")[1]].add(record.cause)
        assert all(len(each) == 1 for each in causes.values())
        assert len(set().union(*causes.values())) == 4
