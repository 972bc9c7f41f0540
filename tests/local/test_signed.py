"""The offline bucket takes what was signed and nothing else, as S3 does."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.intake.objects import ObjectStore
from local.aws import REGION, LocalAws

BUCKET = "signed-only"
KEY = "uploads/holiday/a b+c é&d~.jpg"
MOST = 100
FORM = "multipart/form-data"


@pytest.fixture(scope="module")
def s3(aws: LocalAws) -> Any:
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    client = boto3.client(
        "s3",
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=config,
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def store(s3: Any) -> ObjectStore:
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    return ObjectStore(s3, BUCKET, upload_seconds=60, download_seconds=60)


def late(s3: Any) -> ObjectStore:
    """Signs what has expired already."""
    return ObjectStore(s3, BUCKET, upload_seconds=-5, download_seconds=-5)


def stored(s3: Any, key: str = KEY) -> bytes | None:
    try:
        return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except ClientError:
        return None


def send(form: Any, content: bytes, **changed: str) -> requests.Response:
    fields = {**form["fields"], **changed}
    return requests.post(form["url"], data=fields, files={"file": ("a.jpg", content)}, timeout=30)


def assert_refused(reply: requests.Response, status: int, code: str) -> None:
    assert (reply.status_code, reply.headers["Content-Type"].partition(";")[0]) == (status, "application/xml")
    assert f"<Code>{code}</Code>" in reply.text


class TestAddresses:
    def test_a_signed_address_takes_one_object_and_gives_it_back(self, store: ObjectStore, s3: Any) -> None:
        assert requests.put(store.presigned_put(KEY), data=b"bytes", timeout=30).status_code == 200
        link = store.presigned_get(KEY, filename="ä b.jpg", content_type="image/jpeg")
        reply = requests.get(link, timeout=30)
        assert (reply.content, reply.headers["Content-Type"]) == (b"bytes", "image/jpeg")
        assert reply.headers["Content-Disposition"].startswith("inline")

    def test_an_address_for_head_answers_head_alone(self, store: ObjectStore) -> None:
        store.put(KEY, b"bytes")
        link = store.presigned_get(KEY, filename="a", content_type="image/jpeg", head=True)
        reply = requests.head(link, timeout=30)
        assert (reply.status_code, reply.headers["Content-Length"]) == (200, "5")
        assert_refused(requests.get(link, timeout=30), 403, "SignatureDoesNotMatch")

    def test_it_is_bound_to_its_key(self, store: ObjectStore, s3: Any) -> None:
        url = store.presigned_put(KEY).replace("holiday", "stolen")
        assert_refused(requests.put(url, data=b"x", timeout=30), 403, "SignatureDoesNotMatch")
        assert stored(s3, KEY.replace("holiday", "stolen")) is None

    @pytest.mark.parametrize("method", ["DELETE", "GET"])
    def test_it_is_bound_to_its_method(self, store: ObjectStore, s3: Any, method: str) -> None:
        store.put(KEY, b"bytes")
        assert_refused(
            requests.request(method, store.presigned_put(KEY), timeout=30), 403, "SignatureDoesNotMatch"
        )
        assert stored(s3) == b"bytes"

    def test_a_link_gives_no_other_type_than_it_was_made_for(self, store: ObjectStore) -> None:
        store.put(KEY, b"<script>")
        link = store.presigned_get(KEY, filename="a", content_type="image/jpeg")
        changed = link.replace("image%2Fjpeg", "text%2Fhtml")
        assert changed != link
        assert_refused(requests.get(changed, timeout=30), 403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("content_type", ["application/octet-stream", "text/csv", "text/html"])
    def test_what_is_no_picture_is_never_shown_inline(self, store: ObjectStore, content_type: str) -> None:
        store.put(KEY, b"bytes")
        reply = requests.get(store.presigned_get(KEY, filename="a", content_type=content_type), timeout=30)
        assert reply.headers["Content-Disposition"].startswith("attachment")

    def test_it_expires(self, s3: Any, store: ObjectStore) -> None:
        reply = requests.put(late(s3).presigned_put(KEY), data=b"x", timeout=30)
        assert_refused(reply, 403, "AccessDenied")
        assert stored(s3) is None

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
    def test_nothing_goes_without_a_signature(self, store: ObjectStore, s3: Any, method: str) -> None:
        store.put(KEY, b"bytes")
        url = store.presigned_put(KEY).partition("?")[0]
        assert_refused(requests.request(method, url, data=b"x", timeout=30), 403, "AccessDenied")
        assert stored(s3) == b"bytes"


class TestForms:
    @pytest.mark.parametrize("size", [1, MOST])
    def test_a_form_takes_what_its_policy_allows(self, store: ObjectStore, s3: Any, size: int) -> None:
        assert send(store.presigned_form(KEY, max_bytes=MOST), b"x" * size).status_code == 204
        assert stored(s3) == b"x" * size

    @pytest.mark.parametrize(("size", "code"), [(MOST + 1, "EntityTooLarge"), (0, "EntityTooSmall")])
    def test_sizes_out_of_range_are_refused(self, store: ObjectStore, s3: Any, size: int, code: str) -> None:
        assert_refused(send(store.presigned_form(KEY, max_bytes=MOST), b"x" * size), 400, code)
        assert stored(s3) is None

    @pytest.mark.parametrize(
        "changed",
        [
            {"key": "uploads/other"},
            {"Content-Type": "text/html"},
            {"acl": "public-read"},
            {"x-amz-meta-a": "b"},
        ],
    )
    def test_no_field_may_differ_or_be_added(
        self, store: ObjectStore, s3: Any, changed: dict[str, str]
    ) -> None:
        reply = send(store.presigned_form(KEY, max_bytes=MOST), b"x", **changed)
        assert_refused(reply, 403, "AccessDenied")
        assert stored(s3) is None
        assert stored(s3, "uploads/other") is None

    def test_a_policy_of_ones_own_needs_the_secret(self, store: ObjectStore, s3: Any) -> None:
        form = store.presigned_form(KEY, max_bytes=MOST)
        policy = json.loads(base64.b64decode(form["fields"]["policy"]))
        policy["conditions"] = [
            ["content-length-range", 1, 10**9] if "content-length-range" in one else one
            for one in policy["conditions"]
        ]
        forged = base64.b64encode(json.dumps(policy).encode()).decode()
        assert_refused(send(form, b"x" * 2 * MOST, policy=forged), 403, "SignatureDoesNotMatch")
        assert stored(s3) is None

    def test_it_expires(self, s3: Any, store: ObjectStore) -> None:
        assert_refused(send(late(s3).presigned_form(KEY, max_bytes=MOST), b"x"), 403, "AccessDenied")
        assert stored(s3) is None

    def test_a_form_without_a_policy_is_refused(self, store: ObjectStore, s3: Any) -> None:
        form = {"url": store.presigned_form(KEY, max_bytes=MOST)["url"], "fields": {"key": KEY}}
        assert_refused(send(form, b"x"), 403, "AccessDenied")
        assert stored(s3) is None
