"""What a sidecar holds, over HTTP: as JSON, as XML to those who would rather have it, in Rekognition's words.

`tests/api/test_xmp.py` has its XMP.
"""

from __future__ import annotations

import base64
import json

import pytest

from chalicelib.api.sidecar_handlers import prefers_xml
from chalicelib.intake.objects import sidecar_key
from chalicelib.model import Label, in_rekognitions_words
from tests.api.client import Api
from tests.fakes.services import FakeServices

CONTENT = base64.b64encode(b"\x89PNG not a real one").decode()
CAT = Label("Cat", 97.3, parents=("Animal",))


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/xml",
        "Application/XML; charset=utf-8",
        "application/xml, application/json;q=0.5",
        "application/xml, */*;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ],
)
def test_xml_is_for_those_who_would_rather_have_it(accept: str) -> None:
    assert prefers_xml(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/json, application/xml",
        "application/json, application/xml;q=0.9",
        "application/xml;q=0",
        "application/xml;q=high",
        "application/*;q=0.9, application/xml;q=0.5",
        ",;=,q=,;;",
    ],
)
def test_json_is_for_everybody_else(accept: str) -> None:
    assert not prefers_xml(accept)


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
