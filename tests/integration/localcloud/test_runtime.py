"""The in-process executor: what a function sees, and that nothing of it stays behind."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from typing import Any

import boto3
import numpy as np
import pytest

from localcloud import Cloud, Record
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import Deploy

LAYER = """
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Layer}}
"""


def door(name: str, extra: str = "") -> str:
    return f"""
  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: {name}
      Role: !GetAtt Role.Arn
      MemorySize: 256
      Layers: [!Ref Layer]
      Environment: {{Variables: {{OWN: {name}}}}}
{extra}
"""


def call(cloud: Cloud, name: str = "One", payload: Any = None) -> Any:
    answer = cloud.client("lambda").invoke(
        FunctionName=cloud.physical_id(name), Payload=json.dumps(payload or {}).encode()
    )
    return json.loads(answer["Payload"].read())


def one(deploy: Deploy, app: str, extra: str = "", **files: str) -> Cloud:
    named = {name.replace("__", "/") + ".py": text for name, text in files.items()}
    layer = {"Layer/python/shared.py": "VALUE = []\n"}
    return deploy(ROLE + LAYER + door("One", extra), {"One/app.py": app, **layer, **named})


def test_the_environment_is_lambdas_and_nothing_else(deploy: Deploy) -> None:
    app = """
    import os, time
    def handler(event, context):
        return {**os.environ, "zone": time.tzname[0]}
    """
    cloud = one(deploy, app, "      LoggingConfig: {ApplicationLogLevel: WARN, LogFormat: JSON}")
    seen = call(cloud)
    assert seen.pop("zone") == "UTC"
    assert seen.pop("AWS_ACCESS_KEY_ID").startswith("ASIA")
    assert seen.pop("AWS_SECRET_ACCESS_KEY")
    assert seen.pop("AWS_SESSION_TOKEN")
    assert seen.pop("AWS_LAMBDA_LOG_STREAM_NAME").startswith("2026/01/01/[$LATEST]")
    assert seen.pop("LAMBDA_TASK_ROOT").endswith("/build/One")
    assert seen == {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_NAME": "signalbox-One",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/signalbox-One",
        "AWS_LAMBDA_LOG_LEVEL": "WARN",
        "AWS_REGION": "eu-west-1",
        "LANG": "en_US.UTF-8",
        "OWN": "One",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }


def test_the_process_is_afterwards_as_it_was_before(deploy: Deploy) -> None:
    app = """
    import logging, os, sys
    import boto3, shared
    def handler(event, context):
        logging.basicConfig(level=logging.DEBUG)
        logging.getLogger("mine").addHandler(logging.StreamHandler())
        os.environ["LEFT"] = "behind"
        sys.path.append("/left/behind")
        boto3.setup_default_session(region_name="us-east-1")
    """
    cloud = one(deploy, app)
    state = (dict(os.environ), list(sys.path), list(sys.meta_path), boto3.DEFAULT_SESSION)
    root, stdout = (list(logging.getLogger().handlers), logging.getLogger().level), sys.stdout
    assert call(cloud) is None
    assert (dict(os.environ), list(sys.path), list(sys.meta_path), boto3.DEFAULT_SESSION) == state
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == root
    assert sys.stdout is stdout
    assert "mine" not in logging.Logger.manager.loggerDict
    assert not {"app", "shared"} & set(sys.modules)


def test_functions_do_not_see_each_others_modules_or_loggers(deploy: Deploy) -> None:
    app = """
    import logging, os, shared
    logger = logging.getLogger("same name")
    logger.addHandler(logging.NullHandler())
    def handler(event, context):
        shared.VALUE.append(os.environ["OWN"])
        return [shared.VALUE, len(logging.getLogger("same name").handlers)]
    """
    files = {f"{name}/app.py": app for name in ("One", "Two")}
    files["Layer/python/shared.py"] = "VALUE = []\n"
    cloud = deploy(ROLE + LAYER + door("One") + door("Two"), files)
    assert call(cloud, "One") == [["One"], 1]
    assert call(cloud, "Two") == [["Two"], 1]
    assert call(cloud, "One") == [["One", "One"], 1]  # warm: its modules are kept for it


def test_a_function_may_call_another_in_the_middle(deploy: Deploy) -> None:
    calling = """
    import json, os
    import boto3, shared
    client = boto3.client("lambda")
    def handler(event, context):
        shared.VALUE.append("before")
        answer = client.invoke(FunctionName="signalbox-Two", Payload=b"{}")
        print("after")
        return [json.loads(answer["Payload"].read()), shared.VALUE, os.environ["OWN"]]
    """
    called = """
    import os, shared
    def handler(event, context):
        print("inner")
        return [shared.VALUE, os.environ["OWN"]]
    """
    files = {"One/app.py": calling, "Two/app.py": called, "Layer/python/shared.py": "VALUE = []\n"}
    cloud = deploy(ROLE + LAYER + door("One") + door("Two"), files)
    assert call(cloud, "One") == [[[], "Two"], ["before"], "One"]
    logs = [(r.name, r.detail["line"], r.cause) for r in cloud.journal if r.kind == "log"]
    invoked = {r.name: r for r in cloud.journal if r.kind == "invocation"}
    assert logs == [
        ("signalbox-Two", "inner", invoked["signalbox-Two"].id),
        ("signalbox-One", "after", invoked["signalbox-One"].id),
    ]
    assert invoked["signalbox-Two"].cause == invoked["signalbox-One"].id


def test_this_repository_is_not_on_the_path(deploy: Deploy) -> None:
    app = """
    import simulator
    """
    importlib.import_module("simulator")  # that the program itself has it must not help the door
    assert call(one(deploy, app))["errorType"] == "Runtime.ImportModuleError"
    assert "simulator" in sys.modules


def test_third_party_modules_are_those_of_this_environment(deploy: Deploy) -> None:
    app = """
    import numpy
    def handler(event, context):
        return numpy.__file__
    """
    assert call(one(deploy, app)) == np.__file__


def test_the_trace_shows_the_functions_frames_and_not_ours(deploy: Deploy) -> None:
    app = """
    def handler(event, context):
        return inner()
    def inner():
        raise RuntimeError("deep")
    """
    cloud = one(deploy, app)
    trace = call(cloud)["stackTrace"]
    assert len(trace) == 2
    assert all("One/app.py" in frame for frame in trace)
    (line,) = [record.detail["line"] for record in cloud.journal if record.kind == "log"]
    assert line.startswith("[ERROR] RuntimeError: deep\n")


def test_clients_carry_the_functions_role(deploy: Deploy) -> None:
    app = """
    import boto3
    from concurrent.futures import ThreadPoolExecutor
    def handler(event, context):
        who = boto3.client("sts").get_caller_identity
        with ThreadPoolExecutor(1) as pool:
            return [who()["Arn"], pool.submit(who).result()["Arn"]]
    """
    arn = "arn:aws:sts::123456789012:assumed-role/signalbox-Role/signalbox-One"
    assert call(one(deploy, app)) == [arn, arn]


def test_what_a_function_does_in_threads_is_caused_by_its_invocation(deploy: Deploy) -> None:
    app = """
    import io
    import boto3
    def handler(event, context):
        boto3.client("s3").upload_fileobj(io.BytesIO(b"x"), event["bucket"], "made")
    """
    bucket = """
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {NotificationConfiguration: {EventBridgeConfiguration: {}}}
"""
    cloud = one(deploy, app, bucket)
    call(cloud, payload={"bucket": cloud.physical_id("Bucket")})
    (event,) = [record for record in cloud.journal if record.kind == "event"]
    (invocation,) = [record for record in cloud.journal if record.kind == "invocation"]
    assert event.cause == invocation.id


def test_a_listener_is_never_inside_a_function(
    deploy: Deploy, capsys: pytest.CaptureFixture[str]
) -> None:
    app = """
    import boto3
    def handler(event, context):
        print("inside")
        boto3.client("s3").put_object(Bucket=event["bucket"], Key="made", Body=b"")
    """
    bucket = """
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {NotificationConfiguration: {EventBridgeConfiguration: {}}}
"""
    cloud = one(deploy, app, bucket)
    payload = json.dumps({"bucket": cloud.physical_id("Bucket")}).encode()
    cloud.client("lambda").invoke(
        FunctionName=cloud.physical_id("One"), InvocationType="Event", Payload=payload
    )
    heard = []

    def listen(record: Record) -> None:
        print("heard", record.kind)  # noqa: T201 - what a command line does
        heard.append((record.kind, os.environ.get("OWN")))

    cloud.run_until_idle(listen)
    assert heard[:4] == [("log", None), ("event", None), ("call", None), ("invocation", None)]
    assert {environment for _, environment in heard} == {None}
    assert capsys.readouterr().out == "".join(f"heard {kind}\n" for kind, _ in heard)
    assert [r.detail["line"] for r in cloud.journal if r.kind == "log"] == ["inside"]


def test_output_goes_to_the_journal_and_to_cloudwatch(deploy: Deploy) -> None:
    app = """
    import logging, sys
    logger = logging.getLogger("door")
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.propagate = False  # else Lambda's own handler writes it too
    def handler(event, context):
        print("printed")
        logger.warning("logged %s", event["n"])
    """
    group = """
      LoggingConfig: {LogGroup: !Ref Group}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /own/group}}
"""
    cloud = one(deploy, app, group)
    for n in (1, 2):
        call(cloud, payload={"n": n})
    lines = [record.detail["line"] for record in cloud.journal if record.kind == "log"]
    assert lines == ["printed", "logged 1", "printed", "logged 2"]
    logs = cloud.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName="/own/group")["logStreams"]
    events = logs.get_log_events(
        logGroupName="/own/group", logStreamName=stream["logStreamName"]
    )["events"]  # fmt: skip
    assert [event["message"] for event in events] == lines
