"""Limits AWS enforces and the local cloud too: numbers, where they are checked, and the page.

docs/localcloud.md shows them. Those of patterns, rules and entries of PutEvents stand with the bus,
those of Invoke's payloads with the runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.wiring import Refused


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        what: service and thing.
        most: the largest value allowed.
        unit: of the value.
        least: the smallest, if that is not plainly zero or one.
        at: who refuses: the deployment, the API, or both.
        page: where AWS says so.
    """

    what: str
    most: int
    unit: str
    at: str
    page: str
    least: int | None = None

    def allows(self, value: int) -> bool:
        """Whether a value is within the limit."""
        return (self.least or 0) <= value <= self.most


_SQS = "SQS Developer Guide, *Amazon SQS message quotas*"
_SET = "SQS API Reference, *SetQueueAttributes*"
_SNS = "SNS API Reference, *Publish*, *PublishBatch*"
_FILTER = "SNS Developer Guide, *Filter policy constraints*"
_LAMBDA = "Lambda Developer Guide, *Lambda quotas*"
_MAPPING = "Lambda API Reference, *CreateEventSourceMapping*"
_ASYNC = "Lambda API Reference, *PutFunctionEventInvokeConfig*"
_ALARM = "CloudWatch API Reference, *PutMetricAlarm*"
_SECRETS = "Secrets Manager User Guide, *AWS Secrets Manager quotas*"
_PARAMETERS = "Systems Manager User Guide, *Managing parameter tiers*"
_ITEMS = "DynamoDB Developer Guide, *Quotas in Amazon DynamoDB* (400 KB; moto counts to 405,000)"
_STACK = "CloudFormation User Guide, *Understand CloudFormation quotas*"

MESSAGE = Limit("SQS message with its attributes", 1_048_576, "bytes", "API", _SQS)
BATCH = Limit("SQS batch, all messages together", 1_048_576, "bytes", "API", _SQS)
BATCH_ENTRIES = Limit("SQS batch", 10, "messages", "API", _SQS)
MESSAGE_ATTRIBUTES = Limit("SQS message", 10, "attributes", "API", _SQS)
IN_FLIGHT = Limit("SQS messages received and not deleted", 120_000, "messages", "API", _SQS)
CHANGE_VISIBILITY = Limit("SQS visibility of one message", 43_200, "s", "API", _SQS)
DELAY = Limit("SQS delay of one message", 900, "s", "API", _SQS)

QUEUE_ATTRIBUTES = {
    "DelaySeconds": Limit("SQS DelaySeconds", 900, "s", "deploy, API", _SET),
    "KmsDataKeyReusePeriodSeconds": Limit(
        "SQS KmsDataKeyReusePeriodSeconds", 86_400, "s", "deploy, API", _SET, 60
    ),
    "MaximumMessageSize": Limit(
        "SQS MaximumMessageSize", 1_048_576, "bytes", "deploy, API", _SET, 1024
    ),
    "MessageRetentionPeriod": Limit(
        "SQS MessageRetentionPeriod", 1_209_600, "s", "deploy, API", _SET, 60
    ),
    "ReceiveMessageWaitTimeSeconds": Limit(
        "SQS ReceiveMessageWaitTimeSeconds", 20, "s", "deploy, API", _SET
    ),
    "VisibilityTimeout": Limit("SQS VisibilityTimeout", 43_200, "s", "deploy, API", _SET),
}
RECEIVE_COUNT = Limit("SQS maxReceiveCount", 1000, "", "deploy", _SET, 1)

NOTIFICATION = Limit("SNS message with its attributes, or batch", 262_144, "bytes", "API", _SNS)
SUBJECT = Limit("SNS subject", 100, "characters", "API", _SNS)
FILTER_KEYS = Limit("SNS filter policy", 5, "keys", "deploy, API", _FILTER)
FILTER_VALUES = Limit("SNS filter policy, multiplied", 150, "values", "deploy, API", _FILTER)

TIMEOUT = Limit("Lambda timeout", 900, "s", "deploy", _LAMBDA, 1)
MEMORY = Limit("Lambda memory", 10_240, "MB", "deploy", _LAMBDA, 128)
STORAGE = Limit("Lambda /tmp", 10_240, "MB", "deploy", _LAMBDA, 512)
ENVIRONMENT = Limit("Lambda environment", 4096, "bytes", "deploy", _LAMBDA)
LAYERS = Limit("Lambda layers of a function", 5, "layers", "deploy", _LAMBDA)
UNZIPPED = Limit("Lambda code with its layers, unzipped", 262_144_000, "bytes", "deploy", _LAMBDA)
FUNCTION_NAME = Limit("Lambda function name", 64, "characters", "deploy", _LAMBDA)

BATCH_SIZE = Limit("Lambda mapping BatchSize", 10_000, "messages", "deploy", _MAPPING, 1)
BATCH_WINDOW = Limit("Lambda mapping window", 300, "s", "deploy", _MAPPING)
CONCURRENCY = Limit("Lambda mapping MaximumConcurrency", 1000, "", "deploy", _MAPPING, 2)
FILTERS = Limit("Lambda mapping filters", 5, "filters", "deploy", _MAPPING)
ASYNC_RETRIES = Limit("Lambda asynchronous retries", 2, "", "deploy", _ASYNC)
ASYNC_AGE = Limit("Lambda asynchronous event age", 21_600, "s", "deploy", _ASYNC, 60)

ALARM_ACTIONS = Limit("CloudWatch actions for one state of an alarm", 5, "", "deploy", _ALARM)
DIMENSIONS = Limit("CloudWatch dimensions of a metric", 30, "", "deploy", _ALARM)

SECRET = Limit("Secrets Manager secret", 65_536, "bytes", "API", _SECRETS)
PARAMETER = Limit("SSM standard parameter", 4096, "bytes", "API", _PARAMETERS)
ADVANCED_PARAMETER = Limit("SSM advanced parameter", 8192, "bytes", "API", _PARAMETERS)
ITEM = Limit("DynamoDB item", 405_000, "bytes", "API", _ITEMS)  # moto's number for 400 KB
INVOKE_ENDPOINT = Limit(
    "SageMaker body of InvokeEndpoint", 6_291_456, "bytes", "API",
    "botocore, *BodyBlob* of SageMaker Runtime",
)  # fmt: skip
INVOKE_ASYNC = Limit(
    "SageMaker body of InvokeEndpointAsync", 128_000, "bytes", "API",
    "botocore, *AsyncBodyBlob* of SageMaker Runtime",
)  # fmt: skip
CARD_CONTENT = Limit(
    "SageMaker model card, its content", 100_000, "characters", "API",
    "botocore, *ModelCardContent* of SageMaker",
)  # fmt: skip
INVITATION = Limit(
    "RAM invitation, until it expires", 43_200, "s", "API",
    "RAM User Guide, *Accepting and rejecting resource share invitations*",
)  # fmt: skip

TEMPLATE = Limit("CloudFormation template", 1_048_576, "bytes", "deploy", _STACK)
RESOURCES = Limit("CloudFormation resources, after SAM", 500, "", "deploy", _STACK)
PARAMETERS = Limit("CloudFormation parameters", 200, "", "deploy", _STACK)
OUTPUTS = Limit("CloudFormation outputs", 200, "", "deploy", _STACK)

LIMITS: tuple[Limit, ...] = (
    MESSAGE, BATCH, BATCH_ENTRIES, MESSAGE_ATTRIBUTES, IN_FLIGHT, CHANGE_VISIBILITY, DELAY,
    *QUEUE_ATTRIBUTES.values(), RECEIVE_COUNT,
    NOTIFICATION, SUBJECT, FILTER_KEYS, FILTER_VALUES,
    TIMEOUT, MEMORY, STORAGE, ENVIRONMENT, LAYERS, UNZIPPED, FUNCTION_NAME,
    BATCH_SIZE, BATCH_WINDOW, CONCURRENCY, FILTERS, ASYNC_RETRIES, ASYNC_AGE,
    ALARM_ACTIONS, DIMENSIONS, SECRET, PARAMETER, ADVANCED_PARAMETER, ITEM,
    INVOKE_ENDPOINT, INVOKE_ASYNC, CARD_CONTENT, INVITATION,
    TEMPLATE, RESOURCES, PARAMETERS, OUTPUTS,
)  # fmt: skip


def check_parameter(asked: Mapping[str, Any]) -> None:
    """Judge Systems Manager's PutParameter, whose values moto does not bound.

    Here, not where moto keeps parameters: to load that takes a second, and few templates have any.

    Raises:
        Refused: the value is too long for its tier.
    """
    named = str(asked.get("Tier") or "Standard")
    # Intelligent-Tiering takes the advanced tier where the value needs it
    limit = PARAMETER if named == "Standard" else ADVANCED_PARAMETER
    if not limit.allows(len(str(asked["Value"]).encode())):
        raise Refused(
            "ValidationException",
            f"{named} tier parameters support a maximum parameter value of {limit.most} characters.",
        )
