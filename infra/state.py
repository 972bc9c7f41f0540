"""The state of a deployment, kept in the stage's own table under a lock, so that it belongs to the account.

Whoever deploys next, from wherever, goes on from there; two who deploy at once do not tread on each other.
"""

from __future__ import annotations

import getpass
import json
import platform
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.ids import rfc3339
from infra.project import Json, Refused

# An item of nobody's: owners' keys begin with their names, which hold no "~".
KEY = {"pk": {"S": "~deployment"}, "sk": {"S": "state"}}
LEASE_SECONDS = 1800.0  # longer than a deployment takes; after it, one that died holds nobody up


@dataclass(frozen=True)
class State:
    """The state in one stage's ``table``."""

    dynamodb: Any
    table: str
    now: Callable[[], float] = time.time

    def resources(self) -> list[Json]:
        """What Chalice remembers of the stage; nothing where there is no table or no deployment."""
        try:
            item = self.dynamodb.get_item(TableName=self.table, Key=KEY, ConsistentRead=True).get("Item", {})
        except self.dynamodb.exceptions.ResourceNotFoundException:
            return []
        return _resources(item)

    @contextmanager
    def locked(self) -> Iterator[Locked]:
        """Keep everybody else from changing the stage until the block ends.

        :raises Refused: somebody is at it; says who, and until when at most.
        :raises ResourceNotFoundException: there is no such table.
        """
        mine, who = str(uuid.uuid4()), f"{getpass.getuser()}@{platform.node()}"
        until, now = self.now() + LEASE_SECONDS, self.now()
        try:
            kept = self.dynamodb.update_item(
                TableName=self.table,
                Key=KEY,
                UpdateExpression="SET lock_id = :mine, locked_by = :who, locked_until = :until",
                ConditionExpression="attribute_not_exists(lock_id) OR locked_until < :now",
                ExpressionAttributeValues={
                    ":mine": {"S": mine},
                    ":who": {"S": who},
                    ":until": {"N": str(until)},
                    ":now": {"N": str(now)},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except self.dynamodb.exceptions.ConditionalCheckFailedException as refused:
            raise Refused(_held(refused.response.get("Item", {}))) from None
        try:
            yield Locked(self, mine, _resources(kept))
        finally:
            self._unlock(mine)

    def _unlock(self, mine: str) -> None:
        """Let go of the lock, unless the table has gone or another has taken it over."""
        try:
            self.write(mine, "REMOVE lock_id, locked_by, locked_until")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LET_GO:
                raise

    def write(self, mine: str, expression: str, **values: Json) -> None:
        """Change the item on condition that the lock is still ``mine``."""
        self.dynamodb.update_item(
            TableName=self.table,
            Key=KEY,
            UpdateExpression=expression,
            ConditionExpression="lock_id = :mine",
            ExpressionAttributeValues={
                ":mine": {"S": mine},
                **{f":{name}": one for name, one in values.items()},
            },
        )


@dataclass(frozen=True)
class Locked:
    """A state that nobody else may change meanwhile, as it was found."""

    state: State
    mine: str
    resources: list[Json]

    def save(self, resources: list[Json]) -> None:
        """Remember what Chalice does now.

        :raises Refused: the lock was taken over, because this deployment took longer than anybody expected.
        """
        try:
            self.state.write(
                self.mine, "SET remembered = :remembered", remembered={"S": json.dumps(resources)}
            )
        except self.state.dynamodb.exceptions.ConditionalCheckFailedException:
            raise Refused("Somebody else has deployed meanwhile: run make deploy again.") from None


_LET_GO = ("ConditionalCheckFailedException", "ResourceNotFoundException")


def _resources(item: Json) -> list[Json]:
    return list(json.loads(item["remembered"]["S"])) if "remembered" in item else []


def _held(item: Json) -> str:
    until = rfc3339(float(item.get("locked_until", {}).get("N", 0)))
    who = item.get("locked_by", {}).get("S", "somebody")
    return f"{who} is deploying this stage: wait for that, or until {until} if it was broken off."
