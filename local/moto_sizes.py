"""What moto's topics and queues lack: a message's size is counted in bytes, and with its attributes."""

from __future__ import annotations

from typing import Any

from moto.sns.exceptions import InvalidParameterValue as TopicRefuses
from moto.sns.models import SNSBackend
from moto.sqs.exceptions import InvalidParameterValue as QueueRefuses
from moto.sqs.models import SQSBackend

from local import moto_patches
from local.limits import QUEUE_MESSAGE_BYTES, TOPIC_MESSAGE_BYTES, OverLimit, check_message

_publish = SNSBackend.publish
_send = SQSBackend.send_message


def mend() -> None:
    """Let topics and queues refuse what AWS's would."""
    moto_patches.replace(SNSBackend, publish=publish)
    moto_patches.replace(SQSBackend, send_message=send_message)


def publish(backend: Any, message: str, *rest: Any, **named: Any) -> Any:
    """``SNSBackend.publish``."""
    try:
        check_message(message, _values(named.get("message_attributes")), TOPIC_MESSAGE_BYTES)
    except OverLimit as error:
        raise TopicRefuses(f"Invalid parameter: {error}") from None
    return _publish(backend, message, *rest, **named)


def send_message(backend: Any, queue_name: str, message_body: str, *rest: Any, **named: Any) -> Any:
    """``SQSBackend.send_message``."""
    try:
        check_message(message_body, _values(named.get("message_attributes")), QUEUE_MESSAGE_BYTES)
    except OverLimit as error:
        raise QueueRefuses(f"One or more parameters are invalid. Reason: {error}") from None
    return _send(backend, queue_name, message_body, *rest, **named)


def _values(attributes: dict[str, Any] | None) -> dict[str, str]:
    """The attributes' values, which SNS and SQS each spell their own way."""
    return {name: str(one.get("StringValue") or one.get("Value")) for name, one in (attributes or {}).items()}
