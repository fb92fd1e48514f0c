"""Mails of a local cloud, as somebody gets them who subscribed: a queue in the place of a mailbox."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from localcloud import Cloud


def mailbox(
    cloud: Cloud, topic: str, name: str, wanted: Mapping[str, Sequence[str]] | None = None
) -> tuple[str, str]:
    """Make a queue that hears a topic from now on, as docs/deploy.md says; return its URL and its ARN.

    Args:
        cloud: deployed.
        topic: the output of the template that names the topic.
        name: of the queue.
        wanted: filter policy; all is heard without one.
    """
    sqs, arn_of_topic = cloud.client("sqs"), cloud.outputs[topic]
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = str(asked["Attributes"]["QueueArn"])
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn_of_topic}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.client("sns").subscribe(
        TopicArn=arn_of_topic, Protocol="sqs", Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(wanted)} if wanted else {},
    )  # fmt: skip
    return url, arn


class Post:
    """A queue that hears everything that is published on ModelsTopic from now on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        _, self._arn = mailbox(cloud, "ModelsTopicArn", "post")

    def subjects(self) -> Counter[str]:
        """How many mails of each subject the topic took; it may deliver one twice, under the same id."""
        found = map(json.loads, self._cloud.messages(self._arn))
        return Counter({each["MessageId"]: each["Subject"] for each in found}.values())
