"""The offline bucket takes what was signed and nothing else, as S3 does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import boto3
import pytest
import requests
from botocore import auth, signers
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.intake.objects import ObjectStore
from local.loopback import REGION
from local.moto_server import LocalAws

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


@pytest.fixture
def signed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Has the clock that things are signed by differ from the bucket's by so many seconds."""

    def set_clock(seconds: float) -> None:
        def moment(remove_tzinfo: bool = True) -> datetime:
            now = datetime.now(UTC) + timedelta(seconds=seconds)
            return now.replace(tzinfo=None) if remove_tzinfo else now

        for module in (auth, signers):
            monkeypatch.setattr(module, "get_current_datetime", moment)

    return set_clock


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

    @pytest.mark.parametrize("content", [b"1234", b"12345", b"123456"])
    def test_one_for_so_many_bytes_takes_no_more_and_no_less(
        self, store: ObjectStore, s3: Any, content: bytes
    ) -> None:
        reply = requests.put(store.presigned_put(KEY, size=5), data=content, timeout=30)
        if len(content) == 5:
            assert (reply.status_code, stored(s3)) == (200, content)
        else:
            assert_refused(reply, 403, "SignatureDoesNotMatch")
            assert stored(s3) is None

    def test_one_for_so_many_bytes_takes_nothing_in_chunks(self, store: ObjectStore, s3: Any) -> None:
        reply = requests.put(store.presigned_put(KEY, size=5), data=iter([b"x" * 500]), timeout=30)
        assert_refused(reply, 403, "SignatureDoesNotMatch")
        assert stored(s3) is None

    def test_one_for_a_type_takes_no_other(self, store: ObjectStore, s3: Any) -> None:
        url = store.presigned_put(KEY, content_type="image/png")
        for sent in ({}, {"Content-Type": "text/html"}):
            assert_refused(
                requests.put(url, data=b"x", headers=sent, timeout=30), 403, "SignatureDoesNotMatch"
            )
        headers = {"Content-Type": "image/png"}
        assert requests.put(url, data=b"x", headers=headers, timeout=30).status_code == 200

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

    @pytest.mark.parametrize("seconds", [-61, 901])
    def test_it_expires_and_does_not_come_from_the_future(
        self, s3: Any, store: ObjectStore, signed_at: Callable[[float], None], seconds: float
    ) -> None:
        signed_at(seconds)
        url = store.presigned_put(KEY)
        signed_at(0)
        assert_refused(requests.put(url, data=b"x", timeout=30), 403, "AccessDenied")
        assert stored(s3) is None

    @pytest.mark.parametrize("seconds", [-50, 890])
    def test_a_clock_may_differ_a_little(
        self, s3: Any, store: ObjectStore, signed_at: Callable[[float], None], seconds: float
    ) -> None:
        signed_at(seconds)
        assert requests.put(store.presigned_put(KEY), data=b"x", timeout=30).status_code == 200

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA1"),
            ("X-Amz-Date", "yesterday"),
            ("X-Amz-Date", "20200101T000000Z"),  # another day than its credential's
            ("X-Amz-Expires", "604801"),
            ("X-Amz-Expires", "-1"),
            ("X-Amz-Expires", "soon"),
            ("X-Amz-Credential", "local"),
            ("X-Amz-SignedHeaders", ""),
            ("X-Amz-SignedHeaders", None),
            ("X-Amz-Date", None),
        ],
    )
    def test_what_is_not_put_together_as_it_should_be_is_refused(
        self, store: ObjectStore, s3: Any, name: str, value: str | None
    ) -> None:
        address, _, query = store.presigned_put(KEY).partition("?")
        changed = [(one, value if one == name else was) for one, was in parse_qsl(query)]
        url = f"{address}?{urlencode([pair for pair in changed if pair[1] is not None])}"
        assert_refused(requests.put(url, data=b"x", timeout=30), 400, "AuthorizationQueryParametersError")
        assert stored(s3) is None

    @pytest.mark.parametrize("name", ["x-amz-copy-source", "X-Amz-Meta-Owner", "x-amz-tagging"])
    def test_no_header_of_s3s_own_goes_unsigned(self, store: ObjectStore, s3: Any, name: str) -> None:
        theirs = "uploads/~bob/theirs.jpg"
        store.put(theirs, b"secret")
        headers = {name: f"/{BUCKET}/{theirs}"}
        reply = requests.put(store.presigned_put(KEY), headers=headers, timeout=30)
        assert_refused(reply, 403, "AccessDenied")
        assert name.lower() in reply.text
        assert stored(s3) is None

    def test_one_way_to_sign_is_enough(self, store: ObjectStore, s3: Any) -> None:
        """Else any Authorization header would open what an address does not."""
        headers = {"Authorization": "AWS4-HMAC-SHA256 x", "x-amz-copy-source": f"/{BUCKET}/uploads/theirs"}
        reply = requests.put(store.presigned_put(KEY), headers=headers, timeout=30)
        assert_refused(reply, 400, "InvalidArgument")

    @pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
    def test_what_comes_as_a_form_is_stored_as_it_is(self, store: ObjectStore, s3: Any, kind: str) -> None:
        """As ``curl --data-binary`` sends a photo."""
        content = b"\xff\xd8a=1&b=%20+"
        reply = requests.put(
            store.presigned_put(KEY), data=content, headers={"Content-Type": kind}, timeout=30
        )
        assert reply.status_code == 200
        assert stored(s3) == content

    def test_what_comes_in_chunks_is_stored_whole(self, store: ObjectStore, s3: Any) -> None:
        reply = requests.put(store.presigned_put(KEY), data=iter([b"one", b"two"]), timeout=30)
        assert reply.status_code == 200
        assert stored(s3) == b"onetwo"

    @pytest.mark.parametrize("seconds", [-901, 901])
    def test_an_sdk_whose_clock_is_off_is_told(
        self, s3: Any, store: ObjectStore, signed_at: Callable[[float], None], seconds: float
    ) -> None:
        signed_at(seconds)
        with pytest.raises(ClientError, match="RequestTimeTooSkewed"):
            s3.list_objects_v2(Bucket=BUCKET)

    def test_nobody_tells_moto_itself_what_to_do(self, aws: LocalAws) -> None:
        assert requests.post(f"{aws.url}/moto-api/reset", timeout=30).status_code == 403

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

    @pytest.mark.parametrize(("size", "status"), [(4, 400), (5, 204), (6, 400)])
    def test_one_for_so_many_bytes_takes_no_more_and_no_less(
        self, store: ObjectStore, s3: Any, size: int, status: int
    ) -> None:
        form = store.presigned_form(KEY, max_bytes=MOST, size=5, content_type="image/png")
        assert form["fields"]["Content-Type"] == "image/png"
        assert send(form, b"x" * size).status_code == status
        assert (stored(s3) is None) == (status == 400)

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

    @pytest.mark.parametrize("seconds", [-61, 901, -8 * 24 * 3600])
    def test_it_expires_and_does_not_come_from_the_future(
        self, s3: Any, store: ObjectStore, signed_at: Callable[[float], None], seconds: float
    ) -> None:
        signed_at(seconds)
        long = ObjectStore(s3, BUCKET, upload_seconds=60 if seconds > -99 else 10**8, download_seconds=60)
        assert_refused(send(long.presigned_form(KEY, max_bytes=MOST), b"x"), 403, "AccessDenied")
        assert stored(s3) is None

    def test_the_file_is_the_last_field(self, store: ObjectStore, s3: Any) -> None:
        form = store.presigned_form(KEY, max_bytes=MOST)
        for after in ({"x-amz-meta-late": "x"}, {"key": form["fields"]["key"]}):
            before = {name: value for name, value in form["fields"].items() if name not in after}
            parts = [*before.items(), ("file", ("a.jpg", b"x")), *after.items()]
            reply = requests.post(
                form["url"],
                files=[(name, value if name == "file" else (None, value)) for name, value in parts],
                timeout=30,
            )
            assert_refused(reply, 400, "InvalidArgument")
        assert stored(s3) is None

    def test_no_field_comes_twice(self, store: ObjectStore, s3: Any) -> None:
        form = store.presigned_form(KEY, max_bytes=MOST)
        parts = [("key", "uploads/other"), *form["fields"].items(), ("file", ("a.jpg", b"x"))]
        files = [(name, value if name == "file" else (None, value)) for name, value in parts]
        assert_refused(requests.post(form["url"], files=files, timeout=30), 400, "InvalidArgument")
        assert stored(s3, "uploads/other") is None

    def test_what_is_no_form_is_refused(self, store: ObjectStore) -> None:
        url = store.presigned_form(KEY, max_bytes=MOST)["url"]
        headers = {"Content-Type": f"{FORM}; boundary=x"}
        reply = requests.post(url, data=b"--x\r\nnonsense", headers=headers, timeout=30)
        assert_refused(reply, 400, "MalformedPOSTRequest")

    def test_a_form_without_a_policy_is_refused(self, store: ObjectStore, s3: Any) -> None:
        form = {"url": store.presigned_form(KEY, max_bytes=MOST)["url"], "fields": {"key": KEY}}
        assert_refused(send(form, b"x"), 403, "AccessDenied")
        assert stored(s3) is None
