"""Multipart uploads: S3 makes one large object of smaller ones, and nobody carries their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart

SMALLEST_PART = 5 * 1024 * 1024  # bytes, all parts but the last ("Amazon S3 multipart upload limits")


class MultipartUploads:
    """Multipart uploads. A part may be a copy of a whole object; each step may be repeated."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin(self, key: str, content_type: str) -> str:
        """The id of a new upload to ``key``; the bucket's lifecycle removes what is never finished."""
        with faults_told_apart("S3"):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        return str(begun["UploadId"])

    def add(self, key: str, upload_id: str, number: int, source: str) -> str:
        """Copy the object ``source`` as the part with a ``number`` (from 1); returns the part's ETag."""
        with faults_told_apart("S3"):
            copied = self._client.upload_part_copy(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": self._bucket, "Key": source},
            )
        return str(copied["CopyPartResult"]["ETag"])

    def put(self, key: str, upload_id: str, number: int, content: bytes) -> str:
        """Upload these bytes as the part with a ``number`` (from 1); returns the part's ETag."""
        with faults_told_apart("S3"):
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=content
            )
        return str(answer["ETag"])

    def finish(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Make the object of all its parts; an upload that is finished already stays as it is."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        try:
            with faults_told_apart("S3"):
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
                )
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # an earlier try's answer was lost
                raise
