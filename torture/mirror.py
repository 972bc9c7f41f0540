"""The stream of a table that lies in another process, read through the API of DynamoDB Streams."""

from __future__ import annotations

import base64
import time
from typing import Any

from local.shard import Change, Json, Shard

PAGE = 1000  # records (Amazon DynamoDB Streams API reference, "GetRecords")
LOOK_SECONDS = 0.05


class MirroredShard(Shard):
    """Holds what was fetched and nobody has read yet; ``streams`` and ``dynamodb`` are clients."""

    def __init__(self, table: str, dynamodb: Any, streams: Any) -> None:
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        super().__init__(arn, ("pk", "sk"), time.time, name=shard["ShardId"])
        self._streams = streams
        where = {"StreamArn": arn, "ShardId": self.name, "ShardIteratorType": "TRIM_HORIZON"}
        self._iterator: str = streams.get_shard_iterator(**where)["ShardIterator"]

    def after(self, number: int, at_most: int = PAGE) -> list[Change]:
        with self._changed:
            found = super().after(number, at_most)
            if not found:
                page = self._streams.get_records(ShardIterator=self._iterator, Limit=at_most)
                self._iterator = page["NextShardIterator"]
                self._changes = found = [_change(record, self.arn) for record in page["Records"]]
                self._last = found[-1].number if found else self._last
            return found

    def wait(self, number: int, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self.after(number) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        return self._last > number


def _change(record: Json, arn: str) -> Change:
    told = record["dynamodb"]
    made = told["ApproximateCreationDateTime"].timestamp()
    event = {**record, "eventSourceARN": arn, "dynamodb": {**told, "ApproximateCreationDateTime": int(made)}}
    return Change(int(told["SequenceNumber"]), made, _as_text(event))


def _as_text(value: Any) -> Any:
    """An event whose binary values are the text that Lambda makes of them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return {name: _as_text(one) for name, one in value.items()} if isinstance(value, dict) else value
