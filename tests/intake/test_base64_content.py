"""Images in JSON strings."""

from __future__ import annotations

import base64

import pytest

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.intake.base64_content import MAX_BYTES, decode

PHOTO = bytes(range(256))
ENCODED = base64.b64encode(PHOTO).decode()


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "data:image/jpeg;base64,",
        "data:;base64,",
        "DATA:IMAGE/PNG;BASE64,",
        "data:image/svg+xml;charset=utf-8;base64,",
    ],
)
def test_base64_is_decoded_with_or_without_a_data_url(prefix: str) -> None:
    assert decode(prefix + ENCODED) == PHOTO


@pytest.mark.parametrize("written", [base64.encodebytes(PHOTO).decode(), ENCODED.replace("A", "A\r\n")])
def test_line_breaks_are_passed_over(written: str) -> None:
    assert "\n" in written
    assert decode(written) == PHOTO
    assert decode("data:image/jpeg;base64," + written) == PHOTO


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-content"),
        ("data:image/png;base64,", "empty-content"),
        (ENCODED[:-1], "bad-base64"),
        (ENCODED + "=", "bad-base64"),
        (ENCODED + "====", "bad-base64"),
        (ENCODED + " ", "bad-base64"),
        ("AAAA=", "bad-base64"),
        ("AAAA====", "bad-base64"),
        ("\r\n", "empty-content"),
        (ENCODED.replace("+", "-").replace("/", "_"), "bad-base64"),
        ("é", "bad-base64"),
        ("data:image/png," + ENCODED, "bad-data-url"),
        ("data:image/png;base64" + ENCODED, "bad-data-url"),
        ("data:" + "x" * 1000 + ";base64," + ENCODED, "bad-data-url"),
    ],
)
def test_what_is_no_base64_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(text)
    assert refused.value.code == code


def test_the_largest_image_is_taken_and_one_byte_more_is_not() -> None:
    assert len(decode(base64.b64encode(bytes(MAX_BYTES)).decode())) == MAX_BYTES
    with pytest.raises(TooLarge, match=r"POST \{\} to /images"):
        decode(base64.b64encode(bytes(MAX_BYTES + 1)).decode())
