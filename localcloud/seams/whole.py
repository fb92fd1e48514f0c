"""SageMaker in moto: pipelines, tuning jobs and the model registry, each answered as a whole.

moto's pipeline executions are born Succeeded, its tuning jobs Completed, and an update of a model
package takes away what it does not name. So moto keeps facts and tags here and does nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.sagemaker.models import sagemaker_backends

from localcloud.cuts import Seam
from localcloud.operations import Asked
from localcloud.seams.stored import Stored
from localcloud.wiring import Hooks

_OWNER = "moto.sagemaker.responses:SageMakerResponse"
_REPLACED = (
    "CreatePipeline", "UpdatePipeline", "DescribePipeline", "DeletePipeline", "ListPipelines",
    "StartPipelineExecution", "DescribePipelineExecution", "ListPipelineExecutions",
    "ListPipelineParametersForExecution", "DescribePipelineDefinitionForExecution",
    "CreateHyperParameterTuningJob", "DescribeHyperParameterTuningJob",
    "ListHyperParameterTuningJobs", "DeleteHyperParameterTuningJob",
    "CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "ListModelPackages",
    "CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups",
)  # fmt: skip
_LACKING = (
    "ListPipelineExecutionSteps", "StopPipelineExecution", "RetryPipelineExecution",
    "UpdatePipelineExecution", "SendPipelineExecutionStepSuccess",
    "SendPipelineExecutionStepFailure", "StopHyperParameterTuningJob",
    "ListTrainingJobsForHyperParameterTuningJob", "DeleteModelPackage", "DeleteModelPackageGroup",
)  # fmt: skip


class MotoShelf:
    """`operations.Shelf` over one of moto's dictionaries."""

    def __init__(self, account: str, region: str, kind: str) -> None:
        self._held: dict[str, Stored] = getattr(sagemaker_backends[account][region], kind)

    def find(self, key: str) -> dict[str, Any] | None:
        """The facts of one."""
        found = self._held.get(key)
        return None if found is None else found.facts

    def put(self, key: str, arn: str, facts: dict[str, Any], tags: Sequence[Any] = ()) -> None:
        """Keep one, with its tags."""
        self._held[key] = Stored(arn, facts, list(tags))

    def drop(self, key: str) -> None:
        """Forget one."""
        del self._held[key]

    def all(self) -> list[dict[str, Any]]:
        """The facts of all."""
        return [each.facts for each in list(self._held.values())]

    def tags(self, key: str) -> list[Any]:
        """The tags of one."""
        return list(self._held[key].tags)


def _answered(operation: str, hooks: Hooks, *rest: Any) -> Any:
    self = rest[-1]  # after moto's own, where it has one
    params = {name: value for name, value in self.params.items() if value is not None}
    shelf = partial(MotoShelf, self.current_account, self.region)
    answer = hooks.answered(Asked(operation, self.current_account, params, shelf))
    told = get_service_model("sagemaker").operation_model(operation).output_shape
    return EmptyResult() if told is None else ActionResult(answer)


def _snake(operation: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in operation)[1:]


def _seam(operation: str, signature: str | None) -> Seam:
    return Seam(_OWNER, _snake(operation), signature, partial(_answered, operation))


SEAMS = (
    *(_seam(each, "(self)") for each in _REPLACED),
    *(_seam(each, None) for each in _LACKING),
)
