"""The reviewed list of what the template may say and the local cloud does not do.

Everything else that cannot be honoured is a `DeployError`. A line here means: the property is
accepted and kept, its effect is missing, and we know it. Shown in docs/localcloud.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Excused:
    """One thing accepted without its effect.

    Attributes:
        resource_type: CloudFormation type.
        prop: top-level property, or "*" for the resource as a whole.
        reason: why that is bearable here.
    """

    resource_type: str
    prop: str
    reason: str


EXCEPTIONS = (
    Excused(
        "AWS::DynamoDB::Table",
        "PointInTimeRecoverySpecification",
        "stored and shown; there is no earlier moment to recover",
    ),
    Excused("AWS::DynamoDB::Table", "SSESpecification", "stored; nothing is encrypted"),
    Excused(
        "AWS::DynamoDB::Table",
        "TimeToLiveSpecification",
        "stored and shown; expired items stay, as they may for days on AWS",
    ),
    Excused(
        "AWS::Glue::Job",
        "ExecutionClass",
        "stored; there is one kind of machine here",
    ),
    Excused(
        "AWS::Glue::Job",
        "GlueVersion",
        "stored; the script runs on this Python, without a Spark cluster",
    ),
    Excused("AWS::Glue::Job", "NumberOfWorkers", "stored; the script runs as one process"),
    Excused("AWS::Glue::Job", "WorkerType", "stored; the script runs as one process"),
    Excused("AWS::KMS::Key", "EnableKeyRotation", "stored; no key is ever rotated"),
    Excused(
        "AWS::Lambda::EventSourceMapping",
        "ScalingConfig",
        "stored; one batch runs at a time, which is below any maximum",
    ),
    Excused("AWS::Lambda::Function", "Architectures", "stored; functions run on this processor"),
    Excused("AWS::Lambda::Function", "EphemeralStorage", "stored; /tmp is the machine's own"),
    Excused(
        "AWS::Lambda::Function",
        "LoggingConfig",
        "group, format and level are honoured; START, END and REPORT lines are records of the "
        "journal instead, so SystemLogLevel has nothing to filter",
    ),
    Excused(
        "AWS::Lambda::Function",
        "MemorySize",
        "functions in processes of their own are killed above it; in this process it is only shown",
    ),
    Excused(
        "AWS::Lambda::Function",
        "ReservedConcurrentExecutions",
        "stored; functions run one at a time, and calls from outside beside them are not throttled",
    ),
    Excused("AWS::Lambda::Function", "TracingConfig", "stored; no trace segments are sent"),
    Excused(
        "AWS::Lambda::LayerVersion",
        "Content",
        "in this process, third-party packages come from the virtual environment, in the layer's "
        "own versions (checked), since compiled extensions load once per process; functions in "
        "processes of their own load the layer; the zip of a large layer holds the list of its "
        "files",
    ),
    Excused(
        "AWS::Logs::LogGroup",
        "RetentionInDays",
        "stored; log events are kept for as long as the cloud",
    ),
    Excused(
        "AWS::S3::Bucket",
        "BucketEncryption",
        "stored and shown in answers; nothing is encrypted",
    ),
    Excused(
        "AWS::S3::Bucket",
        "LifecycleConfiguration",
        "stored and shown by GetBucketLifecycleConfiguration; nothing expires",
    ),
    Excused(
        "AWS::S3::Bucket",
        "OwnershipControls",
        "stored; access lists are not enforced",
    ),
    Excused(
        "AWS::S3::Bucket",
        "PublicAccessBlockConfiguration",
        "stored; there is no public here",
    ),
    Excused("AWS::SageMaker::EndpointConfig", "KmsKeyId", "stored; nothing is encrypted"),
    Excused("AWS::SecretsManager::Secret", "KmsKeyId", "its policy holds; nothing is encrypted"),
    Excused(
        "AWS::SNS::Subscription",
        "Protocol",
        "email, email-json and sms reach nobody; each message they would get is a delivery in the "
        "journal. sqs and lambda are delivered",
    ),
    Excused("AWS::SNS::Topic", "KmsMasterKeyId", "its policy holds; nothing is encrypted"),
    Excused("AWS::SQS::Queue", "KmsMasterKeyId", "its policy holds; nothing is encrypted"),
    Excused("AWS::SQS::Queue", "SqsManagedSseEnabled", "stored; nothing is encrypted"),
    Excused(
        "AWS::SQS::Queue",
        "MessageRetentionPeriod",
        "stored; functions are fed messages of any age, and nothing is removed by itself",
    ),
)


def excused(resource_type: str, prop: str) -> bool:
    """Whether a property (or "*", a type) is accepted without its effect."""
    return any(each.resource_type == resource_type and each.prop == prop for each in EXCEPTIONS)
