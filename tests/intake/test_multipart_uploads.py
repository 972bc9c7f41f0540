"""Large objects put together by S3 as moto emulates it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.intake.multipart_uploads import SMALLEST_PART, MultipartUploads


@pytest.fixture
def s3(aws_credentials: None) -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        client.create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.mark.slow
def test_parts_become_one_object_even_where_every_answer_is_lost_once(s3: Any) -> None:
    parts = [b"a" * SMALLEST_PART, b"b" * (SMALLEST_PART + 1), b"c"]
    for number, part in enumerate(parts):
        s3.put_object(Bucket="images", Key=f"exports/{number} part", Body=part)
    uploads = MultipartUploads(s3, "images")
    begun = uploads.begin("exports/all.zip", "application/zip")
    etags = []
    for number in range(3):
        uploads.add("exports/all.zip", begun, number + 1, f"exports/{number} part")
        etags.append(uploads.add("exports/all.zip", begun, number + 1, f"exports/{number} part"))
    uploads.finish("exports/all.zip", begun, etags)
    uploads.finish("exports/all.zip", begun, etags)
    made = s3.get_object(Bucket="images", Key="exports/all.zip")
    assert made["Body"].read() == b"".join(parts)
    assert made["ContentType"] == "application/zip"
