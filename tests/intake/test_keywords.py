"""Keywords of people in XMP, read from packets of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Picture

from chalicelib.intake.keywords import MOST_BYTES, MOST_KEYWORDS, Keyword, keywords_in
from chalicelib.intake.photos import prepare
from chalicelib.model import Image, Label
from chalicelib.model.xmp import LOOKS_LIKE, to_xmp
from tests.intake.raws import SENSOR, jpeg, nef
from tests.judges import exiftool, run
from tests.packets import packet

SUFFIXES = {"JPEG2000": "jp2"}
NAMES = ("Cat", "a|b", "x/y", " padded ", "<b>&", "日本", "\x01bell", "Straße")


def ours(*labels: Label) -> bytes:
    image = Image("01JD3Y7V4M8B5WZ0QX6T2K9RCA", "default", "uploads/a.jpg", "labelled", "a.jpg", "2026-03-01")
    return to_xmp(Image(**{**vars(image), "labels": labels}))


def names_in(xmp: bytes) -> list[str]:
    return [one.name for one in keywords_in(xmp)]


def test_the_union_of_all_fields_is_read_and_a_path_files_its_last_name_under_the_others() -> None:
    xmp = packet(
        "Rome",
        "Tiber",
        lr_hierarchicalSubject=["Places|Italy|Rome"],
        digiKam_TagsList=["People/Anna"],
        MicrosoftPhoto_LastKeywordXMP=["Travel/2025"],
        more='<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/">'
        '<rdf:Description mwg-rs:Name="Berta"/></mwg-rs:Regions>',
    )
    assert set(keywords_in(xmp)) == {
        Keyword("Rome", ("Italy", "Places")),
        Keyword("Tiber"),
        Keyword("Anna", ("People",)),
        Keyword("2025", ("Travel",)),
        Keyword("Berta"),
    }


def test_what_we_have_written_is_nobodys_however_it_is_called() -> None:
    labels = [Label(name, 90.0, parents=NAMES[:2]) for name in NAMES]
    assert keywords_in(ours(*labels)) == ()


def test_what_a_person_has_added_to_our_packet_is_the_persons() -> None:
    added = ours(Label("Cat", 90.0, parents=("Animal",))).replace(
        b"<rdf:li>Cat</rdf:li>", b"<rdf:li>Cat</rdf:li><rdf:li>Mimi</rdf:li>", 1
    )
    assert names_in(added) == ["Mimi"]


def test_terms_of_ours_above_a_persons_keyword_are_not_the_persons() -> None:
    added = ours(Label("Cat", 90.0, parents=("Animal",))).replace(
        b"<rdf:li>Animal|Cat</rdf:li>", b"<rdf:li>Animal|Cat</rdf:li><rdf:li>Home|Animal|Cat|Mimi</rdf:li>", 1
    )
    assert keywords_in(added) == (Keyword("Mimi", ("Home",)),)


def test_a_name_with_a_separator_in_it_is_still_known_as_ours() -> None:
    assert LOOKS_LIKE["/"].encode() in ours(Label("x/y", 90.0))
    assert names_in(ours(Label("x/y", 90.0))) == []


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x00\x00",
        b"no XML",
        packet("Rome")[:-40],
        packet("Rome").replace(b"</rdf:RDF>", b"</rdf:LDF>"),
        b'<!DOCTYPE x [<!ENTITY a "Rome">]>' + packet("&a;"),
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet("Rome"),
        b'<?xml version="1.0" encoding="klingon"?>' + packet("Rome"),
        packet("R\u00f6mer").decode().encode("latin-1", "replace"),
        packet("Rome") + b" " * MOST_BYTES + b"x",
        b"<a>" * 200_000,
        packet("R\x00me"),
        packet("Rome\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")).replace(
            b"\xef\xbf\xbd", b"\xed\xa0\x80"
        ),
    ],
    ids=range(14),
)
def test_a_hostile_packet_has_no_keywords(hostile: bytes) -> None:
    assert keywords_in(hostile) == ()


def test_of_too_many_keywords_the_first_are_read_and_one_that_is_too_long_is_none() -> None:
    many = packet("x" * 1_000_000, *(f"word {number}" for number in range(10_000)))
    assert names_in(many) == [f"word {number}" for number in range(MOST_KEYWORDS)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_of_unicode_are_read(encoding: str) -> None:
    assert names_in(packet("日本").decode().replace("\ufeff", "").encode(encoding)) == ["日本"]


def test_what_a_program_notes_for_itself_is_no_keyword() -> None:
    xmp = packet(
        "darktable",
        "format",
        "arw",
        "Sea",
        "darktable|changed",
        lr_hierarchicalSubject=["darktable|format|arw", "Italy|Sea"],
    )
    assert keywords_in(xmp) == (Keyword("Sea", ("Italy",)),)
    assert names_in(packet("darktable", "format")) == ["darktable", "format"]


@exiftool
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "JPEG2000", "AVIF", "DNG"])
def test_every_kind_of_photo_that_holds_xmp_is_asked_for_keywords(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo.{SUFFIXES.get(kind, kind.lower())}"
    picture = Picture.effect_noise(SENSOR, 60).convert("RGB")
    if kind == "DNG":
        path.write_bytes(nef(picture, jpeg(picture), dng=True))
    else:
        picture.save(path, kind)
    run("exiftool", "-q", "-m", "-overwrite_original", "-XMP-dc:Subject=Rome", path)
    made = prepare(path.read_bytes(), max_bytes=10**7, max_pixels=10**7)
    assert names_in(made.xmp) == ["Rome"]
