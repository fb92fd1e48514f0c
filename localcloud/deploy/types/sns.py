"""Amazon SNS: topics, their policies, and subscriptions of queues and mail addresses."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource(
    "AWS::SNS::Topic",
    "DisplayName",
    "KmsMasterKeyId",
    "Tags",
    "TopicName",
    kept=("KmsMasterKeyId",),
)
def topic(props: Props, maker: Maker) -> Made:
    """A standard topic."""
    name = props.text("TopicName") or maker.name(256)
    texts = ("DisplayName", "KmsMasterKeyId")
    attributes = {key: props.text(key) for key in texts if key in props}
    tags = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    arn = maker.client("sns").create_topic(Name=name, Attributes=attributes, Tags=tags)["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": name})


@resource("AWS::SNS::TopicPolicy", "PolicyDocument", "Topics")
def topic_policy(props: Props, maker: Maker) -> Made:
    """One policy for one or more topics."""
    document = json.dumps(policy(props, "PolicyDocument"))
    topics = tuple(str(arn) for arn in props.need("Topics"))
    for arn in topics:
        maker.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=document
        )
    return Made(maker.name(), facts={"policy_of": ("PolicyDocument", topics)})


@resource(
    "AWS::SNS::Subscription", "Endpoint", "FilterPolicy", "FilterPolicyScope", "Protocol",
    "RawMessageDelivery", "TopicArn",
)  # fmt: skip
def subscription(props: Props, maker: Maker) -> Made:
    """A queue that receives a topic's messages, or a mail address that is only kept."""
    protocol = props.choice("Protocol", "sqs", "email", "email-json")
    attributes: dict[str, Any] = {}
    if "RawMessageDelivery" in props:
        attributes["RawMessageDelivery"] = str(props.boolean("RawMessageDelivery")).lower()
    if "FilterPolicy" in props:
        attributes["FilterPolicy"] = json.dumps(props.take("FilterPolicy"))
    if "FilterPolicyScope" in props:
        attributes["FilterPolicyScope"] = props.text("FilterPolicyScope")
    arn = maker.client("sns").subscribe(
        TopicArn=props.need("TopicArn"),
        Protocol=protocol,
        Endpoint=props.need("Endpoint"),
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Made(arn, {"Arn": arn})
