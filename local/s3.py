"""S3 as a trigger: the bucket's own notifications, brought to a function."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from chalice.app import S3EventConfig

from local.event_source import Message
from local.function import Json

_arrivals = itertools.count()


def subscribe(config: S3EventConfig, s3: Any, queue_arn: str) -> None:
    """Have the bucket announce on ``queue_arn``, too, what the decorator asks for."""
    name = queue_arn.rpartition(":")[2]
    existing = s3.get_bucket_notification_configuration(Bucket=config.bucket)
    existing.pop("ResponseMetadata")
    others = [one for one in existing.get("QueueConfigurations", []) if one["Id"] != name]
    wanted = {"Id": name, "QueueArn": queue_arn, "Events": config.events, **_filter(config)}
    s3.put_bucket_notification_configuration(
        Bucket=config.bucket,
        NotificationConfiguration={**existing, "QueueConfigurations": [*others, wanted]},
    )


def _filter(config: S3EventConfig) -> Json:
    wanted = {"prefix": config.prefix, "suffix": config.suffix}
    rules = [{"Name": name, "Value": value} for name, value in wanted.items() if value]
    return {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}


def event(messages: Sequence[Message]) -> Json | None:
    """The notification as S3 hands it to Lambda; nothing for the test event, which Lambda does not get."""
    [message] = messages
    notification: Json = json.loads(message["Body"])
    if "Records" not in notification:
        return None
    for record in notification["Records"]:
        described = record["s3"]["object"]
        described["key"] = quote_plus(
            unquote_plus(described["key"]), safe="/"
        )  # moto quotes the slashes, too
        described.setdefault("sequencer", _sequencer(message))
    return notification


def _sequencer(message: Message) -> str:
    """What moto leaves out: a hexadecimal number that grows with the order of writes.

    Made of the millisecond in which the notification was sent; the order of arrival decides within one.
    """
    return f"{int(message['Attributes']['SentTimestamp']):012X}{next(_arrivals) % 0x10000:04X}"
