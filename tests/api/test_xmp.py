"""Labels as an XMP packet, read by exiftool.

Holds `chalicelib/model/xmp.py`.
"""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

from defusedxml import ElementTree

from chalicelib.model import Box, Caption, Image, Instance, Label, Model
from chalicelib.model.xmp import to_xmp
from tests.api.client import Api
from tests.fakes.services import FakeServices
from tests.judges import exiftool, read_by_exiftool
from tests.packets import packet

CAT = Label("Cat", 97.31, parents=("Feline", "Animal"), instances=(Instance(96.4, Box(0.1, 0.2, 0.4, 0.5)),))


def image(*labels: Label) -> Image:
    return Image(
        "01JD3Y7V4M8B5WZ0QX6T2K9RCA",
        "default",
        "uploads/a.jpg",
        "labelled",
        filename="a.jpg",
        created_at="2026-03-01T09:30:00.000Z",
        labels=labels,
        width=1000,
        height=500,
        model=Model("onnx", "1"),
    )


@exiftool
def test_keywords_hierarchies_and_regions_are_read(tmp_path: Path) -> None:
    (tmp_path / "one.xmp").write_bytes(to_xmp(image(CAT, Label("Animal", 99.0))))
    found = read_by_exiftool(tmp_path)["one.xmp"]
    assert found["Subject"] == ["Cat", "Animal"]
    assert found["HierarchicalSubject"] == ["Animal|Feline|Cat", "Animal"]
    assert found["TagsList"] == ["Animal/Feline/Cat", "Animal"]
    regions = found["RegionInfo"]
    assert regions["AppliedToDimensions"] == {"W": 1000, "H": 500, "Unit": "pixel"}
    [region] = regions["RegionList"]
    assert region["Name"] == "Cat"
    assert region["Area"] == {"X": 0.3, "Y": 0.45, "W": 0.4, "H": 0.5, "Unit": "normalized"}


@exiftool
def test_the_alternative_text_is_read(tmp_path: Path) -> None:
    words = Caption("A cat & a <dog>.", "A cat & a <dog>", "person")
    (tmp_path / "one.xmp").write_bytes(to_xmp(dataclasses.replace(image(CAT), caption=words)))
    assert read_by_exiftool(tmp_path)["one.xmp"]["AltTextAccessibility"] == "A cat & a <dog>"


def test_without_labels_there_is_a_packet_all_the_same() -> None:
    packet = to_xmp(dataclasses.replace(image(), status="failed"))
    assert ElementTree.fromstring(packet).tag == "{adobe:ns:meta/}xmpmeta"


def test_the_api_gives_it_once_there_are_labels(api: Api, services: FakeServices) -> None:
    image_id = api.handed_in(content=base64.b64encode(b"\x89PNG not a real one").decode())
    early = api.get(f"/images/{image_id}/xmp")
    assert (early.status_code, early.json_body["code"]) == (409, "not-labelled-yet")
    services.label(image_id, CAT)
    answer = api.get(f"/images/{image_id}/xmp")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert b"Animal|Feline|Cat" in answer.body
    assert api.get("/images/01JD3Y7V4M8B5WZ0QX6T2K9RCA/xmp").status_code == 404


def test_what_people_say_in_a_sidecar_is_taken_and_what_is_none_is_refused(
    api: Api, services: FakeServices
) -> None:
    image_id = api.handed_in(content=base64.b64encode(b"\x89PNG not a real one").decode())
    services.label(image_id, CAT)
    path, xml = f"/images/{image_id}/xmp", {"content_type": "application/rdf+xml"}
    said = api.request("PUT", path, raw=packet("Rome"), **xml)
    assert [(one["name"], one["by"]) for one in said.json_body["corrections"]] == [("Rome", "xmp")]
    mine = api.get(path).body
    assert api.request("PUT", path, raw=mine, **xml).json_body["result"] == said.json_body["result"]
    for hostile in (b"", b"no XML", b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>', b"<x>" + b"x" * (4 << 20)):
        answer = api.request("PUT", path, raw=hostile, **xml)
        assert (answer.status_code, answer.json_body["code"]) == (400, "not-xmp"), hostile[:40]
    assert api.request("PUT", path, raw=mine, if_match='"old"', **xml).status_code == 412
    assert api.request("PUT", "/images/01JD3Y7V4M8B5WZ0QX6T2K9RCA/xmp", raw=mine, **xml).status_code == 404
