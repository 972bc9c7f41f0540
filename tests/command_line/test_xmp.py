"""Labels in XMP, beside photos and in them.

Holds `client/sightline_labels/xmp_packet.py`, `client/sightline_labels/jpeg_xmp.py`,
`client/sightline_labels/sidecars.py`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Picture
from sightline_labels.errors import SightlineError
from sightline_labels.jpeg_xmp import NotEmbeddable, Photo, embed, known_as
from sightline_labels.sidecars import STEM, others_beside, write_sidecar
from sightline_labels.xmp_packet import Packet, joined

from chalicelib.intake import jpeg
from chalicelib.intake.keywords import Keyword, keywords_in
from chalicelib.model import Caption, Label
from chalicelib.model.xmp import to_xmp
from tests.api.test_xmp import CAT, image
from tests.judges import exiftool, exiv2, read_by_exiftool, run
from tests.packets import packet, photo_with
from tests.thorough import examples

HOSTILE = (
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
    "--",
)
LETTERS = [*"ab|/<>&\"' é;=", "\u4e00", "\U0001f600", "\u202e", "\x07"]
OURS = to_xmp(image(CAT, Label("Sofa", 60.0, parents=("Furniture",))))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small JPEG, with Exif and a comment."""
    made, exif = BytesIO(), Picture.Exif()
    exif[0x010F] = "Maker"
    Picture.effect_noise((48, 32), 60).save(made, "JPEG", exif=exif, comment=b"a comment")
    path = tmp_path / "a b.jpg"
    path.write_bytes(made.getvalue())
    return path


def words_in(path: Path) -> list[str]:
    return [one.name for one in keywords_in(Photo.of(path.read_bytes()).packet)]


def without_xmp(content: bytes) -> bytes:
    found = Photo.of(content)
    return found.before + found.behind


def hostile_labels(number: int) -> list[Label]:
    chance = random.Random(number)  # noqa: S311 - chance, not a secret
    made = ("".join(chance.choices(LETTERS, k=8)) for _ in range(3))
    names = dict.fromkeys([*chance.sample(HOSTILE, 3), *made])
    return [Label(name, 50.0, parents=tuple(chance.sample(HOSTILE, 2))) for name in names]


def line(name: str) -> str:
    """As XML holds it."""
    return "".join("\ufffd" if one < " " else one for one in name)


def path_of(label: Label) -> str:
    names = (*reversed(label.parents), label.name)
    return "|".join(line(one).replace("|", "\u2223") for one in names)


@exiftool
@exiv2
@pytest.mark.slow
def test_whatever_labels_are_called_both_judges_read_them_and_we_know_ours_after_both(tmp_path: Path) -> None:
    small = BytesIO()
    Picture.new("L", (8, 8)).save(small, "JPEG")
    sets = {f"{number:04}": hostile_labels(number) for number in range(examples(1000, by_day=30))}
    for name, labels in sets.items():
        path, written = tmp_path / f"{name}.jpg", to_xmp(image(*labels))
        path.write_bytes(small.getvalue())
        write_sidecar(path, written)
        embed(path, written)

    found = read_by_exiftool(tmp_path)
    files = sorted(tmp_path.iterdir())
    run("exiv2", "-M", "set Xmp.dc.subject Judged", *files)
    run("exiftool", "-q", "-overwrite_original", "-XMP-lr:HierarchicalSubject+=Also|Judge", tmp_path)

    assert len(files) == 2 * len(sets)
    for path in files:
        labels = sets[path.name[:4]]
        subjects = [str(one) for one in found[path.name]["Subject"]]
        assert subjects == [line(label.name) for label in labels], path.name
        paths = dict.fromkeys(map(path_of, labels))
        assert [str(one) for one in found[path.name]["HierarchicalSubject"]] == [*paths], path.name
        content = path.read_bytes()
        back = keywords_in(content if path.suffix == ".xmp" else jpeg.parsed(content).xmp)
        assert set(back) == {Keyword("Judged"), Keyword("Judge", ("Also",))}, path.name


@exiftool
@exiv2
def test_what_both_judges_write_is_read(photo: Path) -> None:
    run("exiv2", "-M", "set Xmp.dc.subject Rome", "-M", "set Xmp.digiKam.TagsList People/Anna", photo)
    run("exiv2", "-M", "set Xmp.MicrosoftPhoto.LastKeywordXMP Travel/2025", photo)
    by_exiv2 = set(keywords_in(jpeg.parsed(photo.read_bytes()).xmp))
    assert by_exiv2 == {Keyword("Rome"), Keyword("Anna", ("People",)), Keyword("2025", ("Travel",))}
    words = [
        "-XMP-lr:HierarchicalSubject=Italy|Rome",
        "-XMP-dc:Subject=a, b",
        "-XMP-microsoft:LastKeywordXMP=X/Y",
    ]
    region = "-RegionInfo={RegionList=[{Name=Berta,Type=Face,Area={X=0.5,Y=0.5,W=0.1,H=0.1}}]}"
    run("exiftool", "-q", "-overwrite_original", *words, region, photo)
    found = {one.name for one in keywords_in(jpeg.parsed(photo.read_bytes()).xmp)}
    assert found == {"a, b", "Rome", "Anna", "Y", "Berta"}


def test_nothing_but_the_xmp_of_a_photo_changes_and_a_second_time_nothing(photo: Path) -> None:
    before = photo.read_bytes()
    photo.chmod(0o640)
    link = photo.with_name("link.jpg")
    link.symlink_to(photo)
    embed(link, OURS)
    once, seen = photo.read_bytes(), photo.stat()
    embed(photo, OURS)
    assert without_xmp(once) == before
    assert photo.stat().st_ino == seen.st_ino, "it was written once more"
    assert (link.is_symlink(), seen.st_mode & 0o777) == (True, 0o640)
    assert jpeg.parsed(once).exif == jpeg.parsed(before).exif
    assert words_in(photo) == []
    assert [one.name for one in photo.parent.iterdir() if one.name.endswith(".part")] == []


def test_dates_stay_and_the_photo_is_known_by_what_it_was(photo: Path) -> None:
    before, seen = hashlib.sha256(photo.read_bytes()).hexdigest(), photo.stat()
    assert known_as(photo) == ""
    embed(photo, OURS)
    assert photo.stat().st_mtime_ns == seen.st_mtime_ns
    assert known_as(photo) == before
    embed(photo, to_xmp(image(Label("Dog", 80.0))))
    assert known_as(photo) == before
    photo.write_bytes(photo.read_bytes() + b"more")
    assert known_as(photo) == ""


def test_what_others_have_written_stays_and_is_never_called_ours(photo: Path) -> None:
    theirs = packet(
        "Rome", "cat", lr_hierarchicalSubject=["Places|Italy|Rome"], more="<dc:title>T &amp; t</dc:title>"
    )
    photo.write_bytes(photo_with(photo.read_bytes(), theirs))
    embed(photo, OURS)
    now = Photo.of(photo.read_bytes()).packet
    for one in (
        b"<rdf:li>Rome</rdf:li><rdf:li>cat</rdf:li>",
        b"Places|Italy|Rome",
        b"<dc:title>T &amp; t</dc:title>",
    ):
        assert one in now
    assert b"<rdf:li>cat</rdf:li><rdf:li>Sofa</rdf:li>" in now
    assert {one.name.lower() for one in keywords_in(now)} == {"rome", "cat"}
    embed(photo, to_xmp(image(Label("Dog", 80.0), Label("rome", 70.0))))
    then = Photo.of(photo.read_bytes()).packet
    assert b"Sofa" not in then, "it is no label any more"
    assert b"<rdf:li>Dog</rdf:li>" in then
    assert {one.name.lower() for one in keywords_in(then)} == {"rome", "cat"}


def test_regions_of_others_stay_and_ours_are_renewed() -> None:
    moved = dataclasses.replace(CAT, instances=CAT.instances * 2)
    again = joined(Packet(OURS), Packet(to_xmp(image(moved))), {})
    assert again.count(b'mwg-rs:Name="Cat"') == 2
    theirs = again.replace(b'mwg-rs:Name="Cat"', b'mwg-rs:Name="Mimi"', 1).replace(
        b'Regions="2"', b'Regions="1"'
    )
    kept = joined(Packet(theirs), Packet(OURS), {})
    assert kept.count(b"mwg-rs:Name=") == 2
    assert b'mwg-rs:Name="Mimi"' in kept
    assert b"sightline:Regions" not in kept
    assert joined(Packet(kept), Packet(OURS), {}) == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x10cut",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe2\x00\x08MPF\x00xx" + photo_with(b"\xff\xd8\xff\xda\x00\x04", packet("x"))[2:],
    ],
)
def test_what_cannot_hold_labels_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(NotEmbeddable):
        embed(path, OURS)
    assert path.read_bytes() == content
    assert known_as(path) == ""


@pytest.mark.parametrize(
    "there",
    [
        packet(more="<dc:subject>Rome</dc:subject>"),
        b"no XML",
        packet("x")[:-30],
        b"<!DOCTYPE x>" + packet("x"),
        packet("é").decode().encode("utf-16"),
        b"<x/>",
    ],
)
def test_xmp_that_cannot_be_read_is_left_as_it_is(photo: Path, there: bytes) -> None:
    photo.write_bytes(photo_with(photo.read_bytes(), there))
    before = photo.read_bytes()
    with pytest.raises(SightlineError):
        embed(photo, OURS)
    assert photo.read_bytes() == before


def test_labels_that_are_too_many_for_a_segment_are_refused(photo: Path) -> None:
    with pytest.raises(NotEmbeddable, match="65504"):
        embed(photo, to_xmp(image(*(Label(f"label {number:099}", 50.0) for number in range(200)))))


def test_a_sidecar_of_ours_is_renewed_with_what_people_added_and_no_other_is_touched(photo: Path) -> None:
    path = write_sidecar(photo, OURS, STEM)
    assert path.name == "a b.xmp"
    dog = to_xmp(image(Label("Dog", 80.0)))
    assert write_sidecar(photo, dog, STEM).read_bytes() == dog
    path.write_bytes(dog.replace(b"<rdf:li>Dog</rdf:li>", b"<rdf:li>Dog</rdf:li><rdf:li>Mimi</rdf:li>", 1))
    assert len(list(others_beside(photo))) == 1
    write_sidecar(photo, OURS, STEM)
    assert [one.name for one in keywords_in(path.read_bytes())] == ["Mimi"]
    assert b"Dog" not in path.read_bytes()
    path.write_bytes(packet("Rome"))
    with pytest.raises(SightlineError, match="another program"):
        write_sidecar(photo, OURS, STEM)
    assert path.read_bytes() == packet("Rome")


def test_an_alternative_text_of_ours_is_renewed_and_somebody_elses_is_not_ours() -> None:
    told = to_xmp(dataclasses.replace(image(CAT), caption=Caption("A cat.", "A cat", "model")))
    assert Packet(told).is_ours_alone
    minka = told.replace(b">A cat<", b">Minka<")
    assert not Packet(minka).is_ours_alone
    dog = to_xmp(dataclasses.replace(image(CAT), caption=Caption("A dog.", "A dog", "model")))
    assert b">A cat<" not in (renewed := joined(Packet(told), Packet(dog), {}))
    assert b'xml:lang="x-default">A dog<' in renewed
    assert b"A dog" not in (kept := joined(Packet(minka), Packet(dog), {}))
    assert b">Minka<" in kept
    assert b"AltText=" not in kept
    assert joined(Packet(renewed), Packet(dog), {}) == renewed
    assert joined(Packet(kept), Packet(dog), {}) == kept
