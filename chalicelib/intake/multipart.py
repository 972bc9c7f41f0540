"""A large object in the bucket, put together by S3 from smaller ones without anybody carrying their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart

SMALLEST_PART = 5 * 1024 * 1024  # bytes, all parts but the last ("Amazon S3 multipart upload limits")


class Assembly:
    """Multipart uploads, whose parts may be copies of whole objects; any step may be done twice."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin(self, key: str, content_type: str) -> str:
        """The id of a new assembly of ``key``; what is never finished the bucket's lifecycle clears away."""
        with faults_told_apart("S3"):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        return str(begun["UploadId"])

    def add(self, key: str, assembly: str, number: int, source: str) -> str:
        """Let the object ``source`` be the part with a ``number`` (from 1); the part's ETag."""
        with faults_told_apart("S3"):
            copied = self._client.upload_part_copy(
                Bucket=self._bucket,
                Key=key,
                UploadId=assembly,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": source},
            )
        return str(copied["CopyPartResult"]["ETag"])

    def put(self, key: str, assembly: str, number: int, content: bytes) -> str:
        """Let these bytes be the part with a ``number`` (from 1); the part's ETag."""
        with faults_told_apart("S3"):
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=assembly, PartNumber=number, Body=content
            )
        return str(answer["ETag"])

    def finish(self, key: str, assembly: str, etags: Sequence[str]) -> None:
        """Make the object of all its parts; one that is finished already stays as it is."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        try:
            with faults_told_apart("S3"):
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=assembly, MultipartUpload={"Parts": parts}
                )
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # an earlier try's answer was lost
                raise
