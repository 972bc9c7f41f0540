"""From the photo to the XML at the partner, over HTTP, by every way in and for both triggers."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.journeys.conftest import Service, eventually, names

pytestmark = pytest.mark.slow
PHOTOS = Path(__file__).parents[2] / "photos"
CAT = PHOTOS / "chelsea.jpg"
ODD_NAME = "holiday/a b+c é&d.jpg"


@pytest.fixture
def photo_server() -> Iterator[str]:
    """Somebody's web server with photos on it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(PHOTOS))

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def assert_is_the_cat(service: Service, image: Any) -> None:
    assert image["status"] == "labelled", image["error"]
    assert {"Cat", "Feline", "Mammal", "Animal"} <= names(image)
    cat = next(label for label in image["labels"] if label["name"] == "Cat")
    assert {"Feline", "Mammal", "Animal"} <= set(cat["parents"])
    assert cat["instances"], "the detector saw where"
    (document,) = eventually(lambda: service.received(image["id"]))
    assert '<label name="Cat"' in document["xml"]


def test_an_announced_upload_by_a_plain_put(service: Service) -> None:
    filename = f"put/{ODD_NAME}"
    made = service.create(filename=filename)
    assert made["status"] == "awaiting_upload"
    requests.put(made["upload"]["url"], data=CAT.read_bytes(), timeout=30).raise_for_status()
    image = service.final(made["id"])
    assert image["filename"] == filename
    assert_is_the_cat(service, image)


def test_an_announced_upload_by_a_form_as_browsers_send_it(service: Service) -> None:
    made = service.create(filename="form.jpg")
    form = made["upload"]["form"]
    answer = requests.post(form["url"], data=form["fields"], files={"file": CAT.read_bytes()}, timeout=30)
    answer.raise_for_status()
    assert_is_the_cat(service, service.final(made["id"]))


def test_a_photo_from_a_url(service: Service, photo_server: str) -> None:
    made = service.create(url=f"{photo_server}/chelsea.jpg")
    assert made["filename"] == "chelsea.jpg"
    assert_is_the_cat(service, service.final(made["id"]))


@pytest.mark.parametrize("before", ["", "data:image/jpeg;base64,"])
def test_a_photo_in_the_body(service: Service, before: str) -> None:
    made = service.create(content=before + base64.b64encode(CAT.read_bytes()).decode())
    assert_is_the_cat(service, service.final(made["id"]))


@pytest.mark.parametrize("name", [ODD_NAME, "top.jpg", "日本/猫 100%.jpg", "a/b/c/d/e.JPG"])
def test_a_photo_dropped_into_the_bucket(service: Service, name: str) -> None:
    service.s3.upload_file(str(CAT), service.bucket, f"uploads/{name}")
    image = service.named(name)
    assert_is_the_cat(service, image)
    sidecar = service.s3.get_object(Bucket=service.bucket, Key=f"metadata/{name}.json")["Body"].read()
    assert json.loads(sidecar)["labels"] == image["labels"]
    assert requests.get(image["links"]["content"], timeout=30).content == CAT.read_bytes()


def test_a_large_photo_dropped_in_parts(service: Service) -> None:
    padded = CAT.read_bytes() + b"\0" * (9 * 1024 * 1024)
    service.s3.upload_fileobj(BytesIO(padded), service.bucket, "uploads/in parts.jpg")
    assert service.named("in parts.jpg")["status"] == "labelled"


def test_a_file_that_is_no_photo_fails_with_a_sentence_and_the_partner_hears_of_it(service: Service) -> None:
    service.s3.put_object(Bucket=service.bucket, Key="uploads/notes.txt", Body=b"buy milk")
    image = service.named("notes.txt")
    assert (image["status"], image["error"]["code"]) == ("failed", "not-an-image")
    (document,) = eventually(lambda: service.received(image["id"]))
    assert "not-an-image" in document["xml"]


def test_an_overwritten_photo_is_the_same_image_with_a_new_result(service: Service) -> None:
    key = "uploads/overwritten.jpg"
    service.s3.upload_file(str(CAT), service.bucket, key)
    first = service.named("overwritten.jpg")
    service.s3.upload_file(str(PHOTOS / "coffee.jpg"), service.bucket, key)
    second = eventually(lambda: (now := service.named("overwritten.jpg"))["result"] == 2 and now)
    assert second["id"] == first["id"]
    assert "Coffee" in names(second)
    assert "Cat" not in names(second)


def test_the_same_bytes_put_again_change_nothing(service: Service) -> None:
    key = "uploads/again.jpg"
    for _ in range(3):
        service.s3.upload_file(str(CAT), service.bucket, key)
    image = service.named("again.jpg")
    assert_is_the_cat(service, image)
    assert service.named("again.jpg") == image


def test_labels_find_images_and_counts_follow_until_all_is_deleted(service: Service) -> None:
    made = service.create(content=base64.b64encode((PHOTOS / "coffee.jpg").read_bytes()).decode())
    image = service.final(made["id"])
    own = f"only {made['id'].lower()}"  # a label that no other photo has
    assert requests.put(f"{image['links']['self']}/labels/{own}", timeout=30).status_code == 200

    def counts() -> list[int]:
        return [one["count"] for one in service.get("/labels", prefix=own)["labels"]]

    def listed(**asked: Any) -> set[str]:
        return {one["id"] for one in service.get("/images", **asked)["images"]}

    def left() -> list[str]:
        found = service.s3.list_objects_v2(Bucket=service.bucket).get("Contents", [])
        return [one["Key"] for one in found if made["id"] in one["Key"]]

    eventually(lambda: counts() == [1])
    eventually(lambda: image["id"] in listed(label=["espresso", "FOOD"]))
    gone = requests.delete(image["links"]["self"], params={"permanent": "true"}, timeout=30)
    assert gone.status_code == 204
    assert requests.get(image["links"]["self"], timeout=30).status_code == 404
    eventually(lambda: counts() == [])
    eventually(lambda: image["id"] not in listed(label="espresso"))
    eventually(lambda: not left())


def test_pages_walk_through_everything_newest_first(service: Service) -> None:
    seen: list[str] = []
    page = service.get("/images", limit=3)
    while True:
        seen += [image["id"] for image in page["images"]]
        if not page["next_cursor"]:
            break
        page = service.get("/images", limit=3, cursor=page["next_cursor"])
    assert len(seen) == len(set(seen)) > 3
    assert seen == sorted(seen, reverse=True)
