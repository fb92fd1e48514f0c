"""Topics that people and their apps subscribe to."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.alerts import Message
from signalbox.errors import Misconfigured


class Topic:
    """An SNS topic."""

    def __init__(self, arn: str, client: Any = None) -> None:
        self.arn = arn
        self._sns = client or connect("sns")

    def publish(self, message: Message) -> None:
        """Send a message to all whose subscription it fits.

        Raises:
            Transient: it was not taken.
            Misconfigured: there is no such topic, or this role may not publish on it.
        """
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in message.attributes.items()
        }
        if message.recipients:
            # SNS Developer Guide, "Message attribute data types": an array is JSON
            told = json.dumps(message.recipients)
            attributes["recipients"] = {"DataType": "String.Array", "StringValue": told}
        with calling("sns:Publish", f"topic {self.arn}"):
            try:
                self._sns.publish(
                    TopicArn=self.arn,
                    Subject=message.subject,
                    Message=message.body,
                    MessageAttributes=attributes,
                )
            except ClientError as problem:
                if code_of(problem) != "NotFound":
                    raise
                raise Misconfigured(
                    f"topic {self.arn} does not exist; deploy template.yaml again"
                ) from problem
