"""SageMaker in moto: models, endpoint configurations, endpoints, and calls of endpoints.

moto keeps them, with their tags; its endpoints answer without any model, so everything else is from
here. Citations: the operations' pages of the SageMaker and SageMaker Runtime API References.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ValidationError

from localcloud.cuts import Seam
from localcloud.hosting import Answer, Invocation
from localcloud.seams.requests import call_of
from localcloud.seams.stored import Listing, Stored
from localcloud.wiring import Hooks, RefusedError

_OWNER = "moto.sagemaker.responses:SageMakerResponse"
_RUNTIME = "moto.sagemakerruntime.responses:SageMakerRuntimeResponse"
_STATUSES = (
    "OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack", "InService",
    "Deleting", "Failed", "UpdateRollbackFailed",
)  # fmt: skip


def _kept(self: Any, what: str) -> dict[str, Stored]:
    names = {"model": "_models", "endpoint": "endpoints", "endpoint-config": "endpoint_configs"}
    kept: dict[str, Stored] = getattr(self.sagemaker_backend, names[what])
    return kept


def _key(what: str, name: str) -> str:
    """ "The name is case-insensitive in CreateEndpoint"; in its ARN it is in lower case."""
    return name.lower() if what == "endpoint" else name


def _arn(self: Any, what: str, name: str) -> str:
    return f"arn:aws:sagemaker:{self.region}:{self.current_account}:{what}/{_key(what, name)}"


def _found(self: Any, what: str, name: str) -> Stored:
    found = _kept(self, what).get(_key(what, name))
    if found is None:
        word = what.replace("endpoint-config", "endpoint configuration")
        raise ValidationError(f'Could not find {word} "{_arn(self, what, name)}".')
    return found


def _asked(self: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The request's members, and its tags."""
    facts = {name: value for name, value in self.params.items() if value is not None}
    return facts, facts.pop("Tags", [])


def _keep(
    self: Any, what: str, prefix: str, create: Callable[[dict[str, Any]], None]
) -> ActionResult:
    """Make something of a request, unless there is one of its name."""
    facts, tags = _asked(self)
    name = str(facts[f"{prefix}Name"])
    arn = facts[f"{prefix}Arn"] = _arn(self, what, name)
    kept = _kept(self, what)
    if _key(what, name) in kept:
        word = what.replace("-config", " configuration")
        raise ValidationError(f'Cannot create already existing {word} "{arn}".')
    kept[_key(what, name)] = Stored(arn, facts, tags)
    try:
        create(facts)
    except RefusedError as refused:
        del kept[_key(what, name)]
        raise ValidationError(str(refused)) from refused
    return ActionResult({f"{prefix}Arn": arn})


def _create_model(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    return _keep(self, "model", "Model", hooks.create_model)


def _create_config(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    return _keep(self, "endpoint-config", "EndpointConfig", hooks.create_endpoint_config)


def _create_endpoint(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    config = _found(self, "endpoint-config", str(self.params["EndpointConfigName"])).facts

    def create(facts: dict[str, Any]) -> None:
        hooks.create_endpoint(facts, config)

    return _keep(self, "endpoint", "Endpoint", create)


def _update_endpoint(hooks: Hooks, self: Any) -> Any:
    asked, _ = _asked(self)
    endpoint = _found(self, "endpoint", str(asked["EndpointName"]))
    config = _found(self, "endpoint-config", str(asked["EndpointConfigName"])).facts
    try:
        hooks.update_endpoint(endpoint.facts, asked, config)
    except RefusedError as refused:
        raise ValidationError(str(refused)) from refused
    return ActionResult({"EndpointArn": endpoint.arn})


def _delete_endpoint(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    name = str(self.params["EndpointName"])
    kept, facts = _kept(self, "endpoint"), _found(self, "endpoint", name).facts
    try:
        hooks.delete_endpoint(facts, lambda: kept.__delitem__(_key("endpoint", name)))
    except RefusedError as refused:
        raise ValidationError(str(refused)) from refused
    return EmptyResult()


def _describe(what: str, prefix: str) -> Callable[..., Any]:
    def describe(hooks: Hooks, original: Any, self: Any) -> Any:
        del hooks, original
        return ActionResult(dict(_found(self, what, str(self.params[f"{prefix}Name"])).facts))

    return describe


def _delete(what: str, prefix: str) -> Callable[..., Any]:
    """Models and configurations; an endpoint that uses one goes on with what it took of it."""

    def delete(hooks: Hooks, original: Any, self: Any) -> Any:
        del hooks, original
        name = str(self.params[f"{prefix}Name"])
        _found(self, what, name)
        del _kept(self, what)[name]
        return EmptyResult()

    return delete


def _list(what: str, prefix: str, *, status: bool = False) -> Callable[..., Any]:
    shown = [f"{prefix}Name", f"{prefix}Arn", "CreationTime"]
    shown += ["LastModifiedTime", f"{prefix}Status"] if status else []

    def summary(facts: Mapping[str, Any]) -> dict[str, Any]:
        return {name: facts[name] for name in shown}

    word = f"{prefix}Status" if status else ""
    listing = Listing(f"{prefix}s", f"{prefix}Name", summary, "Descending", word, _STATUSES)

    def listed(hooks: Hooks, original: Any, self: Any) -> Any:
        del hooks, original
        return listing.answer([each.facts for each in _kept(self, what).values()], self.params)

    return listed


def _as_bytes(hooks: Hooks, original: Any, self: Any, *given: Any, **named: Any) -> Any:
    """A request to an endpoint may be anything but text, which moto takes it for."""
    del hooks
    return original(self, *given, **{**named, "use_raw_body": True})


def _invoke(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    return _http(hooks.invoke_endpoint(_invocation(self)))


def _invoke_async(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    return _http(hooks.invoke_endpoint_async(_invocation(self)))


def _invocation(self: Any) -> Invocation:
    asked = dict(call_of(self).params())
    name, _ = str(asked.pop("EndpointName")), asked.pop("Body", None)
    given = {member: value for member, value in asked.items() if value is not None}
    return Invocation(self.current_account, name, given, self.raw_body)


def _http(answer: Answer) -> Any:
    """moto takes the status from a header."""
    return answer.status, {**answer.headers, "status": str(answer.status)}, answer.body


def _weigh(hooks: Hooks, original: Any, self: Any) -> Any:
    del hooks, original, self
    raise ValidationError("one variant of one instance: the local cloud has nothing to weigh")


SEAMS = (
    Seam(_OWNER, "create_model", "(self)", _create_model),
    Seam(_OWNER, "describe_model", "(self)", _describe("model", "Model")),
    Seam(_OWNER, "delete_model", "(self)", _delete("model", "Model")),
    Seam(_OWNER, "list_models", "(self)", _list("model", "Model")),
    Seam(_OWNER, "create_endpoint_config", "(self)", _create_config),
    Seam(_OWNER, "describe_endpoint_config", "(self)",
         _describe("endpoint-config", "EndpointConfig")),
    Seam(_OWNER, "delete_endpoint_config", "(self)", _delete("endpoint-config", "EndpointConfig")),
    Seam(_OWNER, "list_endpoint_configs", "(self)", _list("endpoint-config", "EndpointConfig")),
    Seam(_OWNER, "create_endpoint", "(self)", _create_endpoint),
    Seam(_OWNER, "update_endpoint", None, _update_endpoint),
    Seam(_OWNER, "describe_endpoint", "(self)", _describe("endpoint", "Endpoint")),
    Seam(_OWNER, "delete_endpoint", "(self)", _delete_endpoint),
    Seam(_OWNER, "list_endpoints", "(self)", _list("endpoint", "Endpoint", status=True)),
    Seam(_OWNER, "update_endpoint_weights_and_capacities", "(self)", _weigh),
    Seam(_RUNTIME, "setup_class",
         "(self, request, full_url=None, headers=None, use_raw_body=None)", _as_bytes),
    Seam(_RUNTIME, "invoke_endpoint", "(self)", _invoke),
    Seam(_RUNTIME, "invoke_endpoint_async", "(self)", _invoke_async),
)  # fmt: skip
