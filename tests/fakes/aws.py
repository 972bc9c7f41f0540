"""A bucket, queues and a topic that remember what they were given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from botocore.exceptions import ClientError

from chalicelib.errors import NotFound
from chalicelib.intake.multipart_uploads import SMALLEST_PART
from chalicelib.intake.objects import REKOGNITION, StoredObject, sidecar_key, thumbnail_key
from chalicelib.model import Json


class FakeObjects:
    """A bucket in memory; an ETag is the MD5 of the bytes, as S3 gives it to single uploads."""

    def __init__(self) -> None:
        self.bucket = "test-bucket"
        self.stored: dict[str, bytes] = {}
        self._sidecars: dict[str, Json] = {}
        self.before_look: Callable[[], None] = lambda: None
        self.thumbnails: dict[str, bytes] = {}
        self.modified: dict[str, float] = {}
        self.now: Callable[[], float] = lambda: 0.0
        self.reads: list[str] = []
        self.reached = 0
        self.marks: dict[str, tuple[str | None, str]] = {}

    @property
    def sidecars(self) -> dict[str, Json]:
        self.before_look()
        return self._sidecars

    def reach(self) -> None:
        self.reached += 1

    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        self.stored[key] = content
        self.modified[key] = float(int(self.now()))  # S3 tells whole seconds
        return self.etag(key) or ""

    def listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        for key in sorted(self.stored):
            if key.startswith(prefix):
                yield key, self.etag(key) or ""

    def etag(self, key: str) -> str | None:
        content = self.stored.get(key)
        return None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()

    def read(self, key: str, *, max_bytes: int) -> StoredObject:
        self.reads.append(key)
        etag = self.etag(key)
        if etag is None:
            raise NotFound(f"There is no object {key!r}.")
        content = self.stored[key]
        fits = content if len(content) <= max_bytes else None
        return StoredObject(fits, etag, len(content), self.modified.get(key, 0.0))

    def read_whole(self, key: str) -> bytes:
        return self.read(key, max_bytes=2**62).content or b""

    def write_sidecar(self, key: str, document: Json, words: str = "") -> None:
        self._sidecars[sidecar_key(key, words)] = document

    def delete(self, key: str) -> None:
        self.delete_original(key)
        self.delete_derived(key)

    def delete_original(self, key: str) -> None:
        self.stored.pop(key, None)

    def delete_derived(self, key: str) -> None:
        self.delete_sidecar(key)
        self.delete_thumbnail(key)

    def delete_sidecar(self, key: str) -> None:
        for words in ("", REKOGNITION):
            self._sidecars.pop(sidecar_key(key, words), None)

    def write_own(
        self, key: str, content: bytes, content_type: str, *, mark: str, own: Callable[[str], bool]
    ) -> bool:
        if key in self.stored and not own(self._mark(key)):
            return False
        self.put(key, content, content_type)
        self.marks[key] = (self.etag(key), mark)
        return True

    def delete_own(self, key: str, *, own: Callable[[str], bool]) -> None:
        if key in self.stored and own(self._mark(key)):
            self.delete_original(key)

    def _mark(self, key: str) -> str:
        """The mark of the object that lies there now, if it has one."""
        etag, mark = self.marks.get(key, (None, ""))
        return mark if etag == self.etag(key) else ""

    def write_thumbnail(self, key: str, content: bytes) -> None:
        self.thumbnails[thumbnail_key(key)] = content

    def move_thumbnail(self, key: str, to: str) -> None:
        if thumbnail_key(key) in self.thumbnails:
            self.write_thumbnail(to, self.thumbnails[thumbnail_key(key)])

    def delete_thumbnail(self, key: str) -> None:
        self.thumbnails.pop(thumbnail_key(key), None)


class FakeMultipartUploads:
    """Large objects of a fake bucket, put together as S3 does it: only the last part may be small."""

    def __init__(self, objects: FakeObjects, smallest_part: int = SMALLEST_PART) -> None:
        self._objects = objects
        self._begun: dict[str, dict[int, bytes]] = {}
        self.smallest_part = smallest_part

    def begin(self, key: str, content_type: str) -> str:
        self._begun[f"{key}?{len(self._begun)}"] = {}
        return list(self._begun)[-1]

    def add(self, key: str, upload_id: str, number: int, source: str) -> str:
        self._begun[upload_id][number] = self._objects.stored[source]
        return f"etag {number}"

    def finish(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        parts = self._begun[upload_id]
        assert etags == [f"etag {number}" for number in range(1, len(parts) + 1)]
        assert all(len(parts[number]) >= self.smallest_part for number in range(1, len(parts)))
        self._objects.put(key, b"".join(parts[number] for number in sorted(parts)))


class FakeSecrets:
    """AWS Secrets Manager: the secrets that it keeps, by name, and how often it was asked."""

    def __init__(self, **kept: str) -> None:
        self.kept = dict(kept)
        self.asked = 0

    def get_secret_value(self, *, SecretId: str) -> Json:  # noqa: N803 - boto3's name
        self.asked += 1
        if SecretId not in self.kept:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.kept[SecretId]}


class FakeParameters:
    """SSM Parameter Store: what it keeps by name, what each was encrypted with, and how often it was asked.

    While ``refused`` holds an error's code, every call is refused with it.
    """

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.asked = 0
        self.refused = ""

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Json:  # noqa: N803 - boto3's names
        self._answer("GetParameter")
        if Name not in self.kept:
            raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")
        return {"Parameter": {"Value": self.kept[Name] if WithDecryption else "encrypted"}}

    def put_parameter(self, *, Name: str, Value: str, Type: str, Description: str, KeyId: str = "") -> Json:  # noqa: N803
        self._answer("PutParameter")
        if Name in self.kept:
            raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")
        assert Type == "SecureString"
        self.kept[Name], self.keys[Name] = Value, KeyId
        return {"Version": 1}

    def _answer(self, operation: str) -> None:
        self.asked += 1
        if self.refused:
            raise ClientError({"Error": {"Code": self.refused}}, operation)


class FakeQueue:
    """A queue that keeps what is sent, with its delay, and which received messages are hidden and deleted.

    ``hidden`` is in how many seconds each is to come again, by receipt. ``waiting`` more messages wait that
    nobody has received.
    """

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self.delays: list[float] = []
        self.hidden: dict[str, float] = {}
        self.deleted: list[str] = []
        self.waiting = 0

    def hide(self, receipt: str, seconds: float) -> None:
        self.hidden[receipt] = seconds

    def delete(self, receipt: str) -> None:
        self.deleted.append(receipt)

    def backlog(self) -> int:
        return self.waiting + len(self.messages)

    def send(self, message: Json, *, delay: float = 0) -> None:
        self.messages.append(message)
        self.delays.append(delay)

    def send_many(self, messages: Sequence[Json]) -> None:
        for one in messages:
            self.send(one)


class FakeTopic:
    """A topic that keeps what is published."""

    def __init__(self) -> None:
        self._published: list[Json] = []
        self._attributes: list[Mapping[str, str | list[str]]] = []
        self.before_look: Callable[[], None] = lambda: None

    @property
    def published(self) -> list[Json]:
        self.before_look()
        return self._published

    @property
    def attributes(self) -> list[Mapping[str, str | list[str]]]:
        self.before_look()
        return self._attributes

    def publish_many(self, messages: Sequence[tuple[Json, Mapping[str, str | list[str]]]]) -> None:
        for message, attributes in messages:
            self._published.append(message)
            self._attributes.append(attributes)
