"""The bucket: originals under ``uploads/``, files derived from them, and presigned URLs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.errors import NotFound
from chalicelib.model import Json

REKOGNITION = "rekognition"  # a second sidecar, in Rekognition's words
UPLOADS = "uploads/"
LONGEST_KEY = 1024  # bytes, Amazon S3 user guide, "Creating object key names"
ANY_TYPE = "application/octet-stream"
# What macOS and Windows put into folders; it comes along when a folder is copied into the bucket.
_LITTER = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized", "icon\r"})
_ABSENT = ("NoSuchKey", "404", "NotFound")
_OVERTAKEN = ("PreconditionFailed", "412")
_MARK = "sightline"  # the metadata entry that marks objects which we wrote among those of others

Own = Callable[[str], bool]


@dataclass(frozen=True)
class StoredObject:
    """An object's bytes (None where they are too many), its ``etag`` and its ``size`` in bytes.

    ``modified`` is when it was stored, in whole seconds since 1970.
    """

    content: bytes | None
    etag: str
    size: int
    modified: float = 0.0


class ObjectStore:
    """Reads, writes and signs through a boto3 S3 client."""

    def __init__(self, client: Any, bucket: str, *, upload_seconds: int, download_seconds: int) -> None:
        self._client = client
        self.bucket = bucket
        self.upload_seconds = upload_seconds
        self._download_seconds = download_seconds

    def reach(self) -> None:
        """Check that the bucket can be reached; raises the error of S3 if not."""
        with faults_told_apart("S3"):
            self._client.head_bucket(Bucket=self.bucket)

    def address(self) -> str:
        """The address of the bucket, with a slash at the end: an object's address begins with it."""
        return self.presigned_put(UPLOADS).partition("?")[0].removesuffix(UPLOADS)

    def presigned_put(self, key: str, *, size: int | None = None, content_type: str | None = None) -> str:
        """A URL that takes one object by a plain HTTP PUT.

        If ``size`` and ``content_type`` are given, S3 refuses any other ``Content-Length`` and
        ``Content-Type``. Without a ``size`` it takes up to 5 GB.
        """
        params: dict[str, str | int] = {"Bucket": self.bucket, "Key": key}
        if size is not None:
            params["ContentLength"] = size
        if content_type is not None:
            params["ContentType"] = content_type
        return str(self._client.generate_presigned_url("put_object", params, ExpiresIn=self.upload_seconds))

    def presigned_form(
        self, key: str, *, max_bytes: int, size: int | None = None, content_type: str | None = None
    ) -> Json:
        """``url`` and ``fields`` of an HTML form that uploads one object of at most ``max_bytes``.

        If ``size`` is given, it must have exactly so many bytes. The type is fixed too, to the given one or
        to none: the type of a photo is decided by its bytes, whatever the sender says.
        """
        fixed = {"Content-Type": content_type or ANY_TYPE}
        low, high = (1, max_bytes) if size is None else (size, size)
        form = self._client.generate_presigned_post(
            self.bucket,
            key,
            Fields=dict(fixed),
            Conditions=[fixed, ["content-length-range", low, high]],
            ExpiresIn=self.upload_seconds,
        )
        return {"url": form["url"], "fields": form["fields"]}

    def presigned_get(self, key: str, *, filename: str, content_type: str, head: bool = False) -> str:
        """A URL that serves the object under the name ``filename``, always as ``content_type``.

        It answers GET only, or HEAD only if ``head`` is set. A browser shows pictures and saves all else,
        which may be anything.
        """
        disposition = "inline" if content_type.startswith("image/") else "attachment"
        params = {
            "Bucket": self.bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f"{disposition}; filename*=UTF-8''{quote(filename, safe='')}",
        }
        operation = "head_object" if head else "get_object"
        return str(self._client.generate_presigned_url(operation, params, ExpiresIn=self._download_seconds))

    def put(self, key: str, content: bytes, content_type: str = ANY_TYPE) -> str:
        """Store an object; returns its ETag."""
        with faults_told_apart("S3"):
            answer = self._client.put_object(
                Bucket=self.bucket, Key=key, Body=content, ContentType=content_type
            )
        return str(answer["ETag"]).strip('"')

    def read(self, key: str, *, max_bytes: int) -> StoredObject:
        """An object; its bytes only if there are at most ``max_bytes``.

        :raises NotFound: there is no such object.
        """
        try:
            with faults_told_apart("S3"):
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
                body, size = answer["Body"], int(answer["ContentLength"])
                content = body.read() if size <= max_bytes else None
                body.close()
        except ClientError as error:
            raise _not_found(key) if code_of(error) in _ABSENT else error from None
        return StoredObject(content, answer["ETag"].strip('"'), size, answer["LastModified"].timestamp())

    def read_whole(self, key: str) -> bytes:
        """The bytes of an object that this service has written, however many there are.

        :raises NotFound: there is no such object.
        """
        return self.read(key, max_bytes=2**62).content or b""

    def etag(self, key: str) -> str | None:
        """The ETag of the object under ``key`` now; None where there is none."""
        answer = self._head(key)
        return str(answer["ETag"]).strip('"') if answer else None

    def listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Keys and ETags of all objects whose keys begin with ``prefix``."""
        following: dict[str, str] = {}
        while True:
            with faults_told_apart("S3"):
                answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **following)
            yield from ((one["Key"], one["ETag"].strip('"')) for one in answer.get("Contents", ()))
            if not answer.get("IsTruncated"):
                return
            following = {"ContinuationToken": answer["NextContinuationToken"]}

    def write_sidecar(self, key: str, document: Json, words: str = "") -> None:
        """Store the sidecar of the object under ``key``: its JSON, or that in another service's ``words``.

        An object whose key is too long for a sidecar's key has none.
        """
        if not is_key(sidecar_key(key, words)):
            return
        content = json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace")
        self.put(sidecar_key(key, words), content, "application/json")

    def write_own(self, key: str, content: bytes, content_type: str, *, mark: str, own: Own) -> bool:
        """Store an object with a ``mark``, unless there is one that is not our ``own`` by its mark.

        Returns whether it was stored. An object that others store at the same moment is not overwritten
        (Amazon S3 user guide, "Conditional requests").
        """
        there = self._head(key)
        if not is_key(key) or (there and not own(_mark_of(there))):
            return False
        only = {"IfMatch": there["ETag"]} if there else {"IfNoneMatch": "*"}
        marked = {"ContentType": content_type, "Metadata": {_MARK: mark}}
        try:
            with faults_told_apart("S3"):
                self._client.put_object(Bucket=self.bucket, Key=key, Body=content, **marked, **only)
        except ClientError as error:
            if code_of(error) in _OVERTAKEN:
                return False
            raise
        return True

    def delete_own(self, key: str, *, own: Own) -> None:
        """Remove an object if it is our ``own`` by its mark."""
        there = self._head(key)
        if there and own(_mark_of(there)):
            self._remove(key)

    def _head(self, key: str) -> Json | None:
        """What S3 says of the object under ``key`` now; None where there is none."""
        try:
            with faults_told_apart("S3"):
                answer: Json = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise
        return answer

    def write_thumbnail(self, key: str, content: bytes) -> None:
        """Store the thumbnail of the object under ``key``: a small JPEG."""
        self.put(thumbnail_key(key), content, "image/jpeg")

    def move_thumbnail(self, key: str, to: str) -> None:
        """Copy the thumbnail of an object that was moved to the key ``to``."""
        with contextlib.suppress(NotFound):
            self.write_thumbnail(to, self.read_whole(thumbnail_key(key)))

    def delete(self, key: str) -> None:
        """Remove the object, then all that was derived from it; whatever is missing is no error."""
        self.delete_original(key)
        self.delete_derived(key)

    def delete_original(self, key: str) -> None:
        """Remove the object alone."""
        self._remove(key)

    def delete_derived(self, key: str) -> None:
        """Remove what was derived from an object, where the object itself is gone already."""
        self.delete_sidecar(key)
        self.delete_thumbnail(key)

    def delete_sidecar(self, key: str) -> None:
        """Remove the sidecars of an object."""
        self._remove(sidecar_key(key))
        self._remove(sidecar_key(key, REKOGNITION))

    def delete_thumbnail(self, key: str) -> None:
        """Remove the thumbnail, where the object was overwritten by one that cannot be read."""
        self._remove(thumbnail_key(key))

    def _remove(self, name: str) -> None:
        if not is_key(name):
            return
        with faults_told_apart("S3"):
            self._client.delete_object(Bucket=self.bucket, Key=name)


def is_litter(key: str) -> bool:
    """Whether an object is a file that operating systems put into folders, or stands for a folder."""
    name = key.rpartition("/")[2]
    return not name or name.startswith("._") or name.lower() in _LITTER or key.endswith("_$folder$")


def is_sidecar(key: str) -> bool:
    """Whether an object is an XMP sidecar: a file beside a photo, not a photo."""
    return key.lower().endswith(".xmp")


def xmp_key(key: str, *, by_stem: bool) -> str:
    """The key of the XMP sidecar of an object: ``photo.jpg.xmp``, or ``photo.xmp`` if ``by_stem``."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{name.rpartition('.')[0] or name}.xmp" if by_stem else f"{key}.xmp"


def leaves_room(key: str) -> bool:
    """Whether the key is short enough for those of a thumbnail and a sidecar."""
    return is_key(thumbnail_key(key)) and is_key(sidecar_key(key))


def is_key(name: str) -> bool:
    """Whether S3 takes this as a key."""
    return len(name.encode("utf-8", "surrogatepass")) <= LONGEST_KEY


def sidecar_key(key: str, words: str = "") -> str:
    """``metadata/<the key below uploads/>.json``, or ``….rekognition.json`` in Rekognition's ``words``."""
    return f"metadata/{key.removeprefix(UPLOADS)}{words and f'.{words}'}.json"


def thumbnail_key(key: str) -> str:
    """``thumbnails/<the key below uploads/>.jpg``."""
    return f"thumbnails/{key.removeprefix(UPLOADS)}.jpg"


def _mark_of(there: Json) -> str:
    return str(there.get("Metadata", {}).get(_MARK, ""))


def _not_found(key: str) -> NotFound:
    return NotFound(f"There is no object {key!r}.", code="no-object")
