"""Images over HTTP: looked at, waited for, fetched, erased."""

from __future__ import annotations

import base64
from typing import cast

import pytest

from chalicelib.access.rate_limiter import RateLimiter
from chalicelib.api import long_poll
from chalicelib.model import Image, Json, Label
from tests.api.client import Api
from tests.fakes.services import BUCKET_URL, FakeCredentials, FakeServices

PHOTO = b"\x89PNG not a real one"
CONTENT = base64.b64encode(PHOTO).decode()
NO_SUCH_ID = "01JD3Y7V4M8B5WZ0QX6T2K9RCA"
CAT = Label("Cat", 97.3, parents=("Animal",))
DOG = Label("Dog", 91.2, parents=("Animal",))


def test_an_image_shows_its_labels_and_links(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT)
    services.label(image_id, CAT)
    image = api.get(f"/images/{image_id}", host="127.0.0.1:8000").json_body
    assert [label["name"] for label in image["labels"]] == ["Cat"]
    assert image["links"] == {
        "self": f"http://127.0.0.1:8000/images/{image_id}",
        "content": f"http://127.0.0.1:8000/images/{image_id}/content",
        "metadata": f"http://127.0.0.1:8000/images/{image_id}/metadata",
        "thumbnail": f"http://127.0.0.1:8000/images/{image_id}/thumbnail",
    }


def test_an_unchanged_image_is_not_sent_again(api: Api, services: FakeServices) -> None:
    path = f"/images/{api.handed_in()}"
    tag = api.get(path).headers["ETag"]
    assert api.get(path, if_none_match=f'"other", W/{tag}').status_code == 304
    assert api.get(path, if_none_match='"other"').status_code == 200
    services.label(path.removeprefix("/images/"), CAT)
    changed = api.get(path, if_none_match=tag)
    assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)


@pytest.mark.parametrize("suffix", ["", "/content", "/thumbnail", "/metadata"])
@pytest.mark.parametrize("image_id", [NO_SUCH_ID, "nothing", "%00", NO_SUCH_ID.lower(), "0" * 300, "é"])
def test_what_is_no_image_is_not_found(api: Api, image_id: str, suffix: str) -> None:
    answer = api.get(f"/images/{image_id}{suffix}")
    assert (answer.status_code, answer.json_body["code"]) == (404, "not-found")


def test_waiting_ends_at_once_for_a_final_image(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in()
    services.label(image_id)
    assert api.get(f"/images/{image_id}?wait=20").json_body["status"] == "labelled"


def test_waiting_lasts_until_the_image_is_labelled(
    api: Api, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "POLL_SECONDS", 0.001)
    image_id, read, looks = api.handed_in(), services.images.stored, []

    def labelled_at_the_third_look(owner: str, image_id: str) -> Image:
        looks.append(image_id)
        if len(looks) == 3:
            services.label(image_id)
        return read(owner, image_id)

    monkeypatch.setattr(services.images, "stored", labelled_at_the_third_look)
    assert api.get(f"/images/{image_id}?wait=20").json_body["status"] == "labelled"
    assert len(looks) == 3


def test_waiting_uses_up_what_an_owner_may_ask_in_a_minute(
    api: Api, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "POLL_SECONDS", 0.001)
    image_id = api.handed_in()
    services.rate_limiter = RateLimiter(services.table, services.clock, 5)  # type: ignore[arg-type]
    assert api.get(f"/images/{image_id}?wait=20").json_body["status"] == "awaiting_upload"
    assert api.get(f"/images/{image_id}").status_code == 429


@pytest.mark.parametrize("wait", ["21", "-1", "1.5", "soon", "", "1&wait=2", "٣"])
def test_a_wait_out_of_bounds_is_refused(api: Api, wait: str) -> None:
    answer = api.get(f"/images/{api.handed_in()}?wait={wait}")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, "?wait")


def test_content_leads_to_the_bucket_under_the_images_own_name(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT, filename="holiday/cat.jpg")
    services.label(image_id)
    answer = api.get(f"/images/{image_id}/content", accept="image/*")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BUCKET_URL}/uploads/~default/{image_id}?")
    assert answer.headers["Location"].endswith("name=cat.jpg&type=image/jpeg")


def test_content_of_what_was_not_uploaded_yet_is_a_conflict(api: Api) -> None:
    answer = api.get(f"/images/{api.handed_in()}/content")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-uploaded-yet")


def test_the_thumbnail_leads_to_the_bucket(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT, filename="holiday/cat.heic")
    services.label(image_id)
    answer = api.get(f"/images/{image_id}/thumbnail", accept="image/*")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BUCKET_URL}/thumbnails/~default/{image_id}.jpg?")
    listed = api.get("/images?with=thumbnail_url").json_body["images"]
    assert listed[0]["thumbnail_url"] == answer.headers["Location"]


def test_a_thumbnail_there_is_not_yet_is_a_conflict(api: Api) -> None:
    answer = api.get(f"/images/{api.handed_in(content=CONTENT)}/thumbnail")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-labelled-yet")


def test_what_cannot_be_read_never_has_a_thumbnail(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT)
    services.fail(image_id, "not-an-image", "The file is not an image.")
    answer = api.get(f"/images/{image_id}/thumbnail")
    assert (answer.status_code, answer.json_body["code"]) == (404, "no-thumbnail")


def test_an_erased_image_is_gone_with_all_that_was_made_of_it(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT)
    services.label(image_id, CAT)
    assert api.delete(f"/images/{image_id}?permanent=true").status_code == 204
    assert api.get(f"/images/{image_id}").status_code == 404
    assert api.delete(f"/images/{image_id}?permanent=true").status_code == 404
    assert api.get("/images?label=cat").json_body["images"] == []
    assert api.get("/labels").json_body["labels"] == []
    assert services.objects.stored == {}
    assert (services.objects.sidecars, services.objects.thumbnails) == ({}, {})


WITH_LINKS = ("/images?with=thumbnail_url", "/images/{id}?with=thumbnail_url")


@pytest.mark.parametrize("path", WITH_LINKS)
def test_links_to_thumbnails_come_where_they_are_asked_for(
    api: Api, services: FakeServices, path: str
) -> None:
    image_id = api.handed_in(content=CONTENT)

    def shown(path: str) -> Json:
        body = api.get(path.format(id=image_id)).json_body
        return cast(Json, body["images"][0] if "images" in body else body)

    assert shown(path)["thumbnail_url"] is None
    services.label(image_id, CAT)
    assert shown(path)["thumbnail_url"].startswith(f"{BUCKET_URL}/thumbnails/~default/{image_id}.jpg?")
    assert "thumbnail_url" not in shown(path.partition("?")[0])


@pytest.mark.parametrize("path", WITH_LINKS)
def test_an_answer_with_links_is_kept_as_long_as_they_are_the_same_and_however_they_are_signed(
    api: Api, services: FakeServices, path: str
) -> None:
    image_id = api.handed_in(content=CONTENT)
    services.label(image_id, CAT)
    path, step = path.format(id=image_id), services.settings.thumbnail_expires_seconds // 2
    services.clock.forward(step - services.clock() % step)
    first = api.get(path)
    tag = str(first.headers["ETag"])
    assert tag.startswith('W/"')
    services.credentials = FakeCredentials(token="renewed")
    assert api.get(path).body != first.body
    assert api.get(path, if_none_match=tag).status_code == 304
    services.clock.forward(step)
    assert api.get(path, if_none_match=tag).status_code == 200
    later = str(api.get(path).headers["ETag"])
    services.label(image_id, DOG)
    assert api.get(path, if_none_match=later).status_code == 200


def test_nothing_but_links_can_be_asked_for(api: Api) -> None:
    answer = api.get("/images?with=everything")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, "?with")
