"""The bucket and the table, which outlive their stack: in the way of a new one, and removed at last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.settings import signing_root_of
from infra.project import Refused, Stage

Client = Callable[[str], Any]
_ABSENT = ("NoSuchBucket", "ResourceNotFoundException", "ParameterNotFound")


def holds_images(s3: Any, bucket: str) -> bool:
    """Whether there is an object below ``uploads/``; a bucket that is not there holds none."""
    try:
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix="uploads/", MaxKeys=1).get("KeyCount"))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise


def found(client: Client, stage: Stage, account: str) -> dict[str, str]:
    """The names of what there is of the two, as the outputs of the stage's resources call them."""
    bucket, table = f"{stage.stack}-{account}", stage.stack
    there = {}
    if _is_there(lambda: client("s3").head_bucket(Bucket=bucket)):
        there["Bucket"] = bucket
    if _is_there(lambda: client("dynamodb").describe_table(TableName=table)):
        there["Table"] = table
    return there


def refuse(client: Client, stage: Stage, account: str) -> None:
    """:raises Refused: something is there that a new stack would create; says what, and the two ways on."""
    if there := found(client, stage, account):
        named = " and ".join(f"the {kind.lower()} {name}" for kind, name in there.items())
        raise Refused(
            f"There is {named} of an earlier stack, and nothing has been created: take it into a new stack "
            f"(docs/deploy.md, kept data), or delete it by make destroy STAGE={stage.name} IMAGES=delete."
        )


def remove(client: Client, there: dict[str, str]) -> None:
    """Delete the bucket with all that is in it, and the table: somebody has asked for them to go.

    :raises Refused: one of them could not be deleted.
    """
    if "Bucket" in there:
        _empty(client("s3"), there["Bucket"])
        _gone(client("s3").delete_bucket, Bucket=there["Bucket"])
    if "Table" in there:
        _gone(client("dynamodb").delete_table, TableName=there["Table"])
        client("dynamodb").get_waiter("table_not_exists").wait(TableName=there["Table"])
        # What the signing secrets in it were derived from.
        _gone(client("ssm").delete_parameter, Name=signing_root_of(there["Table"]))


def _empty(s3: Any, bucket: str) -> None:
    """Delete every object, a thousand at a time."""
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            if keys := [{"Key": one["Key"]} for one in page.get("Contents", [])]:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _is_there(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket", "ResourceNotFoundException"):
            return False
        raise
    return True


def _gone(remove: Callable[..., object], **named: str) -> None:
    try:
        remove(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise Refused(f"{', '.join(named.values())} could not be deleted: {error}") from None
