"""InvokeEndpoint: what of a request reaches the container, and what becomes of its answer.

Citations: InvokeEndpoint of the SageMaker Runtime API Reference; botocore's shapes InvokeEndpointInput,
InvokeEndpointOutput and ModelError.
"""

from __future__ import annotations

import json

from localcloud import limits
from localcloud.engines.serving import Reply
from localcloud.hosting import Answer, Invocation
from localcloud.wiring import Refused
from localcloud.world import World

_PASSED_ON = {
    "Accept": "Accept",
    "ContentType": "Content-Type",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "TargetVariant": "X-Amzn-SageMaker-Target-Variant",
}
_UNPLAYED = (
    "TargetModel", "TargetContainerHostname", "EnableExplanations", "InferenceComponentName",
    "SessionId", "PrefixAwareId",
)  # fmt: skip
_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_LONGEST_MESSAGE = 2048


def asked_of(invocation: Invocation) -> dict[str, str]:
    """The headers the container gets.

    Raises:
        Refused: ValidationError; the body is too large, or something is not played.
    """
    most = limits.INVOKE_ENDPOINT
    if not most.allows(len(invocation.body)):
        message = (
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most.most}"
        )
        raise Refused("ValidationError", message)
    for name in _UNPLAYED:
        if invocation.asked.get(name):
            raise Refused("ValidationError", f"{name} is not supported by the local cloud")
    return {
        header: str(invocation.asked[name])
        for name, header in _PASSED_ON.items()
        if invocation.asked.get(name)
    }


def measure(world: World, endpoint: str, variant: str, reply: Reply | str) -> None:
    """What CloudWatch is told of a call: "Amazon SageMaker AI metrics", Endpoint Invocation Metrics.

    Args:
        world: the cloud.
        endpoint: who was asked.
        variant: and which variant of it.
        reply: what the container answered; a text says why it did not.
    """
    status = 500 if isinstance(reply, str) else reply.status
    named = {"EndpointName": endpoint, "VariantName": variant}
    for name, value in {
        "Invocations": 1,
        "Invocation4XXErrors": int(400 <= status < 500),
        "Invocation5XXErrors": int(status >= 500),
    }.items():
        world.metrics.put("AWS/SageMaker", name, named, value, "None")


def judged(reply: Reply | str, variant: str, group: str) -> Answer:
    """The answer to the caller: the container's own, or a ModelError.

    Args:
        reply: what the container answered; a text says why it did not.
        variant: who was asked.
        group: ARN of the container's log group.
    """
    if isinstance(reply, str):
        return _model_error(0, "server", reply, group)
    if not 200 <= reply.status < 300:
        text = reply.body[:_LONGEST_MESSAGE].decode("utf-8", "replace")
        return _model_error(reply.status, "client" if reply.status < 500 else "server", text, group)
    headers = {
        "Content-Type": reply.headers.get("content-type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": variant,
    }
    if _ATTRIBUTES.lower() in reply.headers:
        headers[_ATTRIBUTES] = reply.headers[_ATTRIBUTES.lower()]
    return Answer(200, headers, reply.body)


def _model_error(status: int, whose: str, text: str, group: str) -> Answer:
    message = f'Received {whose} error ({status}) from primary with message "{text}".'
    body = {
        "Message": f"{message} See {group} for more information.",
        "OriginalStatusCode": status,
        "OriginalMessage": text,
        "LogStreamArn": group,
    }
    headers = {"Content-Type": "application/json", "x-amzn-errortype": "ModelError"}
    return Answer(424, headers, json.dumps(body).encode())
