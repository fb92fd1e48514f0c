"""A role that does nothing by itself, and its clients to try what it may do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.clients import session_with

TRUST = """
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
"""
NOBODY = "  Role:\n    Type: AWS::IAM::Role\n    Properties:" + TRUST


class Door:
    """A role's clients, in this process or over HTTP."""

    def __init__(self, cloud: Cloud, endpoint: str | None) -> None:
        role = cloud.stack.attribute("Role", "Arn")
        sts = cloud.client("sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName="door")["Credentials"]
        self.cloud, self._endpoint = cloud, endpoint
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        self._session = session_with("eu-west-1", *keys)
        for key in ("in/a", "in/old", "in/secret", "elsewhere/a"):
            cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"1", Tagging="a=b")

    @property
    def bucket(self) -> str:
        return self.cloud.physical_id("Bucket")

    def call(self, service: str, operation: str, **params: Any) -> Any:
        client = self._session.client(
            service, endpoint_url=self._endpoint, config=Config(retries={"max_attempts": 0})
        )
        return getattr(client, operation)(**params)

    def denied(self, service: str, operation: str, **params: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as refused:
            self.call(service, operation, **params)
        answer = refused.value.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return answer["Error"]["Code"], status, answer["Error"]["Message"]

    def calls(self) -> list[tuple[str, str]]:
        return [(r.name, r.status) for r in self.cloud.journal if r.kind == "call"]
