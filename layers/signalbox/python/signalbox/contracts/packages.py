"""Model packages and endpoints: what SageMaker says of them, and how the house names what follows.

Source: SageMaker Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge"
(model package and endpoint state change); DescribeModelPackage of its API Reference. An event is
sent for every update of a package, whatever changed, and may come twice.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from signalbox.contracts.eventbridge import AWS, Envelope
from signalbox.contracts.registry import RETUNED, REVIEWED
from signalbox.contracts.sagemaker import MAX_NAME

STRICT = ConfigDict(extra="forbid", frozen=True)

BOARD, NOTE, RUN, WORKLOAD = REVIEWED, "review_note", "run", "workload"
"""Further keys of a package's CustomerMetadataProperties."""
SMOKE = "smoke.json"
CSV, LINES = "text/csv", "application/jsonlines"
PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/(?P<group>[^/]+)/(?P<version>\d+)"
)
_RUN = re.compile(r"[0-9a-f]{32}")


def _last(value: Any) -> Any:
    """The page's sample names its source twice, once as a list."""
    return value[0] if isinstance(value, list) and value else value


Source = Annotated[Literal["aws.sagemaker"], BeforeValidator(_last)]


def group_and_version(arn: str) -> tuple[str, int]:
    """Return the group and the version that a package's ARN names.

    Raises:
        ValueError: it is no ARN of a versioned package.
    """
    found = _ARN.fullmatch(arn)
    if not found:
        raise ValueError(
            f"{arn!r} is no versioned model package; those are "
            "arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>"
        )
    return found["group"].lower(), int(found["version"])


def promotion_of(arn: str) -> str:
    """Return the name of a package's promotion, of its model and of its endpoint configuration.

    >>> promotion_of("arn:aws:sagemaker:eu-west-1:123456789012:model-package/signalbox-hvac/3")
    'signalbox-hvac-3-400918ae'
    """
    group, version = group_and_version(arn)
    digest = hashlib.sha256(arn.lower().encode()).hexdigest()[:8]
    ending = f"-{version}-{digest}"
    return f"{group[: MAX_NAME - len(ending)].rstrip('-')}{ending}"


class _PackageDetail(BaseModel):
    model_config = AWS

    arn: str = Field(alias="ModelPackageArn")
    group: str = Field(alias="ModelPackageGroupName")
    approval: str = Field(alias="ModelApprovalStatus")


class ModelPackageChange(Envelope):
    """A model package was registered, or something of it changed."""

    source: Source
    detail_type: Literal["SageMaker Model Package State Change"] = Field(alias="detail-type")
    detail: _PackageDetail


class _EndpointDetail(BaseModel):
    model_config = AWS

    name: str = Field(alias="EndpointName")
    status: str = Field(alias="EndpointStatus")


class EndpointChange(Envelope):
    """An endpoint changed its state; what it serves by is asked of SageMaker."""

    source: Source
    detail_type: Literal["SageMaker Endpoint State Change"] = Field(alias="detail-type")
    detail: _EndpointDetail


class Package(BaseModel):
    """What the house reads of a model package (DescribeModelPackage).

    Attributes:
        statistics: S3 URI of its ``evaluation.json``.
        constraints: S3 URI of what its training data looked like, beside statistics of the same.
        reason: why its status is Failed.
        images, artifacts: of its inference containers, in order.
        execution: what made it, ARN of a pipeline execution where a pipeline did.
    """

    model_config = STRICT

    arn: str
    status: str
    approval: str
    statistics: str | None = None
    constraints: str | None = None
    reason: str = ""
    metadata: dict[str, str] = {}
    images: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    execution: str | None = None

    @property
    def group(self) -> str:
        """The group it belongs to."""
        return group_and_version(self.arn)[0]

    @property
    def version(self) -> int:
        """Its number within the group."""
        return group_and_version(self.arn)[1]

    @property
    def workload(self) -> str:
        """Whose model it is; "" if it does not say."""
        return self.metadata.get(WORKLOAD, "")

    @property
    def sample(self) -> str | None:
        """Where the request lies that it is tried with: beside its statistics."""
        folder, slash, _ = (self.statistics or "").rpartition("/")
        return f"{folder}/{SMOKE}" if slash else None

    @property
    def retuned(self) -> bool:
        """Whether a search for better settings made it, set off by a failed quality check."""
        return self.metadata.get(RETUNED) == "true"

    @property
    def run(self) -> str | None:
        """The pipeline run that made it, where it names one."""
        told = self.metadata.get(RUN, "")
        return told if _RUN.fullmatch(told) else None

    @property
    def reviewed(self) -> bool:
        """Whether a review board stands on it, where one must."""
        return not self.retuned or bool(self.metadata.get(BOARD, "").strip())


class Smoke(BaseModel):
    """``smoke.json`` beside a package's ``evaluation.json``: one request that a sound model answers.

    Attributes:
        answers: what the model said of each record when it was judged, the last number of each line of the
            answer; without them every answer will do.
    """

    model_config = STRICT

    content_type: str = Field(min_length=1, max_length=1024)
    body: str
    accept: str = Field(min_length=1, max_length=1024)
    answers: tuple[float, ...] = ()

    def differs(self, answer: bytes) -> str | None:
        """Return how an answer in lines of CSV is not the one that was given before, or None."""
        if not self.answers:
            return None
        lines = answer.decode("utf-8", "replace").split()
        if len(lines) != len(self.answers):
            return f"answered with {len(lines)} lines, not {len(self.answers)}"
        for line, known in zip(lines, self.answers, strict=True):
            said = line.rpartition(",")[2]
            if not _alike(said, known):
                return f"answered with {said[:40]}, where the model said {known:.6g} when it was judged"
        return None


def _alike(said: str, known: float) -> bool:
    """Equal as far as two machines agree: on a GPU products are summed in another order."""
    try:
        return math.isclose(float(said), known, rel_tol=1e-3, abs_tol=1e-4)
    except ValueError:
        return False


Metrics = dict[str, float]
MAX_METRICS, MAX_METRIC = 1000, 256
"""Numbers of a model, and the characters of a name: an event and a mail hold them twice."""


def metrics_of(content: bytes) -> Metrics:
    """Return the numbers of a file in Model Monitor's model-quality format, by their names.

    Source: SageMaker Developer Guide, "Model quality metrics and Amazon CloudWatch monitoring". What
    holds no single number (a confusion matrix, a curve) and the constant classifiers are left out.

    Raises:
        ValueError: it is no such file, has no number in it, too many, or names too long.
    """
    told = json.loads(content)
    if not isinstance(told, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - what reads it knows one error
    return numbers_of(told)


def numbers_of(told: Mapping[str, Any]) -> Metrics:
    """Return the same of what such a file holds.

    Raises:
        ValueError: there is no number in it, too many, or names too long.
    """
    found: Metrics = {}
    for section, metrics in told.items():
        if section.endswith("_metrics") and isinstance(metrics, dict):
            for name, metric in metrics.items():
                value = _number(metric.get("value") if isinstance(metric, dict) else None)
                if value is not None and not name.endswith("_best_constant_classifier"):
                    found[name] = value
    if not found:
        raise ValueError("has no metric with a number")
    if len(found) > MAX_METRICS:
        raise ValueError(f"has {len(found)} metrics; at most {MAX_METRICS} are taken")
    longest = max(found, key=len)
    if len(longest) > MAX_METRIC:
        raise ValueError(f"has a metric of {len(longest)} characters, {longest[:40]}...")
    return found


def _number(value: Any) -> float | None:
    """A finite number; Python's reader takes NaN and Infinity for some."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
