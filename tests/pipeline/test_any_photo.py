"""A folder of photos of every kind, and of files of every kind that are none, is put into the bucket."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from chalicelib import pipeline
from chalicelib.errors import RecogniserRefused
from chalicelib.model import Box, Location, Photo
from chalicelib.recognition.onnx import OnnxRecogniser
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World, s3_event
from tests.intake.corpus import BAD, CHELSEA, GOOD, cat, turned
from tests.intake.pictures import saved

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # remarks on damaged TIFFs
MODELS = Path(__file__).parents[2] / "models"


def pixels(content: bytes) -> bytes:
    with Image.open(BytesIO(content)) as image:
        return image.tobytes()


def dropped(world: World, name: str, content: bytes) -> None:
    pipeline.label_or_leave(s3_event(world.drop(f"uploads/{name}", content)), world)
    assert world.uploads_queue.messages == [], "it would be tried again"


def small(world: World, name: str) -> Image.Image:
    with Image.open(BytesIO(world.objects.thumbnails[f"thumbnails/{name}.jpg"])) as image:
        image.load()
        return image


def given(photo: Photo) -> Image.Image:
    """What the recogniser saw, opened as anybody would open it."""
    with Image.open(BytesIO(photo.content)) as image:
        image.load()
        return image


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_every_photo_is_labelled_and_has_a_thumbnail(name: str) -> None:
    world = World(RECOGNISER="onnx")
    content = GOOD[name]()
    dropped(world, name, content)
    image = world.image_at(f"uploads/{name}")
    assert (image.status, image.error) == ("labelled", None)
    assert image.width is not None
    assert image.height is not None
    assert world.objects.stored == {f"uploads/{name}": content}, "the original stays as it was"
    thumbnail = small(world, name)
    assert max(thumbnail.size) == min(512, max(image.width, image.height))


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_every_recogniser_gets_what_all_of_them_take(name: str) -> None:
    world = World()
    dropped(world, name, GOOD[name]())
    (photo,) = world.recogniser.photos
    seen = given(photo)
    assert photo.content_type == Image.MIME[seen.format.replace("MPO", "JPEG")]
    assert seen.mode in ("L", "RGB")
    assert "transparency" not in seen.info
    assert seen.getexif().get(0x0112, 1) == 1
    assert min(seen.size) >= 80
    assert max(seen.size) <= 10_000
    if photo.key is None:
        assert len(photo.content) <= 5_000_000
    else:
        assert pixels(photo.content) == pixels(world.objects.stored[photo.key])
        assert len(photo.content) <= 15_000_000


@pytest.mark.parametrize("name", BAD)
def test_every_file_that_is_no_photo_fails_with_its_code_and_is_not_tried_again(name: str) -> None:
    world = World()
    code, make = BAD[name]
    dropped(world, name, make())
    image = world.image_at(f"uploads/{name}")
    assert image.status == "failed"
    assert image.error is not None
    assert image.error.code == code
    assert image.error.detail.startswith("The ")
    assert (world.recogniser.photos, world.objects.thumbnails) == ([], {})


def test_a_sideways_photo_is_recognised_upright_and_so_are_its_boxes() -> None:
    boxes = []
    for content in (CHELSEA.read_bytes(), turned("JPEG", quality=95)):
        world = World()
        world.recogniser = OnnxRecogniser(MODELS)
        dropped(world, "cat.jpg", content)
        image = world.image_at("uploads/cat.jpg")
        assert (image.width, image.height) == (451, 300)
        (cat,) = [label for label in image.labels if label.name == "Cat"]
        boxes.append(cat.instances[0].box)
    assert dataclasses.astuple(boxes[1]) == pytest.approx(dataclasses.astuple(boxes[0]), abs=0.05)


def test_boxes_of_a_tiny_picture_are_those_of_the_original() -> None:
    """A red field in the top right quarter stays there, however much was enlarged."""
    tiny = Image.new("RGB", (20, 10), "white")
    tiny.paste("red", (10, 0, 20, 5))
    world = World()
    with BytesIO() as stream:
        tiny.save(stream, "PNG")
        dropped(world, "tiny.png", stream.getvalue())
    seen = given(world.recogniser.photos[0])
    assert seen.size == (160, 80)
    red = seen.getchannel("G").point(lambda value: 255 if value < 128 else 0).getbbox()
    assert red is not None
    edges = Box(red[0] / 160, red[1] / 80, (red[2] - red[0]) / 160, (red[3] - red[1]) / 80)
    assert dataclasses.astuple(edges) == pytest.approx((0.5, 0, 0.5, 0.5), abs=0.02)


def noted() -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "FUJI", "X100"
    tags.get_ifd(0x8769)[0x9003] = "2026:02:28 17:05:12"
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "W", 4: (13.0, 15.0, 0.0)})
    return saved(cat(), "JPEG", exif=tags.tobytes())


def test_of_what_the_camera_noted_only_the_time_is_kept() -> None:
    world = World()
    dropped(world, "x", noted())
    image = world.image_at("uploads/x")
    assert (image.taken_at, image.camera, image.location) == ("2026-02-28T17:05:12", None, None)
    stored = (str(world.objects.sidecars), str(world.topic.published), world.objects.thumbnails)
    assert not any(secret in str(stored) for secret in ("FUJI", "52.5", "13.25"))


@pytest.mark.parametrize("chosen", ["1", "true"])
def test_the_camera_and_the_place_are_kept_where_settings_say_so(chosen: str) -> None:
    world = World(KEEP_EXIF=chosen)
    dropped(world, "x", noted())
    image = world.image_at("uploads/x")
    assert (image.camera, image.location) == ("FUJI X100", Location(52.5, -13.25))
    dropped(world, "x", CHELSEA.read_bytes())
    image = world.image_at("uploads/x")
    assert (image.taken_at, image.camera, image.location) == (None, None, None)


def test_the_thumbnail_is_there_also_when_the_recogniser_refuses() -> None:
    world = World()
    world.recogniser = FakeRecogniser(raises=[RecogniserRefused("It will not.")])
    dropped(world, "cat.jpg", CHELSEA.read_bytes())
    assert world.image_at("uploads/cat.jpg").status == "failed"
    assert small(world, "cat.jpg").size == (451, 300)


def test_an_overwritten_photo_gets_another_thumbnail_and_one_that_is_none_loses_it() -> None:
    world = World()
    dropped(world, "x", CHELSEA.read_bytes())
    dropped(world, "x", turned("PNG", orientation=1))
    assert small(world, "x").size == (300, 451)
    dropped(world, "x", b"no photo")
    image = world.image_at("uploads/x")
    assert (image.width, image.content_type, image.labels) == (None, None, ())
    assert world.objects.thumbnails == {}


def test_a_deleted_image_takes_its_thumbnail_along() -> None:
    world = World()
    dropped(world, "cat.jpg", CHELSEA.read_bytes())
    world.erase(world.image_at("uploads/cat.jpg"))
    assert world.objects.thumbnails == {}


def test_a_thumbnail_written_while_its_image_is_deleted_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    write = world.objects.write_thumbnail

    def write_late(key: str, content: bytes) -> None:
        world.erase(world.image_at("uploads/cat.jpg"))
        write(key, content)

    monkeypatch.setattr(world.objects, "write_thumbnail", write_late)
    dropped(world, "cat.jpg", CHELSEA.read_bytes())
    assert (world.objects.thumbnails, world.objects.sidecars) == ({}, {})


@pytest.mark.parametrize(
    "name", [".DS_Store", "holiday/._cat.jpg", "holiday/Thumbs.db", "desktop.ini", "holiday/"]
)
def test_what_a_computer_leaves_in_a_folder_makes_no_image(name: str) -> None:
    world = World()
    dropped(world, name, CHELSEA.read_bytes())
    assert world.images.find_by_key(f"uploads/{name}") is None


def test_a_photo_that_is_cut_says_so_in_its_record() -> None:
    world = World()
    dropped(world, "cut.jpg", CHELSEA.read_bytes()[:-2])
    image = world.image_at("uploads/cut.jpg")
    assert (image.status, image.warnings, image.document()["warnings"]) == (
        "labelled",
        ("truncated",),
        ["truncated"],
    )
