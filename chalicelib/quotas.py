"""So many rows of a kind for each owner and not one more, however many are asked for at once."""

from __future__ import annotations

import random
import time

from chalicelib.errors import Unavailable
from chalicelib.expressions import Item, Key, Put, Write
from chalicelib.ids import new_id
from chalicelib.table import ConditionFailed, Table

TRIES = 60  # of a hundred that are stored at the same moment the last waits for all others
KEPT_SECONDS = 24 * 3600
ALL = 1000  # rows that are read; what has expired and not been removed yet is among them


def put_within(table: Table, put: Put, most: int, now: float, *others: Write) -> bool:
    """Store a row, and ``others`` with it, where fewer than ``most`` rows of its partition are alive.

    Gives whether it is there now. A row beside the partition changes with each that is stored: of two writers
    that have counted the same rows one fails, and counts again.

    :raises Unavailable: others were faster each time.
    """
    last = Key(f"{put.key.pk}#last", "put")
    for tried in range(TRIES):
        known = (table.get(last) or {}).get("revision")  # before the rows: what comes after is noticed
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
