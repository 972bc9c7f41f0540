"""The services as the API needs them, in memory."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import UnusableUrl
from chalicelib.intake.source_buckets import Sources
from chalicelib.intake.thumbnail_links import ThumbnailLinks
from chalicelib.library.record import Outcome
from chalicelib.model import Failure, Image, Json, Label, Model
from chalicelib.outbound.response import Headers, Reply
from tests.fakes.aws import FakeMultipartUploads, FakeObjects
from tests.fakes.world import World

BUCKET_URL = "https://test-bucket.s3.eu-west-1.amazonaws.com"


class FakeBucket(FakeObjects):
    """A bucket that signs links and gives sidecars back."""

    def address(self) -> str:
        return f"{BUCKET_URL}/"

    def presigned_put(self, key: str, *, size: int | None = None, content_type: str | None = None) -> str:
        signed = "".join(f"&{one}" for one in (size, content_type) if one)
        return f"{BUCKET_URL}/{key}?X-Amz-Signature=put{signed}"

    def presigned_form(
        self, key: str, *, max_bytes: int, size: int | None = None, content_type: str | None = None
    ) -> Json:
        return {"url": f"{BUCKET_URL}/", "fields": {"key": key, "policy": f"at most {size or max_bytes}"}}

    def presigned_get(self, key: str, *, filename: str, content_type: str, head: bool = False) -> str:
        method = "head" if head else "get"
        return f"{BUCKET_URL}/{key}?X-Amz-Signature={method}&name={filename}&type={content_type}"


@dataclasses.dataclass(frozen=True)
class FakeCredentials:
    """A role's, as a function has them."""

    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "a secret"
    token: str | None = "a token+/="


class FakeOutbound:
    """The internet: knows what lies behind some URLs, refuses private ones, remembers what was posted."""

    def __init__(self, pages: Mapping[str, bytes] | None = None) -> None:
        self.pages = dict(pages or {})
        self.posted: list[tuple[str, bytes]] = []

    def check(self, url: str, *, deadline: float = 5.0) -> None:
        if not url.startswith(("http://", "https://")) or "127.0.0.1" in url:
            raise UnusableUrl("The address may not be used.")

    def get(self, url: str, *, max_bytes: int, deadline: float) -> Reply:
        self.check(url)
        if url not in self.pages:
            raise UnusableUrl("The address may not be used.")
        return Reply(200, Headers(), self.pages[url])

    def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline: float, max_bytes: int = 65_536
    ) -> Reply:
        self.check(url)
        self.posted.append((url, body))
        return Reply(204, Headers(), b"")


class FakeS3:
    """As much of S3 as a job of the API's needs: lists in the one bucket that there is."""

    def __init__(self, objects: FakeObjects) -> None:
        self._objects = objects

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> Json:  # noqa: N803
        return {"ETag": f'"{self._objects.put(Key, Body)}"'}

    def head_object(self, *, Bucket: str, Key: str) -> Json:  # noqa: N803
        if Key not in self._objects.stored:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {"ContentLength": len(self._objects.stored[Key]), "ETag": self._objects.etag(Key)}

    def get_object(self, *, Bucket: str, Key: str, Range: str, IfMatch: str) -> Json:  # noqa: N803
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self._objects.stored[Key][first : last + 1])}


class FakeServices(World):
    """A world that the API can work with: its bucket signs links, and there is an internet."""

    def __init__(self, **environment: str) -> None:
        super().__init__(**environment)
        self.objects: FakeBucket = FakeBucket()
        self.objects.before_look = self.project
        self.objects.now = self.clock
        self.multipart_uploads = FakeMultipartUploads(self.objects)
        self.sources = Sources(FakeS3(self.objects), "test-bucket")
        self.outbound = FakeOutbound()
        self.credentials = FakeCredentials()
        seconds = self.settings.thumbnail_expires_seconds
        self.thumbnails = ThumbnailLinks(
            self.objects.address(), "eu-west-1", lambda: self.credentials, self.clock, seconds
        )

    def label(self, image_id: str, *labels: Label, **rest: Any) -> Image:
        """Let an image be labelled, as the labeler would, sidecar included."""
        return self._finish(
            image_id,
            status="labelled",
            labels=labels,
            content_type="image/jpeg",
            width=640,
            height=480,
            model=Model("fake", "1"),
            **rest,
        )

    def fail(self, image_id: str, code: str, detail: str) -> Image:
        """Let an image turn out to be unusable."""
        return self._finish(image_id, status="failed", error=Failure(code, detail))

    def _finish(self, image_id: str, **changes: object) -> Image:
        record = self.images.find("default", image_id)
        assert record is not None, f"there is no image {image_id}"
        claimed = self.images.claim(record, record.image)
        image = dataclasses.replace(record.image, result=record.image.result + 1, **changes)  # type: ignore[arg-type]
        done = self.images.finish(claimed, Outcome(image)).image
        self.project()
        if done.width:
            self.objects.write_thumbnail(done.key, b"a small JPEG")
        return done
