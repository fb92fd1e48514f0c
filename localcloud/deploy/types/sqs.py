"""Amazon SQS: standard queues and their policies (FIFO is refused: FifoQueue is not known)."""

from __future__ import annotations

import json

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.limits import QUEUE_ATTRIBUTES, RECEIVE_COUNT


@resource(
    "AWS::SQS::Queue", *QUEUE_ATTRIBUTES, "KmsMasterKeyId", "QueueName", "RedrivePolicy",
    "SqsManagedSseEnabled", "Tags",
    kept=("KmsMasterKeyId", "MessageRetentionPeriod", "SqsManagedSseEnabled"),
)  # fmt: skip
def queue(props: Props, maker: Maker) -> Made:
    """A standard queue."""
    name = props.text("QueueName") or maker.name(80)
    attributes = {
        key: str(props.bounded(key, limit, 0))
        for key, limit in QUEUE_ATTRIBUTES.items()
        if key in props
    }
    if "KmsMasterKeyId" in props:
        attributes["KmsMasterKeyId"] = props.text("KmsMasterKeyId")
    if "SqsManagedSseEnabled" in props:
        attributes["SqsManagedSseEnabled"] = str(props.boolean("SqsManagedSseEnabled")).lower()
    if (redrive := props.group("RedrivePolicy")) is not None:
        dead, count = (
            redrive.need("deadLetterTargetArn"),
            redrive.bounded("maxReceiveCount", RECEIVE_COUNT, 0),
        )
        policy = {"deadLetterTargetArn": dead, "maxReceiveCount": count}
        attributes["RedrivePolicy"] = json.dumps(policy)
    sqs = maker.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=props.tags())["QueueUrl"]
    got = {"Arn": maker.arn("sqs", name), "QueueName": name, "QueueUrl": url}
    visibility = int(attributes.get("VisibilityTimeout", "30"))
    return Made(url, got, {"visibility_s": visibility})


@resource("AWS::SQS::QueuePolicy", "PolicyDocument", "Queues")
def queue_policy(props: Props, maker: Maker) -> Made:
    """One policy for one or more queues."""
    document = policy(props, "PolicyDocument")
    queues = [str(url) for url in props.need("Queues")]
    for url in queues:
        maker.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(document)}
        )
    arns = tuple(maker.arn("sqs", url.rsplit("/", 1)[-1]) for url in queues)
    return Made(maker.name(), facts={"policy_of": ("PolicyDocument", arns)})
