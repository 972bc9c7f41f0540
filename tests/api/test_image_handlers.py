"""Images over HTTP: handed in, looked at, listed, fetched, removed."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import pytest

from chalicelib import pipeline
from chalicelib.access.rate_limiter import RateLimiter
from chalicelib.api import long_poll
from chalicelib.intake.objects import sidecar_key
from chalicelib.model import Image, Json, Label, in_rekognitions_words
from tests.api.client import Api
from tests.fakes.services import BUCKET_URL, FakeCredentials, FakeServices
from tests.fakes.world import CAT as CAT_PHOTO

PHOTO = b"\x89PNG not a real one"
CONTENT = base64.b64encode(PHOTO).decode()
NO_SUCH_ID = "01JD3Y7V4M8B5WZ0QX6T2K9RCA"
CAT = Label("Cat", 97.3, parents=("Animal",))
DOG = Label("Dog", 91.2, parents=("Animal",))


def test_an_empty_object_announces_an_upload(api: Api, services: FakeServices) -> None:
    answer = api.post("/images", {})
    image = answer.json_body
    assert answer.status_code == 201
    assert image["status"] == "awaiting_upload"
    assert image["upload"] == {
        "method": "PUT",
        "url": f"{BUCKET_URL}/uploads/~default/{image['id']}?X-Amz-Signature=put",
        "headers": {},
        "form": {
            "url": f"{BUCKET_URL}/",
            "fields": {"key": f"uploads/~default/{image['id']}", "policy": "at most 50000000"},
        },
        "max_bytes": 50_000_000,
        "size_bound_by": ["form"],
        "expires_in": 3600,
    }
    assert services.images.get("default", image["id"]).status == "awaiting_upload"


def test_an_announced_size_and_type_are_signed_and_shown_until_the_file_is_there(
    api: Api, services: FakeServices
) -> None:
    body = {"size": 1234, "content_type": "image/heic"}
    image = api.post("/images", body, idempotency_key="one").json_body
    upload = image["upload"]
    assert (image["size"], image["content_type"]) == (1234, "image/heic")
    assert upload["url"].endswith("?X-Amz-Signature=put&1234&image/heic")
    assert upload["headers"] == {"Content-Length": "1234", "Content-Type": "image/heic"}
    assert upload["form"]["fields"]["policy"] == "at most 1234"
    assert upload["size_bound_by"] == ["url", "form"]
    assert api.post("/images", body, idempotency_key="one").json_body["upload"] == upload
    pipeline.label_image(services.drop(f"uploads/~default/{image['id']}", CAT_PHOTO), services)  # type: ignore[arg-type]
    found = api.get(f"/images/{image['id']}").json_body
    assert (found["size"], found["content_type"]) == (len(CAT_PHOTO), "image/jpeg")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"size": 50_000_001}, 413, "too-large"),
        ({"size": 0}, 400, "bad-value"),
        ({"size": True}, 400, "bad-value"),
        ({"content_type": "image/jpeg; charset=x"}, 400, "bad-value"),
        ({"content_type": "image"}, 400, "bad-value"),
        ({"content": "/9j/4AAQ", "size": 7}, 400, "size-mismatch"),
        ({"url": "https://pages.example/a.jpg", "size": 7}, 422, "size-mismatch"),
    ],
)
def test_a_size_that_no_photo_may_have_and_a_type_that_is_none_are_refused(
    api: Api, services: FakeServices, body: Any, status: int, code: str
) -> None:
    services.outbound.pages["https://pages.example/a.jpg"] = b"six by"
    answer = api.post("/images", body)
    assert (answer.status_code, answer.json_body["code"]) == (status, code)
    assert not services.table.items_of_kind("record")


def test_the_location_of_a_new_image_leads_to_it(api: Api) -> None:
    created = api.post("/images", {"filename": "a.jpg"})
    assert api.get(created.headers["Location"]).json_body["filename"] == "a.jpg"


@pytest.mark.parametrize("content", [CONTENT, f"data:image/png;base64,{CONTENT}"])
def test_content_in_the_body_is_stored_and_labelled(api: Api, services: FakeServices, content: str) -> None:
    answer = api.post("/images", {"content": content})
    assert answer.status_code == 201
    assert answer.json_body["status"] == "labelling"
    assert "upload" not in answer.json_body
    assert services.objects.stored == {f"uploads/~default/{answer.json_body['id']}": PHOTO}


def test_a_url_is_fetched_and_stored(api: Api, services: FakeServices) -> None:
    services.outbound.pages["https://example.com/cat.png"] = PHOTO
    answer = api.post("/images", {"url": "https://example.com/cat.png"})
    assert answer.status_code == 201
    assert services.objects.stored == {f"uploads/~default/{answer.json_body['id']}": PHOTO}


def test_a_url_that_may_not_be_fetched_is_answered_422_and_leaves_nothing(
    api: Api, services: FakeServices
) -> None:
    answer = api.post("/images", {"url": "http://127.0.0.1/latest/meta-data"})
    assert (answer.status_code, answer.json_body["code"]) == (422, "unusable-url")
    assert answer.json_body["pointer"] == "/url"
    assert api.get("/images").json_body["images"] == []


def test_what_is_said_of_an_image_is_kept(api: Api) -> None:
    said = {
        "filename": "holiday/a b+c é&d.jpg",
        "callback_url": "https://example.com/hook",
        "metadata": {"album": "Ferien\n2026", "note": ""},
        "min_confidence": 70.5,
        "max_labels": 5,
    }
    image = api.get(f"/images/{api.handed_in(**said)}").json_body
    assert {name: image[name] for name in said} == said


def test_a_callback_to_a_private_address_is_refused_before_anything_is_made(api: Api) -> None:
    answer = api.post("/images", {"callback_url": "http://127.0.0.1/"})
    assert (answer.status_code, answer.json_body["pointer"]) == (422, "/callback_url")
    assert api.get("/images").json_body["images"] == []


def test_url_and_content_together_are_refused(api: Api) -> None:
    answer = api.post("/images", {"url": "https://example.com/", "content": CONTENT})
    assert (answer.status_code, answer.json_body["code"]) == (400, "two-sources")


def test_a_photo_too_large_for_base64_is_told_the_presigned_way(api: Api) -> None:
    answer = api.post("/images", {"content": "A" * 6_000_004})
    assert answer.status_code == 413
    assert "POST {} to /images" in answer.json_body["detail"]


def test_a_body_above_lambdas_limit_is_refused_locally_too(api: Api) -> None:
    answer = api.post("/images", {"content": "A" * (6 * 1024 * 1024)})
    assert (answer.status_code, answer.json_body["code"]) == (413, "too-large")


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


def test_images_are_listed_newest_first_a_page_at_a_time(api: Api, services: FakeServices) -> None:
    made = [api.handed_in(filename=f"{number}.jpg") for number in range(5)]
    first = api.get("/images?limit=2").json_body
    second = api.get(f"/images?limit=2&cursor={first['next_cursor']}").json_body
    last = api.get(f"/images?limit=2&cursor={second['next_cursor']}").json_body
    seen = [image["id"] for page in (first, second, last) for image in page["images"]]
    assert seen == sorted(made, reverse=True)
    assert last["next_cursor"] is None


def test_labels_asked_together_must_all_be_there(api: Api, services: FakeServices) -> None:
    both, cat_only = api.handed_in(), api.handed_in()
    services.label(both, CAT, Label("Dog", 80.0))
    services.label(cat_only, CAT)

    def found(query: str) -> set[str]:
        return {image["id"] for image in api.get(f"/images?{query}").json_body["images"]}

    assert found("label=cat&label=DOG") == {both}
    assert found("label=animal") == {both, cat_only}
    assert found("label=cat&label=bird") == set()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=ten", "?limit"),
        ("limit=1_0", "?limit"),
        ("limit=99999999999999999999", "?limit"),
        ("limit=5&limit=6", "?limit"),
        ("label=", "?label"),
        ("label=%0A", "?label"),
        ("label=" + "x" * 256, "?label"),
        ("label=" + "%EF%B7%BA" * 100, "?label"),
        ("&".join(f"label={number}" for number in range(11)), "?label"),
        ("colour=red", "?colour"),
        ("cursor=!", "?cursor"),
        ("cursor=Zm9v", "?cursor"),
        ("cursor=%FF", "?cursor"),
        ("cursor=" + "A" * 5000, "?cursor"),
        ("cursor=", "?cursor"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_where_it_does_not(
    api: Api, query: str, pointer: str
) -> None:
    answer = api.get(f"/images?{query}")
    assert (answer.status_code, answer.json_body["pointer"]) == (400, pointer)


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


def test_the_metadata_is_what_the_sidecar_holds(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT, filename="é.jpg")
    image = services.label(image_id, CAT)
    answer = api.get(f"/images/{image_id}/metadata")
    assert answer.json_body == services.objects.sidecars[sidecar_key(image.key)]


def test_the_metadata_is_there_as_soon_as_the_labels_are(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT)
    image = services.label(image_id, CAT)
    services.objects.sidecars.clear()
    assert api.get(f"/images/{image_id}/metadata").json_body == json.loads(json.dumps(image.document()))


def test_the_metadata_comes_as_xml_to_who_asks_for_it(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=CONTENT)
    services.label(image_id, CAT)
    answer = api.get(f"/images/{image_id}/metadata", accept="application/xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.body.startswith(b"<?xml")


def test_the_metadata_comes_in_rekognitions_words_to_who_asks_for_it(
    api: Api, services: FakeServices
) -> None:
    image_id = api.handed_in(content=CONTENT)
    image = services.label(image_id, CAT)
    for accept in ("*/*", "application/xml"):
        answer = api.get(f"/images/{image_id}/metadata?format=rekognition", accept=accept)
        assert answer.json_body == in_rekognitions_words(image)
    assert api.get(f"/images/{image_id}/metadata?format=xml").status_code == 400


def test_metadata_of_what_is_not_labelled_yet_is_a_conflict(api: Api) -> None:
    answer = api.get(f"/images/{api.handed_in(content=CONTENT)}/metadata")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not-labelled-yet")


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
