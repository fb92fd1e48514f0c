"""Amazon SNS: topics, their policies, and subscriptions of queues and mail addresses."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.filters import SCOPES, compile_filter
from localcloud.pattern import InvalidPattern


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
    "RawMessageDelivery", "RedrivePolicy", "Region", "TopicArn", kept=("Protocol",),
)  # fmt: skip
def subscription(props: Props, maker: Maker) -> Made:
    """A queue or a function that receives a topic's messages, or somebody whom nothing reaches."""
    protocol = props.choice("Protocol", "sqs", "lambda", "email", "email-json", "sms")
    topic, endpoint = str(props.need("TopicArn")), str(props.need("Endpoint"))
    if props.text("Region", maker.region) != maker.region:
        raise props.error("Region", f"is not this cloud's, {maker.region}")
    if protocol in {"sqs", "lambda"} and endpoint.split(":")[2:3] != [protocol]:
        raise props.error("Endpoint", f"{endpoint} is no ARN that {protocol} delivers to")
    attributes: dict[str, Any] = {}
    if "RawMessageDelivery" in props:
        raw = props.boolean("RawMessageDelivery")
        if raw and protocol != "sqs":
            raise props.error("RawMessageDelivery", f"{protocol} has no raw delivery")
        attributes["RawMessageDelivery"] = str(raw).lower()
    attributes |= _filter(props)
    dead = ""
    if (redrive := props.group("RedrivePolicy")) is not None:
        dead = str(redrive.need("deadLetterTargetArn"))
        if dead.split(":")[2:3] != ["sqs"] or dead.endswith(".fifo"):
            raise redrive.error("deadLetterTargetArn", f"{dead} is no standard queue")
        attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead})
    arn = maker.client("sns").subscribe(
        TopicArn=topic,
        Protocol=protocol,
        Endpoint=endpoint,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    check = {
        "topic_arn": topic,
        "protocol": protocol,
        "endpoint": endpoint,
        "dead_letter_arn": dead,
    }
    return Made(arn, {"Arn": arn}, {"check": check})


def _filter(props: Props) -> dict[str, str]:
    """The filter policy, an object or its JSON, and what it looks at."""
    scope = props.choice("FilterPolicyScope", *SCOPES, default=SCOPES[0])
    policy = props.take("FilterPolicy")
    if policy is None:
        return {}
    try:
        policy = json.loads(policy) if isinstance(policy, str) else policy
        compile_filter(policy, scope)
    except (InvalidPattern, json.JSONDecodeError) as error:
        raise props.error("FilterPolicy", str(error)) from error
    return {"FilterPolicyScope": scope, "FilterPolicy": json.dumps(policy)}
