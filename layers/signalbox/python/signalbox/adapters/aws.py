"""Clients, and the one place where error codes of AWS become errors of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from signalbox.errors import Misconfigured, Rejected, SignalboxError, Transient

# Codes that say the deployment does not fit; the others are taken for passing trouble, because a
# retry too many only costs time, while a file given up too early is lost work.
_MISCONFIGURED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",  # SNS
        "EntityNotFoundException",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidInputException",
        "KMS.DisabledException",
        "KMS.NotFoundException",
        "KMSAccessDenied",  # SNS
        "KMSDisabled",
        "KMSNotFound",
        "NoSuchBucket",
        "NotAuthorizedForSourceException",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "ValidationException",
        "403",  # a HEAD has no body, so no better code
    }
)
_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_BAD_REQUEST = frozenset({"InvalidArgument", "KeyTooLongError", "MethodNotAllowed", "405"})


def connect(service: str, *, attempts: int = 3, read_s: int = 30) -> Any:
    """Return a client with time-outs and retries fit for a function that others wait for.

    Standard retries: throttling and broken connections are tried three times before they surface.

    Args:
        service: as boto3 names it.
        attempts: in all.
        read_s: seconds that an answer may take.
    """
    config = Config(
        retries={"mode": "standard", "max_attempts": attempts},
        connect_timeout=5,
        read_timeout=read_s,
    )
    return boto3.client(service, config=config)


def code_of(problem: ClientError) -> str:
    """Return the error code that AWS gave."""
    return str(problem.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def calling(action: str, thing: str) -> Iterator[None]:
    """Turn what AWS answers inside into errors of the house.

    Args:
        action: the call, such as ``s3:GetObject``; the same words an IAM policy uses.
        thing: the object of it, named as a person would look it up.
    """
    try:
        yield
    except ClientError as problem:
        raise _translated(problem, action, thing) from problem
    except BotoCoreError as problem:  # no answer at all: time-outs, connections, credentials
        raise Transient(
            f"{action} on {thing}: {type(problem).__name__}; tried again later"
        ) from problem


def _translated(problem: ClientError, action: str, thing: str) -> SignalboxError:
    code = code_of(problem)
    if code in _GONE:
        return Rejected("no-such-object", f"{thing} does not exist (any more); send it again")
    if code in _BAD_REQUEST:
        return Rejected("bad-object", f"{thing} cannot be used: {action} answered {code}")
    if code in _MISCONFIGURED:
        return Misconfigured(
            f"{action} on {thing} answered {code}; does it exist, and does the role in "
            "template.yaml allow it?"
        )
    return Transient(f"{action} on {thing} answered {code}; tried again later")
