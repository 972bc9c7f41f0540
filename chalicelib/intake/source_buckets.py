"""The sources of a job: other buckets, and the lists that name objects in them.

A list is JSON Lines as Amazon's own tools write them (``{"source-ref": "s3://…", "metadata": {…}}``). The CSV
of S3 Inventory and the listing of a bucket are written as such a list into the stage's own bucket, so a job
only remembers how many bytes of a list it has read.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws import code_of, passing
from chalicelib.errors import SourceRefused, Unavailable
from chalicelib.ids import millisecond_at
from chalicelib.intake.objects import StoredObject
from chalicelib.intake.source_lines import entry_of, line_of, parts_of, refusal_of
from chalicelib.model import Json, SourceEntry

PAGE_BYTES = 1_048_576  # of a list, read at once
LISTED = 1000  # keys a call, Amazon S3 "ListObjectsV2"
MOST_UNPACKED = 256 * 1024 * 1024  # bytes of one file of an inventory
MOST_PACKED = 128 * 1024 * 1024
MOST_MANIFEST = 16 * 1024 * 1024  # of the manifest.json of an inventory
LONGEST_ROW = 131_072  # bytes of an inventory's file that are taken for one line
MOST_SKIPPED = 64 * 1024 * 1024  # of one line of a list
_CODES = {
    "AccessDenied": "access-denied",
    "AllAccessDisabled": "access-denied",
    "403": "access-denied",
    "NoSuchKey": "no-such-key",
    "404": "no-such-key",
    "NotFound": "no-such-key",
    "NoSuchBucket": "no-such-bucket",
    "InvalidBucketName": "no-such-bucket",
    "NoSuchVersion": "no-such-key",
    "InvalidObjectState": "archived",
    "PreconditionFailed": "changed-since",
    "412": "changed-since",
}
_SENTENCES = {
    "access-denied": "The service may not read it: look at SOURCE_BUCKETS, and at its bucket's policy.",
    "no-such-key": "There is no such object.",
    "no-such-bucket": "There is no such bucket.",
    "archived": "The object is archived; restore it first.",
    "changed-since": "It has changed since the job was asked for.",
}


@dataclass(frozen=True)
class SourceList:
    """A list in a bucket: ``size`` bytes of JSON Lines; with another ``etag`` it is another list."""

    bucket: str
    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class SourcePage:
    """The entries of some lines of a list, and the byte at which the next line begins."""

    entries: tuple[SourceEntry, ...]
    next_at: int


class Sources:
    """Reads other buckets, and writes lists of its own under ``jobs/``."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def stat(self, uri: str) -> SourceList:
        """The list under an ``s3://`` address.

        :raises SourceRefused: it is not there, or may not be read.
        """
        bucket, key = parts_of(uri)
        answer = self._call("head_object", Bucket=bucket, Key=key)
        return SourceList(bucket, key, int(answer["ContentLength"]), str(answer["ETag"]).strip('"'))

    def read(self, entry: SourceEntry, *, max_bytes: int) -> StoredObject:
        """An entry's object, as it was when it was listed.

        :raises SourceRefused: it is not there, has changed, is too large, or may not be read.
        """
        matching = {"IfMatch": f'"{entry.etag}"'} if entry.etag else {}
        answer = self._call("get_object", Bucket=entry.bucket, Key=entry.key, **matching)
        size, etag = int(answer["ContentLength"]), str(answer["ETag"]).strip('"')
        with answer["Body"] as body:
            if size > max_bytes:
                raise SourceRefused(f"It has {size} bytes, and {max_bytes} are the most.", code="too-large")
            content = self._drained(body)
        return StoredObject(content, etag, size, answer["LastModified"].timestamp())

    def modified(self, entry: SourceEntry) -> float:
        """When an entry's object was stored (seconds since 1970).

        :raises SourceRefused: it is not there, or may not be read.
        """
        answer = self._call("head_object", Bucket=entry.bucket, Key=entry.key)
        return float(answer["LastModified"].timestamp())

    def page(self, listed: SourceList, at: int, most: int, owner: str) -> SourcePage:
        """At most ``most`` lines of a list from byte ``at`` on; fewer if they are long.

        Each is checked for what the owner of the job may read.

        :raises SourceRefused: the list has changed, has gone, or may not be read.
        """
        raw = self._range(listed, at, PAGE_BYTES)
        ends_here = at + len(raw) >= listed.size
        entries: list[SourceEntry] = []
        place = 0
        while place < len(raw) and len(entries) < most:
            end = raw.find(b"\n", place)
            if end < 0 and not ends_here:
                if place == 0:  # a line longer than what was read
                    return SourcePage(
                        (SourceEntry(refused="line-too-long"),), self._after_line(listed, at + len(raw))
                    )
                break
            end = len(raw) if end < 0 else end
            if line := raw[place:end].strip(b" \t\r\xef\xbb\xbf"):
                entries.append(entry_of(line, self.bucket, owner))
            place = end + 1
        return SourcePage(tuple(entries), min(at + place, listed.size))

    def listing(self, bucket: str, prefix: str, after: str, owner: str) -> tuple[list[SourceEntry], str]:
        """The next objects of a bucket below a prefix, and the key to go on after (empty at the end).

        Objects of the service itself or of other owners are left out.

        :raises SourceRefused: the bucket is not there, or may not be listed.
        """
        answer = self._call(
            "list_objects_v2",
            Bucket=bucket,
            Prefix=prefix,
            MaxKeys=LISTED,
            **({"StartAfter": after} if after else {}),
        )
        found = answer.get("Contents", [])
        entries = [
            SourceEntry(
                bucket=bucket,
                key=one["Key"],
                etag=one["ETag"].strip('"'),
                size=int(one["Size"]),
                modified=one["LastModified"].timestamp(),
            )
            for one in found
            if refusal_of(bucket, one["Key"], self.bucket, owner) in ("", "no-photo")
        ]
        return entries, found[-1]["Key"] if answer.get("IsTruncated") and found else ""

    def inventory_files(self, uri: str) -> tuple[list[Json], list[str]]:
        """The files of an S3 Inventory by its ``manifest.json``, and the columns that they have.

        :raises SourceRefused: there is no such inventory, or it is not in CSV.
        """
        bucket, key = parts_of(uri)
        raw = self._whole(bucket, key, MOST_MANIFEST)
        try:
            told = json.loads(raw)
            columns = [name.strip() for name in told["fileSchema"].split(",")]
            named = told.get("destinationBucket", "").rpartition(":")[2] or bucket
            files = [{"bucket": named, "key": one["key"], "size": int(one["size"])} for one in told["files"]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise SourceRefused("It is no manifest.json of S3 Inventory.", code="not-an-inventory") from None
        if told.get("fileFormat") != "CSV" or not {"Bucket", "Key"} <= set(columns):
            raise SourceRefused("Only inventories in CSV are read.", code="not-an-inventory")
        return files, columns

    def inventory(self, file: Json, columns: Sequence[str], owner: str) -> Iterator[SourceEntry]:
        """The objects that one file of an inventory names.

        :raises SourceRefused: it cannot be read, or not by this owner.
        """
        bucket, key = str(file["bucket"]), str(file["key"])
        if refusal_of(bucket, key, self.bucket, owner) in ("own-folder", "access-denied"):
            raise SourceRefused("It is not yours to read.", code="access-denied")
        raw = self._whole(bucket, key, MOST_PACKED)
        try:
            with gzip.open(io.BytesIO(raw)) as opened:
                for row in csv.reader(_lines_in(opened, key)):
                    told = dict(zip(columns, row, strict=False))
                    if told.get("IsLatest") != "false" and told.get("IsDeleteMarker") != "true":
                        yield self._of_inventory(told)
        except (OSError, EOFError, zlib.error):
            raise SourceRefused(f"{key} is not gzip, or not all of it.", code="not-an-inventory") from None
        except csv.Error as error:
            raise SourceRefused(f"{key} is no CSV: {error}.", code="not-an-inventory") from None

    def write_list(self, key: str, entries: Iterable[SourceEntry]) -> SourceList:
        """Write a list into our own bucket."""
        lines = (json.dumps(line_of(one)).encode() + b"\n" for one in entries)
        content = b"".join(lines)
        answer = self._call("put_object", Bucket=self.bucket, Key=key, Body=content)
        return SourceList(self.bucket, key, len(content), str(answer["ETag"]).strip('"'))

    def _of_inventory(self, told: dict[str, str]) -> SourceEntry:
        key = unquote_plus(told.get("Key", ""))
        size, at = told.get("Size", ""), told.get("LastModifiedDate", "")
        try:
            modified = millisecond_at(at) / 1000
        except ValueError:
            modified = None
        return SourceEntry(
            bucket=told.get("Bucket", ""),
            key=key,
            etag=told.get("ETag", ""),
            size=int(size) if size.isdecimal() else None,
            modified=modified,
        )

    def _whole(self, bucket: str, key: str, most: int) -> bytes:
        """The bytes of an object of at most ``most`` bytes."""
        answer = self._call("get_object", Bucket=bucket, Key=key)
        with answer["Body"] as body:
            if int(answer["ContentLength"]) > most:
                raise SourceRefused(f"{key} has more than {most:,} bytes.", code="too-large")
            return self._drained(body)

    def _after_line(self, listed: SourceList, at: int) -> int:
        """The byte after the end of the line that contains byte ``at``.

        :raises SourceRefused: the line is too long for any list.
        """
        furthest = at + MOST_SKIPPED
        while at < listed.size:
            if at >= furthest:
                raise SourceRefused(f"It has a line of more than {MOST_SKIPPED:,} bytes.", code="not-a-list")
            raw = self._range(listed, at, PAGE_BYTES)
            end = raw.find(b"\n")
            if end >= 0:
                return at + end + 1
            at += len(raw)
        return at

    def _range(self, listed: SourceList, at: int, length: int) -> bytes:
        if at >= listed.size:
            return b""
        answer = self._call(
            "get_object",
            Bucket=listed.bucket,
            Key=listed.key,
            Range=f"bytes={at}-{min(at + length, listed.size) - 1}",
            IfMatch=f'"{listed.etag}"',
        )
        return self._drained(answer["Body"])

    def _drained(self, body: Any) -> bytes:
        try:
            return bytes(body.read())
        except (BotoCoreError, OSError) as error:
            raise Unavailable(f"S3 did not send all of it: {type(error).__name__}.") from error

    def _call(self, operation: str, **arguments: Any) -> Any:
        """:raises SourceRefused: S3 does not give this; :exc:`Unavailable`: not now."""
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            if passing(error):
                raise Unavailable(f"S3 did not take the call: {code_of(error)}.") from error
            code = _CODES.get(code_of(error), "unreadable")
            if code_of(error).startswith("KMS."):
                code = "access-denied"
            raise SourceRefused(_SENTENCES.get(code, f"S3 says: {code_of(error)}."), code=code) from error
        except BotoCoreError as error:
            raise Unavailable(f"S3 could not be reached: {type(error).__name__}.") from error


def _lines_in(file: gzip.GzipFile, name: str) -> Iterator[str]:
    """The lines of an unpacked file; none is longer in memory than a row may be.

    :raises SourceRefused: it is too large.
    """
    unpacked = 0
    while line := file.readline(LONGEST_ROW):
        unpacked += len(line)
        if unpacked > MOST_UNPACKED:
            raise SourceRefused(f"{name} unpacks to more than {MOST_UNPACKED:,} bytes.", code="too-large")
        yield line.decode("utf-8", "replace")
