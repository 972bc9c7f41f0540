"""What a visit costs: each call of the API is a function that runs, so there are few."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from playwright.sync_api import BrowserContext, Page, Route, expect

from chalicelib.ids import first_id_of, rfc3339
from chalicelib.intake.objects import ObjectStore
from chalicelib.library.images import Images
from chalicelib.library.record import key_for
from chalicelib.model import Image, Model
from chalicelib.table import Table
from local.config import Ports, environment
from tests.browser.conftest import Watch
from tests.browser.pages import CAT, Photos
from tests.journeys.conftest import eventually
from tests.local.process import Process

MANY = 50
NAME = "visited"
LONG_AGO_MS = 1_500_000_000_000
NEVER = 4_000_000_000.0  # the sweep has nothing to do with them
COLD = ["/", "/images", "/labels", "/page/…/icon.svg", "/page/…/main.css", "/page/…/main.js"]
WARM = ["/", "/images", "/labels"]
LINKS = "() => [...document.querySelectorAll('.tile img')].map((one) => one.src)"
# Looking for news some seconds later is no part of a visit, however long that takes here.
NO_NEWS = """
const soon = window.setTimeout;
window.setTimeout = (call, wait, ...values) => (wait > 5000 ? 0 : soon(call, wait, ...values));
"""
ALL_THERE = f"() => document.querySelectorAll('.tile img.there').length === {MANY}"


class Wire:
    """Notes what goes over the network, and not what a browser has kept."""

    def __init__(self, context: BrowserContext, photos: Photos) -> None:
        self._asked: dict[str, str] = {}
        session = context.new_cdp_session(photos.window)
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.requestServedFromCache", lambda event: self._asked.pop(event["requestId"], None))
        session.on("Network.responseReceived", self._received)
        session.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        self._asked[event["requestId"]] = event["request"]["url"]

    def _received(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._asked.pop(event["requestId"], None)

    def paths(self, port: int) -> list[str]:
        """The paths that were asked for at a port since the last time, sorted."""
        parts = [urlsplit(url) for url in self._asked.values()]
        return sorted(re.sub("[0-9a-f]{16}", "…", one.path) for one in parts if one.port == port)

    def forget(self) -> None:
        self._asked.clear()


@pytest.fixture(scope="module")
def url(stack: Process) -> str:
    """The page with fifty photos, found by their name; so old that they are last everywhere else."""
    written = environment(Ports(stack.ports[1], stack.ports[2], stack.ports[0]))
    variables = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL")
    region, key, secret, endpoint = (written[one] for one in variables)
    session = boto3.Session(key, secret, region_name=region)
    objects = ObjectStore(
        session.client("s3", endpoint_url=endpoint), written["BUCKET"], upload_seconds=1, download_seconds=1
    )
    table = Table(session.client("dynamodb", endpoint_url=endpoint), written["TABLE"])
    images, thumbnail = Images(table, lambda: NEVER), CAT.read_bytes()
    for at in range(MANY):
        image = images.create(old_photo(at)).image
        objects.write_thumbnail(image.key, thumbnail)
    page = f"http://127.0.0.1:{stack.ports[0]}/"
    asked = {"q": f"filename:{NAME}", "limit": MANY}
    eventually(lambda: len(requests.get(f"{page}images", asked, timeout=30).json()["images"]) == MANY)
    return f"{page}?q=filename:{NAME}"


def old_photo(at: int) -> Image:
    made = first_id_of(LONG_AGO_MS + at)
    then = rfc3339(LONG_AGO_MS / 1000)
    return Image(
        id=made,
        owner="default",
        key=key_for("default", made),
        status="labelled",
        filename=f"{NAME} {at}.jpg",
        created_at=then,
        completed_at=then,
        content_type="image/jpeg",
        size=1000 + at,
        width=451,
        height=300,
        model=Model("made up", "1"),
        result=1,
    )


def visit(photos: Photos, url: str) -> None:
    photos.window.goto(url)
    photos.window.wait_for_function(ALL_THERE)
    expect(
        photos.window.get_by_role("group", name="Frequent labels").get_by_role("button").first
    ).to_be_visible()


def test_a_visit_makes_a_handful_of_calls_and_takes_thumbnails_from_the_bucket(
    own_profile: None, window: Page, context: BrowserContext, stack: Process, url: str
) -> None:
    api, bucket, _ = stack.ports
    window.set_viewport_size({"width": 1280, "height": 6000})  # all of them are in sight
    photos = Photos(window, url)
    window.add_init_script(NO_NEWS)
    wire = Wire(context, photos)

    visit(photos, url)
    assert set(wire.paths(api)) <= set(COLD)
    assert len(wire.paths(api)) <= len(COLD)
    assert len(wire.paths(bucket)) == MANY

    before = None
    while before != (before := window.evaluate(LINKS)):  # again where the time of signing has just moved on
        wire.forget()
        visit(photos, url)
    assert wire.paths(api) == WARM
    assert wire.paths(bucket) == []


def test_a_link_that_is_too_old_is_asked_for_anew(window: Page, watch: Watch, url: str) -> None:
    watch.allow("403")

    def outdated(route: Route) -> None:
        images = requests.get(route.request.url, timeout=30).json()
        for one in images["images"]:
            one["thumbnail_url"] += "0"  # as good as outdated: the bucket refuses it
        route.fulfill(json=images)

    window.route(re.compile(r"/images\?"), outdated)
    photos = Photos(window, url)
    photos.open()
    painted = photos.tiles.locator("img.there").first
    assert painted.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
