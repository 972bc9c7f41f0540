"""SNS as a trigger: a topic's messages, in the shape in which Lambda hands them on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chalice.app import SNSEventConfig

from local.event_source import Message
from local.function import Json


def subscribe(config: SNSEventConfig, sns: Any, queue_arn: str) -> str:
    """Subscribe ``queue_arn`` to the decorator's topic, a name or an ARN; answers the subscription's ARN."""
    topic = config.topic if config.topic.startswith("arn:") else _arn(config.topic, queue_arn)
    return str(sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"])


def _arn(topic: str, queue_arn: str) -> str:
    """A topic known by name lies in the same account and region as its reader."""
    partition, _, region, account = queue_arn.split(":")[1:5]
    return f"arn:{partition}:sns:{region}:{account}:{topic}"


def event(messages: Sequence[Message], subscription_arn: str) -> Json:
    """A Lambda event of an SNS message (AWS Lambda developer guide, "Using Lambda with Amazon SNS")."""
    [message] = messages
    envelope: Json = json.loads(message["Body"])
    # Lambda spells these two otherwise than SNS's own envelope does.
    envelope["SigningCertUrl"] = envelope.pop("SigningCertURL", "")
    envelope["UnsubscribeUrl"] = envelope.pop("UnsubscribeURL", "")
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription_arn,
                "Sns": {"Subject": None, "MessageAttributes": {}, **envelope},
            }
        ]
    }
