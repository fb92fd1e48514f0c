"""The reviewed list: what template.yaml grants and the local cloud has no use for, and why."""

from __future__ import annotations

import fnmatch

from localcloud.iam import Grant

_IMAGES = "SageMaker pulls images with it; here the program of an image starts as a process"
_STOPPED = "who stops a run stops its job with it; tests of the engine do (test_pipelines.py)"
_TRUST = "SageMaker takes the role with it; here jobs get their role's credentials without that"

_DISKS = "SageMaker encrypts the disks of jobs with it; here they have none"
_NETWORK = "SageMaker puts jobs into a VPC with it; here they have no network of their own"

REVIEWED: dict[tuple[str, str], str] = {
    ("OnSensorFileRole.Policies[0].Statement[6]", "dynamodb:GetItem"): (
        "Powertools reads a record only where a refused put does not show it, and DynamoDB does"
    ),
    ("WindowsJobRole.Policies[0].Statement[6]", "ecr:*"): _IMAGES,
    ("WindowsJobRole.Policies[0].Statement[7]", "ecr:*"): _IMAGES,
    ("InferenceRole.Policies[0].Statement[4]", "ecr:*"): _IMAGES,
    ("InferenceRole.Policies[0].Statement[5]", "ecr:*"): _IMAGES,
    ("EndpointRole.Policies[0].Statement[3]", "ecr:*"): _IMAGES,
    ("EndpointRole.Policies[0].Statement[4]", "ecr:*"): _IMAGES,
    ("PipelineRole.Policies[0].Statement[0]", "sagemaker:StopProcessingJob"): _STOPPED,
    ("PipelineRole.Policies[0].Statement[1]", "sagemaker:StopTrainingJob"): _STOPPED,
    ("PipelineRole.Policies[0].Statement[2]", "sagemaker:StopHyperParameterTuningJob"): _STOPPED,
    ("PipelineJobRole.Policies[0].Statement[6]", "ecr:*"): _IMAGES,
    ("PipelineJobRole.Policies[0].Statement[7]", "ecr:*"): _IMAGES,
    ("PipelineJobRole.AssumeRolePolicyDocument.Statement[0]", "sts:AssumeRole"): _TRUST,
    # only where PipelineKmsKey, PipelineSubnets and PipelineSecurityGroups are given
    ("EndpointRole.Policies[0].Statement[5]", "kms:Decrypt"): (
        "an endpoint reads its model with it; the test with a key has none, since it takes long enough"
    ),
    ("PipelineJobRole.Policies[0].Statement[9]", "kms:CreateGrant"): _DISKS,
    ("PipelineJobRole.Policies[0].Statement[10]", "ec2:*"): _NETWORK,
    ("PipelineJobRole.Policies[0].Statement[11]", "ec2:*"): _NETWORK,
    ("EndpointRole.AssumeRolePolicyDocument.Statement[0]", "sts:AssumeRole"): _TRUST,
    ("WindowsJobRole.AssumeRolePolicyDocument.Statement[0]", "sts:AssumeRole"): _TRUST,
    ("InferenceRole.AssumeRolePolicyDocument.Statement[0]", "sts:AssumeRole"): _TRUST,
}
"""(statement, pattern of its actions) -> reason."""

DENY = "denies what comes without TLS; every request to this machine counts as TLS"
"""Why a Deny is not taken away one by one: tests of the guard show that it holds."""


def reason(grant: Grant) -> str:
    """Why a grant is never used here; "" if it is not on the list."""
    found = (
        why
        for (where, actions), why in REVIEWED.items()
        if where == grant.where and fnmatch.fnmatchcase(grant.action, actions)
    )
    return next(found, "")
