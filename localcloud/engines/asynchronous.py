"""InvokeEndpointAsync: the payload from S3 or the request, the answer to S3, a notification by SNS.

All of it in the name of the model's role, which the container has too.

Citations: InvokeEndpointAsync of the SageMaker Runtime API Reference; AsyncInferenceConfig of the
SageMaker API Reference; "Asynchronous inference" and "Check prediction results" of its Developer
Guide.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud import limits
from localcloud.engines import identity
from localcloud.engines.base import Outside, RunError
from localcloud.engines.ml import split
from localcloud.engines.server import Server
from localcloud.hosting import Answer, Invocation
from localcloud.wiring import Refused, RefusedError
from localcloud.world import World

_WAIT_S = 1.0  # virtual, in the queue
_TIMEOUT_S = 900
_PASSED_ON = {
    "Accept": "Accept",
    "ContentType": "Content-Type",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
}


def check(config: Mapping[str, Any]) -> None:
    """See that an AsyncInferenceConfig can be honoured.

    Raises:
        RefusedError: it cannot.
    """
    output = config["OutputConfig"]
    for name in ("S3OutputPath", "S3FailurePath"):
        uri = str(output.get(name) or ("" if name == "S3OutputPath" else "s3://none"))
        if not uri.startswith("s3://"):
            raise RefusedError(f"{name} {uri!r} is not an S3 URI")
    if (output.get("NotificationConfig") or {}).get("IncludeInferenceResponseIn"):
        raise RefusedError("IncludeInferenceResponseIn is not supported by the local cloud")


@dataclass(frozen=True)
class _Request:
    """One asynchronous inference.

    Attributes:
        endpoint: the endpoint's name.
        server: who answers.
        output: the configuration's OutputConfig.
        asked: the request's members.
        body: the payload, if it came with the request.
        inference_id: its id.
        done: S3 URI of the answer.
        failed: S3 URI of an error; "" for none.
        received: virtual instant.
        record: journal record behind it.
        timeout_s: real seconds the container has.
    """

    endpoint: str
    server: Server
    output: Mapping[str, Any]
    asked: Mapping[str, Any]
    body: bytes
    inference_id: str
    done: str
    failed: str
    received: str
    record: int
    timeout_s: float


class Asynchronous:
    """Takes asynchronous inferences and does them later.

    Args:
        world: the cloud.
        outside: does the work.
    """

    def __init__(self, world: World, outside: Outside) -> None:
        self._world = world
        self._outside = outside

    def begin(
        self,
        invocation: Invocation,
        server: Server,
        output: Mapping[str, Any],
        record: int,
        second_s: float,
    ) -> Answer:
        """Queue an inference; the answer says where its result will be.

        Raises:
            Refused: ValidationError; it needs either a place of the payload or the payload.
        """
        asked = invocation.asked
        if bool(asked.get("InputLocation")) == bool(invocation.body):
            raise Refused("ValidationError", "Provide exactly one of InputLocation and Body.")
        if not limits.INVOKE_ASYNC.allows(len(invocation.body)):
            most = limits.INVOKE_ASYNC.most
            raise Refused("ValidationError", f"Body must have at most {most} bytes.")
        inference_id = str(asked.get("InferenceId") or self._world.new_id())
        name = str(asked.get("Filename") or f"{inference_id}.out")
        inside = str(asked.get("S3OutputPathExtension") or "").strip("/")
        done = "/".join(each for each in (output["S3OutputPath"].rstrip("/"), inside, name) if each)
        path = str(output.get("S3FailurePath") or "").rstrip("/")
        failed = f"{path}/{inference_id}-error.out" if path else ""
        seconds = int(asked.get("InvocationTimeoutSeconds") or _TIMEOUT_S)
        request = _Request(
            invocation.endpoint, server, output, asked, invocation.body, inference_id, done,
            failed, self._now(), record, seconds * second_s,
        )  # fmt: skip
        wait = 0.0 if self._world.real_time else _WAIT_S
        self._world.clock.after(wait, partial(self._begin, request))
        headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-OutputLocation": done}
        if failed:
            headers["X-Amzn-SageMaker-FailureLocation"] = failed
        return Answer(202, headers, json.dumps({"InferenceId": inference_id}).encode())

    def try_topics(self, server: Server, output: Mapping[str, Any], record: int) -> None:
        """The notification by which SageMaker tests topics when an endpoint is made or updated.

        Raises:
            RunError: the model's role may not publish there, or there is no such topic.
        """
        client = self._clients(server, record)
        test = {**_COMMON, "eventName": "TestNotification"}
        for topic in sorted(set(_topics(output).values())):
            try:
                client("sns").publish(TopicArn=topic, Message=json.dumps(test))
            except ClientError as error:
                raise RunError(f"ClientError: {topic} cannot be notified: {error}") from error

    def _begin(self, request: _Request) -> None:
        self._outside(partial(self._do, request), lambda _: None)

    def _do(self, request: _Request) -> None:
        """Infer, store and tell."""
        client = self._clients(request.server, request.record)
        try:
            body, kind = self._inferred(request, client)
            self._store(request, client, request.done, body, kind)
        except (RunError, ClientError, BotoCoreError) as error:
            self._fail(request, client, str(error))
            return
        answer = {"contentType": kind, "outputLocation": request.done}
        told = {"invocationStatus": "Completed", "responseParameters": answer}
        self._notify(request, client, "SuccessTopic", told)

    def _inferred(self, request: _Request, client: Callable[[str], Any]) -> tuple[bytes, str]:
        """The container's answer and its content type."""
        asked, body = request.asked, self._body(request, client)
        headers = {
            header: str(asked[name]) for name, header in _PASSED_ON.items() if asked.get(name)
        }
        reply = request.server.call(body, headers, request.timeout_s)
        if isinstance(reply, str):
            raise RunError(f"ClientError: {reply}")
        if not 200 <= reply.status < 300:
            whose = "client" if reply.status < 500 else "server"
            text = reply.body[:1024].decode("utf-8", "replace")
            message = f"Received {whose} error ({reply.status}) from model with message"
            raise RunError(f'ClientError: {message} "{text}".')
        return reply.body, reply.headers.get("content-type", "application/octet-stream")

    def _fail(self, request: _Request, client: Callable[[str], Any], reason: str) -> None:
        if request.failed:
            try:
                self._store(request, client, request.failed, reason.encode(), "text/plain")
            except ClientError as error:
                self._say(request, f"{request.failed} cannot be written: {error}")
        told = {"invocationStatus": "Failed", "failureReason": reason}
        self._notify(request, client, "ErrorTopic", told)

    def _body(self, request: _Request, client: Callable[[str], Any]) -> bytes:
        where = request.asked.get("InputLocation")
        if not where:
            return request.body
        bucket, key = split(str(where))
        return bytes(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def _store(
        self, request: _Request, client: Callable[[str], Any], uri: str, body: bytes, kind: str
    ) -> None:
        bucket, key = split(uri)
        key_id = request.output.get("KmsKeyId")
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
        client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, **extra)

    def _notify(
        self, request: _Request, client: Callable[[str], Any], which: str, told: Mapping[str, Any]
    ) -> None:
        topic = _topics(request.output).get(which)
        if topic is None:
            return
        asked = {
            "accept": request.asked.get("Accept"),
            "contentType": request.asked.get("ContentType"),
            "endpointName": request.endpoint,
            "inputLocation": request.asked.get("InputLocation"),
        }
        message = {
            **_COMMON,
            "awsRegion": self._world.region,
            "eventName": "InferenceResult",
            "eventTime": self._now(),
            "receivedTime": request.received,
            "inferenceId": request.inference_id,
            "requestParameters": {name: value for name, value in asked.items() if value},
            **told,
        }
        try:
            client("sns").publish(TopicArn=topic, Message=json.dumps(message))
        except ClientError as error:
            self._say(request, f"{topic} cannot be notified: {error}")

    def _say(self, request: _Request, line: str) -> None:
        """What AWS would tell nobody."""
        self._world.journal.add("log", request.endpoint, cause=request.record, line=line)

    def _clients(self, server: Server, record: int) -> Callable[[str], Any]:
        role = server.container.role
        given = identity.credentials(self._world, role, "SageMaker", record)
        return identity.clients(self._world, given)

    def _now(self) -> str:
        return self._world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


_COMMON = {"eventVersion": "1.0", "eventSource": "aws:sagemaker"}


def _topics(output: Mapping[str, Any]) -> dict[str, str]:
    given = output.get("NotificationConfig") or {}
    return {name: str(given[name]) for name in ("SuccessTopic", "ErrorTopic") if given.get(name)}
