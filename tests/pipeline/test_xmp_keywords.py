"""Keywords in a photo's XMP count as a person's word (chalicelib/pipeline: keywords, sidecars)."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Busy, RecogniserRefused
from chalicelib.intake.objects import xmp_key
from chalicelib.library.bounds import MAX_USER_DATA_BYTES, user_data_bytes
from chalicelib.model import Asked, Image, Label, Model, ObjectUploaded
from chalicelib.model.xmp import to_xmp
from chalicelib.pipeline.curation import LabelEdit
from chalicelib.pipeline.repair import repair
from chalicelib.pipeline.xmp_keywords import LABELER_SECONDS
from tests.fakes.mail import handle
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World, s3_event
from tests.packets import packet, photo_with

KEY = "uploads/holiday/a.jpg"
ROMAN = photo_with(CAT, packet("Rome", lr_hierarchicalSubject=["Italy|Rome"]))
BESIDE = ["uploads/holiday/a.jpg.xmp", "uploads/holiday/a.xmp", "uploads/holiday/a.XMP"]


def labelled(world: World, content: bytes, key: str = KEY) -> Image:
    pipeline.label_image(world.drop(key, content), world)  # type: ignore[arg-type]
    return world.image_at(key)


def people_say(image: Image) -> dict[str, str]:
    return {one.name: one.by for one in image.corrections}


def names(image: Image) -> set[str]:
    return {label.name for label in image.labels}


def relabelled(world: World, image: Image) -> Image:
    pipeline.relabel(image.owner, image.id, Asked(), world)  # type: ignore[arg-type]
    while message := world.next_message():
        handle(message, world)
    return world.image_at(KEY)


def test_a_photos_own_keywords_are_labels_of_a_person_and_find_it(world: Any) -> None:
    image = labelled(world, ROMAN)
    rome = next(label for label in image.labels if label.name == "Rome")
    assert (rome.source, rome.confidence, rome.parents) == ("person", 100.0, ("Italy",))
    assert people_say(image) == {"Rome": "xmp"}
    assert world.counts() == {"cat": 1, "rome": 1, "italy": 1}
    assert pipeline.why("default", image.id, "rome", world).detail == "It is a keyword in the photo's XMP."
    assert "Rome" in world.history.of("default", image.id)[0].labels


def test_they_survive_another_recogniser(world: Any) -> None:
    image = labelled(world, ROMAN)
    world.recogniser = FakeRecogniser(Label("Dog", 80.0), model=Model("b", "2"))
    again = relabelled(world, image)
    assert names(again) == {"Rome", "Dog"}
    assert people_say(again) == {"Rome": "xmp"}


def test_who_takes_one_away_or_back_does_not_get_it_again(world: Any) -> None:
    image = labelled(world, ROMAN)
    pipeline.correct("default", image.id, [LabelEdit("rome", False)], world)
    assert "Rome" not in names(relabelled(world, image))
    pipeline.correct("default", image.id, [LabelEdit("rome", None)], world)
    assert "Rome" not in names(relabelled(world, image))
    pipeline.correct("default", image.id, [LabelEdit("rome", False)], world, lenient=True)
    other = labelled(world, photo_with(ROCKET, packet("Rome", "Night")))
    assert "Night" in names(other)


def test_a_renamed_label_is_called_so_in_xmp_too(world: Any) -> None:
    world.renames.add("default", "rome", "Roma")
    assert "Roma" in names(labelled(world, ROMAN))


def test_what_we_have_written_adds_nothing_when_it_comes_back(world: Any) -> None:
    image = labelled(world, ROMAN)
    pipeline.correct("default", image.id, [LabelEdit("Breakfast", True)], world)
    mine = to_xmp(world.image_at(KEY))
    assert people_say(labelled(world, photo_with(ROCKET, mine), "uploads/b.jpg")) == {}
    theirs = mine.replace(b"<rdf:li>Cat</rdf:li>", b"<rdf:li>Cat</rdf:li><rdf:li>Mimi</rdf:li>", 1)
    assert people_say(labelled(world, photo_with(CAT, theirs), "uploads/c.jpg")) == {"Mimi": "xmp"}


def test_a_photo_that_is_refused_keeps_its_keywords_and_hostile_ones_fail_no_photo(world: Any) -> None:
    hostile = packet("Rome", "x" * 200, "bell\x85", "a\ufffdb", *(f"{n:0120}" for n in range(300)))
    image = labelled(world, photo_with(CAT, hostile))
    assert image.status == "labelled"
    assert len(image.corrections) == 98  # of the first hundred without those that are no names

    def refuse(*_: object) -> None:
        raise RecogniserRefused("No.")

    world.recogniser.recognise = refuse
    assert people_say(labelled(world, photo_with(ROCKET, packet("Night")), "uploads/n.jpg")) == {
        "Night": "xmp"
    }


def test_where_there_is_no_room_for_keywords_the_photo_is_labelled_without(world: Any) -> None:
    image = labelled(world, CAT)
    parents = tuple(f"{number}" * 121 for number in range(4))
    said = [LabelEdit(f"word {number}", True, parents=parents) for number in range(160)]
    pipeline.correct("default", image.id, said, world)
    assert user_data_bytes(world.image_at(KEY)) > MAX_USER_DATA_BYTES - 5_000
    again = labelled(world, photo_with(ROCKET, packet(*(f"{n:0120}" for n in range(300)))))
    assert again.status == "labelled"
    assert "xmp" not in people_say(again).values()


# ── sidecars in the bucket ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("key", BESIDE)
def test_a_sidecar_that_comes_after_its_photo_speaks_to_it(world: Any, key: str) -> None:
    image = labelled(world, CAT)
    pipeline.label_or_leave(s3_event(world.drop(key, packet("Rome"))), world)
    assert people_say(world.image_at(KEY)) == {"Rome": "xmp"}
    assert [step.kind for step in world.history.of("default", image.id)] == ["corrected", "recognised"]
    assert world.counts() == {"cat": 1, "rome": 1}
    assert world.uploads_queue.messages == []


@pytest.mark.parametrize("key", BESIDE)
def test_a_sidecar_that_comes_first_is_found_by_its_photo(world: Any, key: str) -> None:
    pipeline.label_or_leave(s3_event(world.drop(key, packet("Rome"))), world)
    assert world.listed() == ()
    world.clock.forward(3 * 24 * 3600)
    assert people_say(labelled(world, CAT)) == {"Rome": "xmp"}


def test_a_labeler_that_had_not_heard_of_sidecars_is_waited_for_once(world: Any) -> None:
    photo = world.drop(KEY)
    sidecar = world.drop(BESIDE[0], packet("Rome"))
    find = world.images.find_with_rules

    def meanwhile(key: str) -> Any:
        found = find(key)
        world.images.find_with_rules = find
        with pytest.raises(Busy) as busy:  # the labeler has read the rules, and has no record yet
            pipeline.label_image(sidecar, world)
        assert busy.value.retry_after == LABELER_SECONDS
        return found

    world.images.find_with_rules = meanwhile
    pipeline.label_image(photo, world)
    assert people_say(world.image_at(KEY)) == {}
    world.clock.forward(LABELER_SECONDS)
    pipeline.label_image(sidecar, world)
    assert people_say(world.image_at(KEY)) == {"Rome": "xmp"}


def test_a_sidecar_speaks_to_its_own_photos_only(world: Any) -> None:
    keys = ["uploads/a.cr2", "uploads/a.jpg", "uploads/a.b.jpg", "uploads/ab.jpg", "uploads/x/a.jpg"]
    for key in keys:
        labelled(world, CAT, key)
    pipeline.label_image(world.drop("uploads/a.xmp", packet("Rome")), world)
    assert [key for key in keys if people_say(world.image_at(key))] == ["uploads/a.cr2", "uploads/a.jpg"]


def test_a_sidecar_is_no_image_and_nothing_asks_for_it(world: Any) -> None:
    for content in (packet("Rome"), b"no XMP", b"", packet("x") + b" " * (5 << 20)):
        pipeline.label_or_leave(s3_event(world.drop("uploads/alone.xmp", content)), world)
    pipeline.label_or_leave(s3_event(ObjectUploaded("uploads/alone.xmp", removed=True)), world)
    pipeline.label_or_leave(s3_event(ObjectUploaded("uploads/gone.xmp", "etag")), world)
    assert world.listed() == ()
    assert list(repair("default", world, mend=False)) == []
    assert world.uploads_queue.messages == []


def test_a_sidecar_for_a_photo_in_the_bin_or_without_a_bucket_name_does_no_harm(world: Any) -> None:
    image = labelled(world, CAT)
    pipeline.delete_image("default", image.id, world)
    pipeline.label_image(world.drop(BESIDE[0], packet("Rome")), world)
    assert people_say(world.image_at(KEY)) == {}
    pipeline.label_image(world.drop("uploads/.xmp", packet("Rome")), world)


def test_where_nobody_has_sidecars_nothing_looks_for_them(world: Any) -> None:
    looks: list[str] = []
    listed = world.objects.listed
    world.objects.listed = lambda prefix: looks.append(prefix) or listed(prefix)
    labelled(world, ROMAN)
    pipeline.label_image(world.drop(BESIDE[0], to_xmp(world.image_at(KEY))), world)  # our own
    labelled(world, ROCKET, "uploads/other.jpg")
    assert looks == []


def test_a_rename_of_labels_forgets_no_sidecars(world: Any) -> None:
    pipeline.label_image(world.drop(BESIDE[0], packet("Rome")), world)
    world.renames.add("default", "rome", "Roma")
    assert people_say(labelled(world, CAT)) == {"Roma": "xmp"}
    world.clock.forward(LABELER_SECONDS)
    assert world.renames.note_sidecars("default") < world.now()


def test_a_photo_with_keywords_that_is_renamed_in_the_bucket_stays_one_image(world: Any) -> None:
    image = labelled(world, ROMAN)
    world.project()
    labelled(world, ROMAN, "uploads/other.jpg")
    world.project()
    world.objects.stored.pop(KEY)
    world.clock.forward(10)
    pipeline.label_image(ObjectUploaded(KEY, removed=True), world)
    assert world.image_at("uploads/other.jpg").id == image.id


# ── our own sidecars in the bucket ────────────────────────────────────────────────────────────
@pytest.fixture(params=["1", "stem"])
def writing(request: pytest.FixtureRequest, world: Any) -> Any:
    """A stage that writes XMP beside its photos."""
    return world.with_settings(xmp_sidecar=request.param)


def sidecar_of(world: Any, key: str = KEY) -> str:
    return str(xmp_key(key, by_stem=world.settings.xmp_sidecar == "stem"))


def test_labels_are_written_beside_the_photo_and_go_with_it(writing: Any) -> None:
    image = labelled(writing, ROMAN)
    writing.project()
    beside = sidecar_of(writing)
    assert b"Italy|Rome" in writing.objects.stored[beside]
    pipeline.correct("default", image.id, [LabelEdit("Breakfast", True)], writing)
    writing.project()
    assert b"Breakfast" in writing.objects.stored[beside]
    pipeline.delete_image("default", image.id, writing)
    writing.project()
    assert beside not in writing.objects.stored
    pipeline.restore_image("default", image.id, writing)
    writing.project()
    assert beside in writing.objects.stored
    pipeline.delete_image("default", image.id, writing, permanent=True)
    writing.project()
    assert writing.objects.stored == {}


def test_the_event_of_our_own_sidecar_changes_nothing(writing: Any) -> None:
    image = labelled(writing, CAT)
    writing.project()
    told = ObjectUploaded(sidecar_of(writing), writing.objects.etag(sidecar_of(writing)))
    pipeline.label_or_leave(s3_event(told), writing)
    assert writing.image_at(KEY).result == image.result
    assert writing.renames.rules("default").sidecars is False


def test_a_sidecar_of_somebody_else_is_left_alone_and_what_they_say_counts(writing: Any) -> None:
    image = labelled(writing, CAT)
    writing.project()
    beside = sidecar_of(writing)
    theirs = writing.objects.stored[beside].replace(b"<rdf:li>Cat<", b"<rdf:li>Mimi</rdf:li><rdf:li>Cat<", 1)
    pipeline.label_image(writing.drop(beside, theirs), writing)
    writing.project()
    assert people_say(writing.image_at(KEY)) == {"Mimi": "xmp"}
    assert writing.objects.stored[beside] == theirs
    pipeline.delete_image("default", image.id, writing)
    writing.project()
    assert writing.objects.stored[beside] == theirs


def test_of_two_photos_of_one_stem_the_first_has_the_sidecar(world: Any) -> None:
    writing = world.with_settings(xmp_sidecar="stem")
    first, second = labelled(writing, CAT, "uploads/a.jpg"), labelled(writing, ROCKET, "uploads/a.png")
    writing.project()
    assert first.id.encode() in writing.objects.stored["uploads/a.xmp"]
    pipeline.delete_image("default", second.id, writing)
    writing.project()
    assert first.id.encode() in writing.objects.stored["uploads/a.xmp"]


def test_without_the_setting_nothing_is_written_beside_photos(world: Any) -> None:
    labelled(world, ROMAN)
    world.project()
    assert list(world.objects.stored) == [KEY]
