"""A notification of SNS as Lambda hands it over, read as the envelope of an event.

Source: Lambda Developer Guide, "Invoking Lambda functions with Amazon SNS notifications": one
record an invocation. Only what the house's own alerts carry is asked for.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from signalbox.contracts.eventbridge import AWS, Envelope


class _Attribute(BaseModel):
    model_config = AWS

    value: str = Field(alias="Value", min_length=1)


class _Attributes(BaseModel):
    model_config = AWS

    workload: _Attribute
    unit: _Attribute
    episode: _Attribute


class AlertNotification(Envelope):
    """AlertsTopic delivers an alert; its attributes name the episode."""

    source: Literal["aws:sns"]
    detail: _Attributes

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        """Lift the one record into the shape of an event; what has another shape is judged as it is."""
        try:
            (record,) = value["Records"]
            told = record["Sns"]
            arn = told["TopicArn"].split(":")
            return {
                "id": told["MessageId"],
                "source": record["EventSource"],
                "detail-type": told["Type"],
                "account": arn[4],
                "region": arn[3],
                "time": told["Timestamp"],
                "detail": told["MessageAttributes"],
            }
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return value
