"""Every request to moto: told before it is served, and answered with an error where refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.access_control import PermissionResult
from moto.moto_api._internal import mock_random

from localcloud.cuts import Seam
from localcloud.wiring import Call, Hooks, Refused


def call_of(response: Any) -> Call:
    """What moto has understood of a request so far; the rest is read when it is asked for."""
    request, service = response.normalized_request, response.boto3_service_name

    @cache
    def matched() -> tuple[str, Mapping[str, Any]]:
        model, in_path = get_service_router(service).match(request)
        return str(model.name), in_path

    def operation() -> str:
        return matched()[0]

    @cache
    def params() -> Mapping[str, Any]:
        name, in_path = matched()
        model = get_service_model(service)
        parser = PROTOCOL_PARSERS[determine_request_protocol(model, request.content_type)]
        parsed: Mapping[str, Any] = parser(model.operation_model(name), map_type=dict).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": in_path,
            }
        )
        return parsed

    return Call(
        response.access_key, response.current_account, response.region, service, operation, params
    )


def _error(response: Any, refused: Refused) -> tuple[int, dict[str, str], str]:
    """The error as the request's own protocol writes it; a HEAD has no body to say it in."""
    model, request = get_service_model(response.boto3_service_name), response.normalized_request
    protocol = determine_request_protocol(model, request.content_type)
    headers = {"x-amzn-requestid": str(mock_random.uuid4())}
    if response.method == "HEAD":
        return refused.status, headers, ""
    if protocol in {"json", "rest-json"}:
        headers |= {"content-type": "application/json", "x-amzn-errortype": refused.code}
        if "awsQueryCompatible" in model.metadata:  # SDKs take the code from here: SQS
            headers["x-amzn-query-error"] = f"{refused.code};Sender"
        body = json.dumps({"__type": refused.code, "message": str(refused)})
        return refused.status, headers, body
    error = f"<Code>{escape(refused.code)}</Code><Message>{escape(str(refused))}</Message>"
    if protocol == "query":
        error = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
    else:
        error = f"<Error>{error}</Error>"
    headers["content-type"] = "application/xml"
    return refused.status, headers, f'<?xml version="1.0" encoding="UTF-8"?>{error}'


def _served(
    hooks: Hooks, response: Any, serve: Callable[[], Any], status: Callable[[Any], int]
) -> Any:
    call = call_of(response)
    try:
        with hooks.called(call):
            answer = serve()
            call.status = status(answer)
            return answer
    except Refused as refused:
        return _error(response, refused)


def _call_action(hooks: Hooks, original: Any, self: Any) -> Any:
    return _served(hooks, self, lambda: original(self), lambda answer: int(answer[0]))


def _bucket_response(hooks: Hooks, original: Any, self: Any, request: Any, full_url: str) -> Any:
    return _served(hooks, self, lambda: original(self, request, full_url), _status_of)


def _key_response(hooks: Hooks, original: Any, self: Any, request: Any, full_url: str) -> Any:
    return _served(hooks, self, lambda: original(self, request, full_url), _status_of)


def _status_of(answer: Any) -> int:
    return int(answer[0]) if isinstance(answer, tuple) else 200


def _no_opinion(hooks: Hooks, original: Any, self: Any, action: str, resource: str) -> Any:
    """moto judges a bucket's policy without its conditions; `localcloud.iam` does it rightly."""
    del hooks, original, self, action, resource
    return PermissionResult.NEUTRAL


SEAMS = (
    Seam("moto.core.responses:BaseResponse", "call_action", "(self)", _call_action),
    Seam("moto.s3.responses:S3Response", "_bucket_response", "(self, request, full_url)",
         _bucket_response),
    Seam("moto.s3.responses:S3Response", "_key_response", "(self, request, full_url)",
         _key_response),
    Seam("moto.s3.models:FakeBucket", "get_permission", "(self, action, resource)", _no_opinion),
)  # fmt: skip
