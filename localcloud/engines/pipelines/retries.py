"""When a step is tried again, and after how long.

Citation: "Retry policy for pipeline steps" of the SageMaker Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

_CODES = {
    "ThrottlingException": "Step.THROTTLING",
    "Throttling": "Step.THROTTLING",
    "TooManyRequestsException": "Step.THROTTLING",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
_REASONS = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
_SERVER_ERROR = 500


def exception_of(error: Exception) -> str:
    """The retry policy's word for what a request failed with; "" if there is none."""
    if not isinstance(error, ClientError):
        return ""
    code = error.response["Error"]["Code"]
    if code in _CODES:
        return _CODES[code]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "Step.SERVICE_FAULT" if status >= _SERVER_ERROR else ""


def exception_in(reason: str) -> str:
    """The retry policy's word for why a job failed; "" if there is none."""
    return next((word for text, word in _REASONS.items() if f"{text}:" in reason), "")


def wait_s(step: Mapping[str, Any], exception: str, attempts: int) -> float | None:
    """Seconds until a step is tried again; None if it is not.

    Args:
        step: as it is written.
        exception: the policy's word for what happened.
        attempts: how often it was tried.
    """
    for policy in step.get("RetryPolicies") or []:
        if exception and exception in policy["ExceptionType"]:
            if attempts > int(policy.get("MaxAttempts", 5)):
                return None
            rate = float(policy.get("BackoffRate", 2.0))
            return float(policy.get("IntervalSeconds", 1)) * rate ** (attempts - 1)
    return None
