"""Values own their JSON: what is written is read back the same.

Holds `chalicelib/ids.py`, `chalicelib/model/image.py`, `chalicelib/model/json.py`,
`chalicelib/model/labels.py`, `chalicelib/model/recognition.py`, `chalicelib/model/uploads.py`.
"""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.model import Box, Failure, Image, Instance, Label, Location, Model, ObjectUploaded

percent = st.floats(0, 100).map(lambda x: round(x, 2))
fraction = st.floats(0, 1).map(lambda x: round(x, 5))
names = st.lists(st.text(max_size=20), max_size=3).map(tuple)
instances = st.builds(Instance, percent, st.builds(Box, fraction, fraction, fraction, fraction))
labels = st.builds(
    Label,
    name=st.text(max_size=30),
    confidence=percent,
    parents=names,
    aliases=names,
    categories=names,
    instances=st.lists(instances, max_size=2).map(tuple),
    source=st.sampled_from(["model", "person"]),
)
images = st.builds(
    Image,
    id=st.text(),
    owner=st.text(),
    key=st.text(),
    status=st.sampled_from(["awaiting_upload", "labelling", "labelled", "failed"]),
    filename=st.text(),
    created_at=st.text(),
    min_confidence=st.none() | percent,
    metadata=st.dictionaries(st.text(), st.text(), max_size=3),
    location=st.none() | st.builds(Location, st.floats(-90, 90), st.floats(-180, 180)),
    labels=st.lists(labels, max_size=3).map(tuple),
    model=st.none() | st.builds(Model, st.text(), st.text()),
    error=st.none() | st.builds(Failure, st.text(), st.text()),
    result=st.integers(0, 9),
)


@given(images)
def test_an_image_survives_its_json(image: Image) -> None:
    assert Image.from_json(json.loads(json.dumps(image.to_json()))) == image


@given(st.builds(ObjectUploaded, st.text(st.characters(exclude_categories=["Cs"])), st.text(), st.text()))
def test_an_upload_survives_the_notifications_encoding_of_keys(uploaded: ObjectUploaded) -> None:
    assert ObjectUploaded.from_json(json.loads(json.dumps(uploaded.to_json()))) == uploaded


def test_what_is_ours_alone_is_not_in_the_document() -> None:
    image = Image("1", "owner", "uploads/x", "labelled", "x", "2026-01-01", etag="e")
    assert not {"owner", "key", "etag", "sequencer", "version"} & set(image.document())


def test_a_record_written_by_a_later_version_with_more_fields_is_still_read() -> None:
    image = Image("1", "owner", "uploads/x", "labelled", "x", "2026-01-01")
    assert Image.from_json({**image.to_json(), "unheard_of": 1}) == image


def test_a_box_that_reaches_beyond_the_picture_is_cut() -> None:
    assert Box.between(-0.5, 0.25, 0.5, 1.5) == Box(0.0, 0.25, 0.5, 0.75)


def test_a_box_turned_inside_out_has_no_size() -> None:
    assert Box.between(0.5, 0.5, 0.25, 0.25) == Box(0.5, 0.5, 0.0, 0.0)
