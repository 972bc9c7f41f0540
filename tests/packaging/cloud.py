"""An account that deployments can be made in: moto, with a way to what it keeps to itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.backends import get_backend
from moto.moto_api._internal.models import moto_api_backend

from local.loopback import ACCOUNT, REGION
from local.moto_server import LocalAws

Json = dict[str, Any]


@contextmanager
def empty_account() -> Iterator[LocalAws]:
    """An account with nothing in it, whatever was in the last one: moto has one for a whole process."""
    moto_api_backend.reset()
    with LocalAws() as running:
        yield running
    moto_api_backend.reset()


def variables(aws: LocalAws) -> dict[str, str]:
    """What leads another process to this account, and to no other."""
    return {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def code_of(function: str) -> bytes:
    """A function's zip, out of moto, which gives no address that leads to it."""
    content: bytes = get_backend("lambda")[ACCOUNT][REGION].get_function(function).code_bytes
    return content


def unpack(function: str, folder: Path) -> None:
    """Lay out a function's code."""
    zipfile.ZipFile(io.BytesIO(code_of(function))).extractall(folder)


def lose_messages(queue_url: str) -> None:
    """Empty a queue of all that it shows, hides and delays; SQS itself does so once a minute at most."""
    backend = get_backend("sqs")[ACCOUNT][REGION]
    queue = backend.get_queue(queue_url.rpartition("/")[2])
    queue.last_purged_at = None
    backend.purge_queue(queue.name)


def new_stream(table: str) -> None:
    """Give a table another stream, as switching it off and on does; moto refuses to do so by its API."""
    kept = get_backend("dynamodb")[ACCOUNT][REGION].get_table(table)
    kept.set_stream_specification(kept.stream_specification)


def quiet(aws: LocalAws, bucket: str) -> None:
    """Keep moto from invoking functions, which it could only do with Docker: the tests carry the events."""
    for table in get_backend("dynamodb")[ACCOUNT][REGION].tables.values():
        table.lambda_event_source_mappings.clear()  # a mapping of a stream runs whether it is enabled or not
    lambda_ = aws.client("lambda")
    for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    sns = aws.client("sns")
    for subscription in sns.list_subscriptions()["Subscriptions"]:
        if subscription["Protocol"] == "lambda":
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    quiet_bucket(aws, bucket)


def quiet_bucket(aws: LocalAws, bucket: str) -> None:
    """Keep the bucket from telling functions; topics are told on."""
    kept = aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    topics = {"TopicConfigurations": kept["TopicConfigurations"]} if "TopicConfigurations" in kept else {}
    aws.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=topics)
