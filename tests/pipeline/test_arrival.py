"""How an image comes in: its record first, so that nothing that arrives is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import UnusableUrl
from chalicelib.model import NewImage
from chalicelib.outbound import Reply
from tests.fakes.world import CAT, World


class FakeWeb:
    """Answers every GET the same."""

    def __init__(self, status: int, body: bytes) -> None:
        self._reply = Reply(status, {}, body)

    def get(self, url: str, *, max_bytes: int, deadline: float) -> Reply:
        return self._reply


def fetch(world: Any, url: str = "https://photos.example/a%20b/c%C3%A9.jpg?x=1", **about: Any) -> Any:
    return pipeline.fetch_and_take_in(url, NewImage(**about), "default", world)


def test_a_fetched_photo_is_stored_and_called_what_its_url_calls_it() -> None:
    world: Any = World()
    world.outbound = FakeWeb(200, CAT)
    image = fetch(world)
    assert (image.status, image.filename) == ("labelling", "cé.jpg")
    assert world.objects.stored == {image.key: CAT}
    assert fetch(world, filename="mine.jpg").filename == "mine.jpg"


@pytest.mark.parametrize(("status", "body"), [(404, b"<h1>gone</h1>"), (204, b""), (200, b""), (302, b"x")])
def test_an_answer_that_is_no_photo_is_refused_and_leaves_nothing(status: int, body: bytes) -> None:
    world: Any = World()
    world.outbound = FakeWeb(status, body)
    with pytest.raises(UnusableUrl) as refused:
        fetch(world)
    assert refused.value.code == "url-not-a-photo"
    assert world.objects.stored == {}
    assert world.listed() == ()


def test_an_announced_upload_waits_in_the_list() -> None:
    world: Any = World()
    image = pipeline.await_upload(NewImage(filename="x.jpg", metadata={"a": "b"}), "default", world)
    (listed,) = world.listed()
    assert listed == image
    assert (listed.status, listed.filename, dict(listed.metadata)) == ("awaiting_upload", "x.jpg", {"a": "b"})
