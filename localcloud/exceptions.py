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
        "AWS::CloudWatch::Alarm",
        "*",
        "stored and shown by DescribeAlarms; metrics are not evaluated, so no alarm goes off",
    ),
    Excused(
        "AWS::S3::BucketPolicy",
        "*",
        "kept by the local cloud and not given to moto, which would judge every condition wrongly "
        "(a TLS-only policy makes each request fail there)",
    ),
    Excused(
        "AWS::S3::Bucket",
        "LifecycleConfiguration",
        "stored and shown by GetBucketLifecycleConfiguration; nothing expires",
    ),
    Excused(
        "AWS::SQS::Queue",
        "MessageRetentionPeriod",
        "messages outlive it in a dead-letter queue that nobody reads",
    ),
    Excused(
        "AWS::DynamoDB::Table",
        "TimeToLiveSpecification",
        "stored; expired items stay (readers must check the time themselves, as on AWS, where "
        "deletion may take days)",
    ),
    Excused(
        "AWS::Lambda::Function",
        "MemorySize",
        "shown to the function; the process is not held to it",
    ),
    Excused(
        "AWS::Lambda::Function",
        "Timeout",
        "shown as the remaining time; an in-process function is not stopped",
    ),
    Excused(
        "AWS::Lambda::Function",
        "EphemeralStorage",
        "stored; /tmp is the machine's own",
    ),
    Excused(
        "AWS::Lambda::Function",
        "Architectures",
        "stored; functions run on this machine's processor",
    ),
    Excused(
        "AWS::Lambda::Function",
        "ReservedConcurrentExecutions",
        "stored; functions run one at a time, below any reservation",
    ),
    Excused(
        "AWS::Lambda::Function",
        "TracingConfig",
        "stored; no trace segments are sent",
    ),
    Excused(
        "AWS::Lambda::LayerVersion",
        "Content",
        "third-party packages come from the virtual environment in the layer's own versions "
        "(checked), since compiled extensions load once per process; the zip of a large layer "
        "holds its file list only",
    ),
    Excused(
        "AWS::Lambda::EventSourceMapping",
        "ScalingConfig",
        "stored; one batch runs at a time, below any maximum",
    ),
    Excused(
        "AWS::IAM::Role",
        "*",
        "stored, and functions and jobs carry its credentials; permissions are not enforced yet",
    ),
    Excused(
        "AWS::Glue::Job",
        "WorkerType",
        "stored; the script runs as one process on this machine, with no Spark cluster",
    ),
    Excused(
        "AWS::Glue::Job",
        "NumberOfWorkers",
        "stored; the script runs as one process",
    ),
    Excused(
        "AWS::Glue::Job",
        "GlueVersion",
        "stored; the script runs on this Python",
    ),
)
