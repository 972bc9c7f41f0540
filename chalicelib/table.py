"""The DynamoDB table: reads, conditional writes and transactions with plain Python values.

Keys are ``pk`` and ``sk``; every ``pk`` of an owner's data begins with the owner. There is no scan.

A write may have conditions, ``{attribute: expected}``, where ``None`` means "must be absent". A write that
sets the attribute ``revision`` to a new token can be retried after a lost answer: if the retry fails on its
condition and the stored revision is that token, the first try has succeeded.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import THROTTLED, code_of, faults_told_apart
from chalicelib.errors import Transient, Unavailable
from chalicelib.expressions import (
    Delete,
    Item,
    Key,
    Put,
    Update,
    Wire,
    Write,
    decoded,
    encoded,
    encoded_key,
    transaction_part,
)

BATCH_LIMIT = 100  # keys in a call of DynamoDB's "BatchGetItem"
WRITE_BATCH_LIMIT = 25  # writes in a call of DynamoDB's "BatchWriteItem"
TRANSACTION_TRIES = 10
_TRY_AGAIN = THROTTLED | {
    "TransactionConflict",
    "TransactionConflictException",
    "ProvisionedThroughputExceeded",
}


class ConditionFailed(Transient):
    """The stored item does not meet a write's condition; ``stored`` is the item, if DynamoDB returned it."""

    code = "condition-failed"

    def __init__(self, stored: Item | None) -> None:
        super().__init__("The stored item is not what the write expected.")
        self.stored = stored


class Table:
    """Reads and writes one table through a botocore client."""

    def __init__(self, client: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """One item, strongly consistent, or None."""
        with faults_told_apart("DynamoDB"):
            answer = self._client.get_item(TableName=self._name, Key=encoded_key(key), ConsistentRead=True)
        return decoded(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """The items that exist under ``keys``, strongly consistent, in calls of 100."""
        found: dict[Key, Item] = {}
        for start in range(0, len(keys), BATCH_LIMIT):
            for item in self._batch(keys[start : start + BATCH_LIMIT]):
                found[Key(str(item["pk"]), str(item["sk"]))] = item
        return found

    def query(
        self,
        pk: str,
        *,
        limit: int,
        prefix: str = "",
        after: str | None = None,
        at_most: str | None = None,
        newest_first: bool = False,
    ) -> list[Item]:
        """Up to ``limit`` items of a partition, sorted by ``sk``.

        Reading begins behind the key ``after``. ``prefix`` and ``at_most`` are conditions on ``sk``; only one
        of them may be given, as in DynamoDB's key conditions.
        """
        call = _bounds(pk, prefix=prefix, at_most=at_most)
        if after is not None:
            call["ExclusiveStartKey"] = encoded_key(Key(pk, after))
        return self._pages({**call, "ScanIndexForward": not newest_first, "ConsistentRead": True}, limit)

    def due(self, shard: str, *, until: str, limit: int) -> list[Key]:
        """Keys of items in the ``due`` index whose ``due_at`` is not after ``until``, the earliest first."""
        call = {
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard AND due_at <= :until",
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":until": {"S": until}},
        }
        return [Key(str(item["pk"]), str(item["sk"])) for item in self._pages(call, limit)]

    def write(self, write: Write) -> None:
        """Make one conditional write.

        :raises ConditionFailed: its condition does not hold; nothing was written.
        :raises Unavailable: DynamoDB kept refusing or could not be reached.
        """
        self.transact([write])

    def transact(self, writes: Sequence[Write]) -> None:
        """Make up to 100 writes in one transaction; conflicts and throttles are retried with jitter.

        :raises ConditionFailed: a condition does not hold; nothing was written.
        :raises Unavailable: DynamoDB kept refusing or could not be reached.
        """
        if len(writes) == 1:
            return self._with_patience(lambda: self._single(writes[0]), writes)
        call = {"TransactItems": [transaction_part(self._name, write) for write in writes]}
        return self._with_patience(lambda: self._client.transact_write_items(**call), writes)

    def write_many(self, writes: Sequence[Put | Delete]) -> None:
        """Make unconditional puts and deletes of different items, in calls of 25, without a transaction.

        :raises Unavailable: DynamoDB kept leaving some of them unwritten.
        """
        for start in range(0, len(writes), WRITE_BATCH_LIMIT):
            left = [_request(write) for write in writes[start : start + WRITE_BATCH_LIMIT]]
            for tried in range(TRANSACTION_TRIES):
                with faults_told_apart("DynamoDB"):
                    answer = self._client.batch_write_item(RequestItems={self._name: left})
                left = answer.get("UnprocessedItems", {}).get(self._name, [])
                if not left:
                    break
                self._sleep(random.uniform(0, 0.05 * 2 ** min(tried, 6)))  # noqa: S311 - not a secret
            else:
                raise Unavailable("DynamoDB kept leaving writes of a batch undone.")

    def count(self, key: Key, *, expires_at: int) -> int:
        """Increment the item's ``used`` and return it; the item expires at ``expires_at`` (Unix time).

        After a lost answer it may count twice: use it for limits, not for exact counts.
        """
        return int(self.tally(key, "used", expires_at=expires_at)["used"])

    def tally(self, key: Key, name: str, *, expires_at: int) -> Item:
        """Increment the counter ``name`` of an item, as :meth:`count` does; returns the whole item."""
        update = Update(key, set={"expires_at": expires_at}, add={name: 1})
        arguments = transaction_part(self._name, update)["Update"]
        with faults_told_apart("DynamoDB"):
            answer = self._client.update_item(**arguments, ReturnValues="ALL_NEW")
        return decoded(answer["Attributes"])

    def _single(self, write: Write) -> None:
        ((operation, arguments),) = transaction_part(self._name, write).items()
        method = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[operation]
        getattr(self._client, method)(**arguments)

    def _with_patience(self, call: Callable[[], object], writes: Sequence[Write]) -> None:
        for tried in range(TRANSACTION_TRIES):
            try:
                with faults_told_apart("DynamoDB"):
                    call()
                return
            except ClientError as error:
                if _went_through_before(error, writes):
                    return
            # Full jitter, so that writers that collide on a busy row do not collide again.
            self._sleep(random.uniform(0, 0.02 * 2 ** min(tried, 6)))  # noqa: S311 - not a secret
        raise Unavailable("DynamoDB kept refusing a write that others were making too.")

    def _batch(self, keys: Sequence[Key]) -> Iterable[Item]:
        left: list[Wire] = [encoded_key(key) for key in keys]
        for tried in range(TRANSACTION_TRIES):
            request = {self._name: {"Keys": left, "ConsistentRead": True}}
            with faults_told_apart("DynamoDB"):
                answer = self._client.batch_get_item(RequestItems=request)
            yield from map(decoded, answer["Responses"].get(self._name, []))
            left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if not left:
                return
            self._sleep(0.05 * 2**tried)
        raise Unavailable("DynamoDB kept leaving keys of a batch unread.")

    def _pages(self, call: Wire, limit: int) -> list[Item]:
        items: list[Item] = []
        while len(items) < limit:
            with faults_told_apart("DynamoDB"):
                answer = self._client.query(TableName=self._name, **call, Limit=limit - len(items))
            items += map(decoded, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            call = {**call, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return items


def _bounds(pk: str, *, prefix: str, at_most: str | None) -> Wire:
    conditions, values = ["pk = :pk"], {":pk": {"S": pk}}
    if prefix:
        conditions.append("begins_with(sk, :prefix)")
        values[":prefix"] = {"S": prefix}
    if at_most is not None:
        conditions.append("sk <= :at_most")
        values[":at_most"] = {"S": at_most}
    return {"KeyConditionExpression": " AND ".join(conditions), "ExpressionAttributeValues": values}


def _request(write: Put | Delete) -> Wire:
    key = encoded_key(write.key)
    if isinstance(write, Put):
        return {"PutRequest": {"Item": {**key, **encoded(write.item)}}}
    return {"DeleteRequest": {"Key": key}}


def _went_through_before(error: ClientError, writes: Sequence[Write]) -> bool:
    """True if an earlier try succeeded and its answer was lost, False if a retry may help; else raises."""
    reasons = _reasons(error)
    for write, reason in zip(writes, reasons, strict=False):
        if reason["Code"] in ("ConditionalCheckFailed", "ConditionalCheckFailedException"):
            stored = decoded(reason["Item"]) if reason.get("Item") else None
            if _is_ours(write, stored):
                return True
            raise ConditionFailed(stored) from error
    if not any(reason["Code"] in _TRY_AGAIN for reason in reasons):
        raise error
    return False


def _reasons(error: ClientError) -> list[Wire]:
    cancelled = error.response.get("CancellationReasons")
    return cancelled or [{"Code": code_of(error), "Item": error.response.get("Item")}]


def _is_ours(write: Write, stored: Item | None) -> bool:
    wanted = write.item if isinstance(write, Put) else write.set if isinstance(write, Update) else {}
    return stored is not None and "revision" in wanted and stored.get("revision") == wanted["revision"]
