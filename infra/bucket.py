"""The bucket that pictures are in, before it may go."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def holds_images(s3: Any, bucket: str) -> bool:
    """Whether there is an object below ``uploads/``; a bucket that is not there holds none."""
    try:
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix="uploads/", MaxKeys=1).get("KeyCount"))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise


def empty(s3: Any, bucket: str) -> None:
    """Delete every object, a thousand at a time."""
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            if keys := [{"Key": one["Key"]} for one in page.get("Contents", [])]:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
