"""Every request to moto: told before it is served, and answered with an error where refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import ActionResult
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3ClientError

from localcloud.cuts import Seam
from localcloud.wiring import Call, Hooks, Refused


def _call(response: Any) -> Call:
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
    if response.method == "HEAD":
        return refused.status, {}, ""
    error = S3ClientError(refused.code, str(refused))
    _, headers, body = response.serialized(ActionResult(error))
    if response.service_name == "sqs":  # "awsQueryCompatible": SDKs take the code from here
        headers["x-amzn-query-error"] = f"{refused.code};Sender"
    return refused.status, {**headers, "status": str(refused.status)}, body


def _served(
    hooks: Hooks, response: Any, serve: Callable[[], Any], status: Callable[[Any], int]
) -> Any:
    call = _call(response)
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
