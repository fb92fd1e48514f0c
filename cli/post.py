"""Mails about models in a local cloud, as somebody gets them who subscribed to all of them."""

from __future__ import annotations

import json
from collections import Counter

from localcloud import Cloud


class Post:
    """A queue that hears everything that is published on ModelsTopic from now on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        sqs, topic = cloud.client("sqs"), cloud.outputs["ModelsTopicArn"]
        queue = sqs.create_queue(QueueName="post")["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        self._arn = str(asked["Attributes"]["QueueArn"])
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": self._arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self._arn)

    def subjects(self) -> Counter[str]:
        """How many mails of each subject the topic took; it may deliver one twice, under the same id."""
        found = map(json.loads, self._cloud.messages(self._arn))
        return Counter({each["MessageId"]: each["Subject"] for each in found}.values())
