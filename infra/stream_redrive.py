"""Changes of records that could not be projected: read again from the stream, and sent through it once more.

What Lambda leaves behind of a batch is where it stood in the stream, not what was in it (AWS Lambda, "Retain
discarded records for a DynamoDB stream event source"). The old pictures are never replayed: each record that
changed there is touched, so that it comes through the stream as it is now.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from infra.event_sources import OF_RECORDS
from infra.project import Json

RECORD = OF_RECORDS["dynamodb"]["Keys"]["sk"]["S"][0]
AT_ONCE = 1000
EMPTY_PAGES = 100  # of a shard that is still open, before its end has to have come
_BOUNDS = ("startSequenceNumber", "endSequenceNumber")
_FORGOTTEN = {"TrimmedDataAccessException", "ResourceNotFoundException"}


class NotOurs(Exception):
    """A message that nothing can be done with; says in a few words what it is."""


def projected_again(client: Callable[[str], Any], table: str) -> Callable[[str], None]:
    """What has the records of a failed batch come through the stream of ``table`` again, by its message."""
    streams, dynamodb = client("dynamodbstreams"), client("dynamodb")

    def act(body: str) -> None:
        for key in _records(streams, _batch(body)):
            try:
                dynamodb.update_item(
                    TableName=table,
                    Key=key,
                    UpdateExpression="SET redriven_at = :now",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":now": {"N": str(time.time())}},
                )
            except dynamodb.exceptions.ConditionalCheckFailedException:
                continue  # the record has gone for good, and nothing is derived from it

    return act


def _batch(body: str) -> Json:
    try:
        batch: Json = json.loads(body)["DDBStreamBatchInfo"]
        return {name: str(batch[name]) for name in ("streamArn", "shardId", *_BOUNDS)}
    except (ValueError, KeyError, TypeError):
        raise NotOurs("no record of a batch of the stream") from None


def _records(streams: Any, batch: Json) -> list[Json]:
    """The keys of the records that changed in a batch, each once."""
    try:
        found = {json.dumps(one, sort_keys=True): one for one in _keys(streams, batch)}
    except ParamValidationError:
        raise NotOurs("no record of a batch of the stream") from None
    except ClientError as error:
        if error.response["Error"]["Code"] not in _FORGOTTEN:
            raise
        raise NotOurs(
            "older than what the stream keeps (24 hours): run make repair, then delete it"
        ) from None
    return list(found.values())


def _keys(streams: Any, batch: Json) -> Iterator[Json]:
    start, end = (batch[name] for name in _BOUNDS)
    where = {"StreamArn": batch["streamArn"], "ShardId": batch["shardId"], "SequenceNumber": start}
    iterator = streams.get_shard_iterator(**where, ShardIteratorType="AT_SEQUENCE_NUMBER")["ShardIterator"]
    empty = 0
    while iterator and empty < EMPTY_PAGES:
        page = streams.get_records(ShardIterator=iterator, Limit=AT_ONCE)
        iterator = page.get("NextShardIterator")
        empty = 0 if page["Records"] else empty + 1
        for one in page["Records"]:
            if int(one["dynamodb"]["SequenceNumber"]) > int(end):
                return
            if one["dynamodb"]["Keys"]["sk"]["S"] == RECORD:
                yield one["dynamodb"]["Keys"]
            if one["dynamodb"]["SequenceNumber"] == end:
                return
