"""SageMaker in moto: processing, training and transform jobs that tell their true state.

moto keeps them, with their tags; created, described, listed and stopped they are from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ResourceInUseException, ValidationError

from localcloud.cuts import Seam
from localcloud.seams.stored import Listing, Stored
from localcloud.wiring import Hooks, RefusedError

_STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


def _jobs(self: Any, kind: str) -> dict[str, Stored]:
    jobs: dict[str, Stored] = getattr(self.sagemaker_backend, f"{kind.lower()}_jobs")
    return jobs


def _arn(self: Any, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{self.region}:{self.current_account}:{kind.lower()}-job/{name}"


def _found(self: Any, kind: str) -> Stored:
    name = str(self._get_param(f"{kind}JobName"))
    found = _jobs(self, kind).get(name)
    if found is None:
        arn = _arn(self, kind, name)
        raise ValidationError(f"Could not find {kind.lower()} job '{arn}'.")
    return found


def _create(kind: str, hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    facts = {name: value for name, value in self.params.items() if value is not None}
    tags = facts.pop("Tags", [])
    name = str(facts[f"{kind}JobName"])
    arn = facts[f"{kind}JobArn"] = _arn(self, kind, name)
    jobs = _jobs(self, kind)
    if name in jobs:
        raise ResourceInUseException(
            "Job name must be unique within an AWS account and region, "
            f"and a job with this name already exists ({arn})"
        )
    jobs[name] = Stored(arn, facts, tags)
    try:
        hooks.create_sagemaker_job(kind, facts)
    except RefusedError as refused:
        del jobs[name]
        raise ValidationError(str(refused)) from refused
    return ActionResult({f"{kind}JobArn": arn})


def _describe(kind: str, hooks: Hooks, original: Any, self: Any) -> Any:
    del hooks, original
    return ActionResult(dict(_found(self, kind).facts))


def _stop(kind: str, hooks: Hooks, *rest: Any) -> Any:
    self = rest[-1]  # after moto's own, where it has one
    found = _found(self, kind)
    try:
        hooks.stop_sagemaker_job(kind, found.facts)
    except RefusedError as refused:
        raise ValidationError(str(refused)) from refused
    return EmptyResult()


def _list(kind: str, hooks: Hooks, original: Any, self: Any) -> Any:
    del hooks, original
    order = "Descending" if kind == "Transform" else "Ascending"
    listing = Listing(
        f"{kind}JobSummaries", f"{kind}JobName", partial(_summary, kind), order,
        f"{kind}JobStatus", _STATUSES,
    )  # fmt: skip
    return listing.answer([job.facts for job in _jobs(self, kind).values()], self.params)


def _summary(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    names = ["JobName", "JobArn", "JobStatus", "EndTime"]
    shown = [f"{kind}{name}" for name in names] + ["CreationTime", "LastModifiedTime"]
    shown += {
        "Training": ["SecondaryStatus"],
        "Processing": ["FailureReason", "ExitMessage"],
        "Transform": ["FailureReason"],
    }[kind]
    return {name: facts[name] for name in shown if name in facts}


def _seams(kind: str) -> list[Seam]:
    what = f"{kind.lower()}_job"
    stop = "(self)" if kind == "Processing" else None  # moto stops no other job
    cuts: list[tuple[str, str | None, Callable[..., Any]]] = [
        (f"create_{what}", "(self)", _create),
        (f"describe_{what}", "(self)", _describe),
        (f"list_{what}s", "(self)", _list),
        (f"stop_{what}", stop, _stop),
    ]
    owner = "moto.sagemaker.responses:SageMakerResponse"
    return [Seam(owner, name, looks, partial(with_, kind)) for name, looks, with_ in cuts]


SEAMS = (*_seams("Processing"), *_seams("Training"), *_seams("Transform"))
