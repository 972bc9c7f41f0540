"""Quotas: a maximum number of rows in an owner's partition, exact under concurrent writes."""

from __future__ import annotations

import random
import time

from chalicelib.errors import Unavailable
from chalicelib.expressions import Item, Key, Put, Write
from chalicelib.ids import new_id
from chalicelib.table import ConditionFailed, Table

TRIES = 60  # of a hundred concurrent writers, each success makes all others try again
KEPT_SECONDS = 24 * 3600
ALL = 1000  # rows that are read, including expired ones that DynamoDB has not deleted yet


def put_within(table: Table, put: Put, most: int, now: float, *others: Write) -> bool:
    """Store a row, and ``others`` with it, if fewer than ``most`` rows of its partition are alive.

    Returns whether the row is stored now. Each write also changes a row beside the partition, on condition
    that it is as it was before the count: of two writers that have counted the same rows, one fails and
    counts again.

    :raises Unavailable: other writers were faster each time.
    """
    last = Key(f"{put.key.pk}#last", "put")
    for tried in range(TRIES):
        known = (table.get(last) or {}).get(
            "revision"
        )  # read before the rows, so that a later write is noticed
        there = alive(table, put.key.pk, now)
        if put.key.sk in there:
            return True
        if len(there) >= most:
            return False
        mark: Item = {"revision": new_id(), "expires_at": int(now) + KEPT_SECONDS}
        try:
            table.transact([put, Put(last, mark, when={"revision": known}), *others])
            return True
        except ConditionFailed:
            time.sleep(random.uniform(0, 0.01 * 2 ** min(tried, 4)))  # noqa: S311 - not a secret
    raise Unavailable("Others are storing the same at this moment; ask again.")


def alive(table: Table, pk: str, now: float) -> set[str]:
    """The sort keys of a partition's rows that have not expired."""
    return {str(row["sk"]) for row in table.query(pk, limit=ALL) if int(row.get("expires_at", now + 1)) > now}
