"""Lambda in moto: Invoke runs our functions."""

from __future__ import annotations

import base64
import json
from typing import Any

from moto.awslambda.exceptions import LambdaClientError

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, Invoke, PayloadTooLarge


class _RequestTooLargeError(LambdaClientError):  # type: ignore[misc]
    code = 413  # as botocore's model says of RequestTooLargeException

    def __init__(self, message: str) -> None:
        super().__init__("RequestTooLargeException", message)


class _Answer(bytes):
    """An answer that moto does not measure: it would refuse what is above 6,000,000 bytes."""

    def __sizeof__(self) -> int:
        return 0


_LOG_TAIL = 4096  # "LogResult: the last 4 KB of the execution log", Invoke, Lambda API Reference


def _invoke(
    hooks: Hooks, original: Any, self: Any, function_name: str, qualifier: str | None, body: Any,
    headers: Any, response_headers: Any,
) -> bytes:  # fmt: skip
    del original
    function = self.get_function(function_name, qualifier)
    kind = headers.get("x-amz-invocation-type") or "RequestResponse"
    sent = body.encode() if isinstance(body, str) else bytes(body or b"")
    try:
        payload = json.loads(sent) if sent else {}
    except ValueError as wrong:
        message = f"Could not parse request body into json: {wrong}"
        raise LambdaClientError("InvalidRequestContentException", message) from wrong
    try:
        answer = hooks.invoke(Invoke(str(function.function_name), payload, str(kind), len(sent)))
    except PayloadTooLarge as refused:
        raise _RequestTooLargeError(str(refused)) from refused
    if answer is None:
        response_headers["Content-Length"] = "0"
        return b""
    tail = answer.log.encode()[-_LOG_TAIL:]
    response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()  # moto asks LogType
    if answer.error:
        response_headers["x-amz-function-error"] = answer.error
    response_headers["Content-Length"] = str(len(answer.payload.encode()))
    return _Answer(answer.payload.encode())


SEAMS = (
    Seam("moto.awslambda.models:LambdaBackend", "invoke",
         "(self, function_name, qualifier, body, headers, response_headers)", _invoke),
)  # fmt: skip
