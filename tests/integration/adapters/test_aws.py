"""How answers of AWS become errors of the house."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from signalbox.adapters.aws import calling
from signalbox.errors import Misconfigured, Rejected, Transient


def answer(code):
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "GetObject")


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (answer("NoSuchKey"), Rejected),
        (answer("404"), Rejected),
        (answer("KeyTooLongError"), Rejected),
        (answer("AccessDenied"), Misconfigured),
        (answer("AccessDeniedException"), Misconfigured),
        (answer("NoSuchBucket"), Misconfigured),
        (answer("ResourceNotFoundException"), Misconfigured),
        (answer("SlowDown"), Transient),
        (answer("ThrottlingException"), Transient),
        (answer("ProvisionedThroughputExceededException"), Transient),
        (answer("ConcurrentRunsExceededException"), Transient),
        (answer("InternalError"), Transient),
        (answer("ANewCodeOfTomorrow"), Transient),
        (ConnectTimeoutError(endpoint_url="https://s3"), Transient),
        (NoCredentialsError(), Transient),
    ],
)
def test_the_class_decides_and_the_message_names_call_and_object(problem, kind):
    with pytest.raises(kind) as found, calling("s3:GetObject", "s3://bucket/key"):
        raise problem
    assert "s3://bucket/key" in str(found.value)
    assert "secret" not in str(found.value)
    assert found.value.__cause__ is problem


def test_errors_that_are_not_of_aws_pass():
    with pytest.raises(KeyError), calling("s3:GetObject", "x"):
        raise KeyError("ours")
