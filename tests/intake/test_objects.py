"""One contract for the bucket, held by the fake and by S3 as moto emulates it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from chalicelib.errors import NotFound
from chalicelib.intake.objects import ObjectStore, is_litter, sidecar_key, thumbnail_key
from tests.fakes.aws import FakeObjects

KEY = "uploads/holiday/a b+c é&d.jpg"


@pytest.fixture
def s3(aws_credentials: None) -> Iterator[Any]:
    with mock_aws():
        signed = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        client = boto3.client("s3", region_name="eu-west-1", config=signed)
        client.create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.fixture
def real(s3: Any) -> ObjectStore:
    return ObjectStore(s3, "images", upload_seconds=60, download_seconds=60)


@pytest.fixture(params=["fake", "moto"])
def objects(request: pytest.FixtureRequest) -> Any:
    return FakeObjects() if request.param == "fake" else request.getfixturevalue("real")


class TestObjects:
    def test_what_is_put_is_read_with_its_etag_and_size(self, objects: Any) -> None:
        objects.put(KEY, b"bytes")
        stored = objects.read(KEY, max_bytes=5)
        etag = hashlib.md5(b"bytes", usedforsecurity=False).hexdigest()
        assert (stored.content, stored.size, stored.etag) == (b"bytes", 5, etag)

    def test_more_bytes_than_asked_for_are_counted_and_not_read(self, objects: Any) -> None:
        objects.put(KEY, b"bytes")
        stored = objects.read(KEY, max_bytes=4)
        assert (stored.content, stored.size) == (None, 5)

    def test_what_is_not_there_is_not_found(self, objects: Any) -> None:
        with pytest.raises(NotFound):
            objects.read(KEY, max_bytes=5)

    def test_deleting_takes_the_sidecar_along_and_may_be_repeated(self, objects: Any) -> None:
        objects.put(KEY, b"bytes")
        objects.write_sidecar(KEY, {"id": "1"})
        objects.delete(KEY)
        objects.delete(KEY)
        with pytest.raises(NotFound):
            objects.read(KEY, max_bytes=5)

    def test_what_is_written_as_our_own_is_never_written_over_what_is_not(self, objects: Any) -> None:
        def write(content: bytes) -> bool:
            return bool(objects.write_own(f"{KEY}.xmp", content, "text/xml", mark="us", own="us".__eq__))

        assert (write(b"1"), write(b"22")) == (True, True)
        objects.put(f"{KEY}.xmp", b"somebody else's")
        assert write(b"333") is False
        objects.delete_own(f"{KEY}.xmp", own="us".__eq__)
        assert objects.read(f"{KEY}.xmp", max_bytes=99).content == b"somebody else's"
        objects.delete_original(f"{KEY}.xmp")
        assert write(b"333") is True
        objects.delete_own(f"{KEY}.xmp", own="them".__eq__)
        assert objects.etag(f"{KEY}.xmp")
        objects.delete_own(f"{KEY}.xmp", own="us".__eq__)
        assert objects.etag(f"{KEY}.xmp") is None


@pytest.mark.parametrize("there", [True, False])
def test_what_somebody_puts_there_at_the_same_moment_stays(
    s3: Any, real: ObjectStore, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        real.write_own(KEY, b"1", "text/xml", mark="us", own=bool)
    looked = real._head

    def meanwhile(key: str) -> Any:
        found = looked(key)
        s3.put_object(Bucket="images", Key=key, Body=b"theirs")
        return found

    monkeypatch.setattr(real, "_head", meanwhile)
    assert real.write_own(KEY, b"22", "text/xml", mark="us", own=bool) is False
    assert s3.get_object(Bucket="images", Key=KEY)["Body"].read() == b"theirs"


def test_the_sidecar_lies_under_metadata_by_the_same_key_and_is_plain_json(
    s3: Any, real: ObjectStore
) -> None:
    real.write_sidecar(KEY, {"filename": "é"})
    assert sidecar_key(KEY) == "metadata/holiday/a b+c é&d.jpg.json"
    assert json.loads(s3.get_object(Bucket="images", Key=sidecar_key(KEY))["Body"].read()) == {
        "filename": "é"
    }


def test_the_thumbnail_lies_under_thumbnails_by_the_same_key_and_goes_with_the_object(
    s3: Any, real: ObjectStore
) -> None:
    real.put(KEY, b"bytes")
    real.write_thumbnail(KEY, b"a small JPEG")
    assert thumbnail_key(KEY) == "thumbnails/holiday/a b+c é&d.jpg.jpg"
    stored = s3.get_object(Bucket="images", Key=thumbnail_key(KEY))
    assert (stored["Body"].read(), stored["ContentType"]) == (b"a small JPEG", "image/jpeg")
    real.delete(KEY)
    assert "Contents" not in s3.list_objects_v2(Bucket="images")


def test_what_was_made_of_an_object_can_go_without_it(s3: Any, real: ObjectStore) -> None:
    real.put(KEY, b"bytes")
    real.write_thumbnail(KEY, b"a small JPEG")
    real.write_sidecar(KEY, {})
    real.delete_thumbnail(KEY)
    real.delete_derived(KEY)
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="images")["Contents"]] == [KEY]


def test_signed_urls_name_the_buckets_own_region_so_that_no_redirect_breaks_them(real: ObjectStore) -> None:
    assert real.presigned_put("uploads/x").startswith("https://images.s3.eu-west-1.amazonaws.com/uploads/x?")
    assert real.presigned_form("uploads/x", max_bytes=9)["url"].startswith("https://images.s3.eu-west-1.")


def test_the_form_caps_the_size_and_fixes_the_key(real: ObjectStore) -> None:
    import base64

    form = real.presigned_form("uploads/x", max_bytes=9)
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", 1, 9] in policy["conditions"]
    assert {"key": "uploads/x"} in policy["conditions"]


@pytest.mark.parametrize(
    ("key", "litter"),
    [
        ("uploads/holiday/", True),
        ("uploads/.DS_Store", True),
        ("uploads/holiday/.DS_Store", True),
        ("uploads/holiday/._cat.jpg", True),
        ("uploads/Thumbs.db", True),
        ("uploads/holiday/Desktop.ini", True),
        ("uploads/holiday_$folder$", True),
        ("uploads/cat.jpg", False),
        ("uploads/.hidden.jpg", False),
        ("uploads/my thumbs.db.jpg", False),
        ("uploads/~anna/01JCX000000000000000000001", False),
    ],
)
def test_what_computers_leave_in_folders_is_told_by_its_name(key: str, litter: bool) -> None:
    assert is_litter(key) is litter
