"""A table's stream: what changed, in order, as DynamoDB Streams keeps it and Lambda hands it on."""

from __future__ import annotations

import base64
import bisect
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.loopback import ACCOUNT, REGION

Json = dict[str, Any]
Image = Mapping[str, Mapping[str, Any]]  # an item, typed as on the wire

KEPT_SECONDS = 24 * 3600.0  # Amazon DynamoDB developer guide, "Change data capture for DynamoDB Streams"
# Soon the numbers are one digit longer: whoever compares them as text finds out.
FIRST_NUMBER = 10**21 - 10  # they have 21 to 40 digits (API reference, "GetShardIterator")
# How the record of an item that its TTL has deleted differs (same guide, "DynamoDB Streams and TTL").
BY_TTL = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}


@dataclass(frozen=True)
class Change:
    """One record of a stream: its sequence ``number``, when it happened, and the ``event`` for Lambda."""

    number: int
    at: float
    event: Json


class Shard:
    """The changes of a table with the key ``keys``, oldest first; what is older than a day is let go.

    ``arn`` is the stream's. Events carry both images. ``numbers`` may be shared by shards of one stream.
    ``positions`` are the numbers up to which functions are done, for whoever reads on.
    """

    def __init__(
        self,
        arn: str,
        keys: tuple[str, ...],
        clock: Callable[[], float],
        *,
        name: str = "shardId-00000001541626099285-f35f62ef",
        numbers: Iterator[int] | None = None,
    ) -> None:
        self.arn = arn
        self.name = name
        self._keys = keys
        self._clock = clock
        self._numbers = numbers or itertools.count(FIRST_NUMBER)
        self._changes: list[Change] = []
        self._changed = threading.Condition(threading.RLock())
        self._last = FIRST_NUMBER - 1
        self.table_name = table_of(arn)
        self.positions: dict[str, int] = {}

    def note(self, old: Image | None, new: Image | None, *, by_ttl: bool = False) -> None:
        """Add the record of a write; a write that changed nothing has none."""
        before, after = _in_json(old), _in_json(new)
        if before == after:
            return
        with self._changed:
            now, number = self._clock(), next(self._numbers)
            self._changes.append(Change(number, now, self._event(number, now, before, after, by_ttl)))
            self._last = number
            self._forget(now - KEPT_SECONDS)
            self._changed.notify_all()

    def after(self, number: int, at_most: int = 1000) -> list[Change]:
        """Up to ``at_most`` changes with greater sequence numbers."""
        with self._changed:
            first = bisect.bisect_right(self._changes, number, key=lambda change: change.number)
            return self._changes[first : first + at_most]

    @property
    def first(self) -> int:
        """The sequence number of the oldest change that is kept, or of the next."""
        with self._changed:
            return self._changes[0].number if self._changes else self._last + 1

    @property
    def last(self) -> int:
        """The sequence number of the latest change, or of the one before the first."""
        return self._last

    def wait(self, number: int, seconds: float) -> bool:
        """Whether there is a change after ``number``; waits for one at most so many ``seconds``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._last > number, seconds)

    def _forget(self, before: float) -> None:
        kept = bisect.bisect_left(self._changes, before, key=lambda change: change.at)
        del self._changes[:kept]

    def _event(self, number: int, at: float, old: Json | None, new: Json | None, by_ttl: bool) -> Json:
        """AWS Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB", example event."""
        images = {
            **({"NewImage": new} if new is not None else {}),
            **({"OldImage": old} if old is not None else {}),
        }
        keys = {name: (new or old or {})[name] for name in self._keys}
        return {
            "eventID": f"{number:032x}",
            "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": {
                "ApproximateCreationDateTime": int(at),
                "Keys": keys,
                **images,
                "SequenceNumber": str(number),
                "SizeBytes": len(json.dumps([keys, images], separators=(",", ":"))),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": self.arn,
            **(BY_TTL if by_ttl else {}),
        }


def stream_arn(table: str, label: str = "2026-01-01T00:00:00.000") -> str:
    """The ARN of a table's stream."""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/{label}"


def table_of(stream: str) -> str:
    """The name of the table whose stream has this ARN."""
    return stream.partition(":table/")[2].partition("/")[0]


def _in_json(image: Image | None) -> Json | None:
    """An image with binary values as the text that JSON has for them."""
    if image is None:
        return None
    return {name: _binary(typed) if "B" in typed else typed for name, typed in image.items()}


def _binary(typed: Mapping[str, Any]) -> Json:
    value = typed["B"]
    return {"B": base64.b64encode(value).decode() if isinstance(value, bytes) else value}
