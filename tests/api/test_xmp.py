"""Labels as an XMP packet, read by exiftool."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from chalicelib.model import Box, Image, Instance, Label, Model
from chalicelib.model.xmp import to_xmp
from tests.api.client import Api
from tests.fakes.services import FakeServices
from tests.packets import packet

CAT = Label("Cat", 97.31, parents=("Feline", "Animal"), instances=(Instance(96.4, Box(0.1, 0.2, 0.4, 0.5)),))
HOSTILE = [
    "a|b",
    "x/y",
    "<b>&amp;",
    "'\"",
    "é\u0301",
    "日本 語",
    "\U0001f600",
    "]]>",
    " lead",
    "\x01bell",
    "-",
]
exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not on this machine")


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


def read(folder: Path, packets: dict[str, bytes]) -> dict[str, Any]:
    """What exiftool finds in each packet."""
    for name, content in packets.items():
        (folder / f"{name}.xmp").write_bytes(content)
    program = shutil.which("exiftool")
    assert program
    ran = subprocess.run(  # noqa: S603 - our own files
        [program, "-json", "-struct", "-XMP:all", "-charset", "UTF8", str(folder)],
        capture_output=True,
        check=False,
    )
    assert b"Warning" not in ran.stdout, ran.stdout
    return {Path(one["SourceFile"]).stem: one for one in json.loads(ran.stdout)}


@exiftool
def test_keywords_hierarchies_and_regions_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, {"one": to_xmp(image(CAT, Label("Animal", 99.0)))})["one"]
    assert found["Subject"] == ["Cat", "Animal"]
    assert found["HierarchicalSubject"] == ["Animal|Feline|Cat", "Animal"]
    assert found["TagsList"] == ["Animal/Feline/Cat", "Animal"]
    regions = found["RegionInfo"]
    assert regions["AppliedToDimensions"] == {"W": 1000, "H": 500, "Unit": "pixel"}
    [region] = regions["RegionList"]
    assert region["Name"] == "Cat"
    assert region["Area"] == {"X": 0.3, "Y": 0.45, "W": 0.4, "H": 0.5, "Unit": "normalized"}


@exiftool
def test_whatever_labels_are_called_they_are_read_as_they_are(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - chance, not a secret
    letters = [*"ab|/<>&\"' é", "\u4e00", "\U0001f600", "\u202e", "\x07"]
    sets = {
        f"{number:03}": [
            Label(name, 50.0, parents=tuple(chance.sample(HOSTILE, 2)))
            for name in dict.fromkeys(
                [*chance.sample(HOSTILE, 3), *("".join(chance.choices(letters, k=8)) for _ in range(3))]
            )
        ]
        for number in range(200)
    }
    found = read(tmp_path, {name: to_xmp(image(*labels)) for name, labels in sets.items()})
    for name, labels in sets.items():
        subjects = found[name]["Subject"]
        assert [str(one) for one in subjects] == [_line(label.name) for label in labels], name
        paths = dict.fromkeys(_path(label) for label in labels)
        assert [str(one) for one in found[name]["HierarchicalSubject"]] == list(paths), name


def _path(label: Label) -> str:
    names = (*reversed(label.parents), label.name)
    return "|".join(one.replace("|", "\u2223") for one in map(_line, names))


def _line(name: str) -> str:
    """As XML holds it."""
    return "".join("\ufffd" if one < " " else one for one in name)


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
