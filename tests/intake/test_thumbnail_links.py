"""Links to thumbnails: good as S3 reads them, and the same for as long as they can be."""

from __future__ import annotations

import dataclasses
import time
from calendar import timegm
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from chalicelib.ids import rfc3339
from chalicelib.intake.thumbnail_links import ThumbnailLinks
from chalicelib.model import Image
from tests.fakes.clock import Clock
from tests.fakes.services import FakeCredentials

STEP = 100
IMAGE = Image(
    id="1",
    owner="default",
    key="uploads/holiday/a b+c é&d~.jpg",
    status="labelled",
    filename="",
    created_at=rfc3339(0),
    completed_at=rfc3339(0),
    width=640,
    height=480,
)


def links(now: Any, seconds: int = 2 * STEP, **credentials: Any) -> ThumbnailLinks:
    signer = FakeCredentials(**credentials)
    return ThumbnailLinks(
        "https://images.s3.eu-west-1.amazonaws.com/", "eu-west-1", lambda: signer, now, seconds
    )


def asked_of(url: str | None) -> dict[str, list[str]]:
    assert url is not None
    return parse_qs(urlsplit(url).query)


@pytest.mark.parametrize("token", [None, "a token+/="])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_they_are_signed_as_botocore_signs_them(token: str | None, method: str) -> None:
    """At the same moment, as it can sign for no other than the present one."""
    session = boto3.Session("AKIDEXAMPLE", "a secret", token, region_name="eu-west-1")
    signed = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    key = "thumbnails/holiday/a b+c é&d~.jpg.jpg"
    params = {"Bucket": "images", "Key": key, "ResponseCacheControl": "private, max-age=2, immutable"}
    operation = f"{method.lower()}_object"
    theirs = session.client("s3", config=signed).generate_presigned_url(operation, params, ExpiresIn=2)
    at = timegm(time.strptime(asked_of(theirs)["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ"))
    ours = links(lambda: at, seconds=2, token=token).link(IMAGE, method)
    assert ours is not None
    assert asked_of(ours) == asked_of(theirs)
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]


def test_they_stay_the_same_for_half_their_life_and_are_open_for_the_other_half() -> None:
    clock = Clock()
    clock.forward(STEP - clock() % STEP)
    made = links(clock)
    first, step = made.link(IMAGE), made.step()
    clock.forward(STEP - 1)
    assert (made.link(IMAGE), made.step()) == (first, step)
    clock.forward(1)
    assert made.link(IMAGE) != first
    assert made.step() == step + STEP
    assert asked_of(first)["X-Amz-Expires"] == [str(2 * STEP)]


def test_a_thumbnail_made_anew_has_another_link_at_once() -> None:
    clock = Clock()
    made = links(clock)
    clock.forward(2 * STEP - 1 - clock() % STEP)
    again = dataclasses.replace(IMAGE, completed_at=rfc3339(clock()))
    assert made.link(again) != made.link(IMAGE)


def test_where_there_is_no_thumbnail_there_is_no_link() -> None:
    assert links(Clock()).link(dataclasses.replace(IMAGE, width=None)) is None
