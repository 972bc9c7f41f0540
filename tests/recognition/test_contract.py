"""What every recogniser keeps to: the fake as much as the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.model import Instance, Label, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.boxes import within_picture
from chalicelib.recognition.onnx import OnnxRecogniser
from chalicelib.recognition.recogniser import Recogniser
from chalicelib.recognition.rekognition import RekognitionRecogniser
from tests.fakes.recogniser import FakeRecogniser
from tests.recognition.conftest import sample
from tests.stubs.rekognition import CAT_AND_TABLE, cut

Recognise = Callable[[Photo, RecognitionOptions], Recognition]
GENEROUS = RecognitionOptions(min_confidence=5, max_labels=100)


class RecogniserContract:
    """Held by a subclass whose ``recognise`` fixture shows a cat to its recogniser."""

    def test_a_cat_is_a_cat_and_an_animal(self, recognise: Recognise) -> None:
        labels = recognise(sample("chelsea"), GENEROUS).labels
        (cat,) = [label for label in labels if label.name == "Cat"]
        assert "Animal" in cat.parents

    def test_the_surest_label_comes_first(self, recognise: Recognise) -> None:
        sure = [label.confidence for label in recognise(sample("chelsea"), GENEROUS).labels]
        assert len(sure) > 1
        assert sure == sorted(sure, reverse=True)

    def test_confidences_lie_between_0_and_100(self, recognise: Recognise) -> None:
        for label in recognise(sample("chelsea"), GENEROUS).labels:
            assert 0 <= label.confidence <= 100
            assert all(0 <= instance.confidence <= 100 for instance in label.instances)

    def test_nothing_is_less_sure_than_what_was_asked_for(self, recognise: Recognise) -> None:
        everything = recognise(sample("chelsea"), GENEROUS).labels
        some = recognise(sample("chelsea"), RecognitionOptions(70, 100)).labels
        assert some
        assert {label.name for label in some} == {one.name for one in everything if one.confidence >= 70}

    def test_no_more_labels_come_than_were_asked_for(self, recognise: Recognise) -> None:
        everything = recognise(sample("chelsea"), GENEROUS).labels
        first = recognise(sample("chelsea"), RecognitionOptions(5, 2)).labels
        assert [label.name for label in first] == [label.name for label in everything[:2]]

    def test_no_labels_at_all_is_an_answer(self, recognise: Recognise) -> None:
        assert recognise(sample("chelsea"), RecognitionOptions(100, 100)).labels == ()

    def test_every_name_comes_once_and_says_something(self, recognise: Recognise) -> None:
        labels = recognise(sample("chelsea"), GENEROUS).labels
        names = [label.name for label in labels]
        assert len(names) == len(set(names))
        assert all(name.strip() for label in labels for name in (label.name, *label.parents))

    def test_no_label_is_its_own_parent(self, recognise: Recognise) -> None:
        assert not [one for one in recognise(sample("chelsea"), GENEROUS).labels if one.name in one.parents]

    def test_boxes_lie_inside_the_picture(self, recognise: Recognise) -> None:
        labels = recognise(sample("chelsea"), GENEROUS).labels
        boxes = [instance.box for label in labels for instance in label.instances]
        assert boxes
        for box in boxes:
            assert box.left >= 0
            assert box.top >= 0
            assert box.width > 0
            assert box.height > 0
            assert box.left + box.width <= 1 + 1e-9
            assert box.top + box.height <= 1 + 1e-9

    def test_labels_survive_their_json(self, recognise: Recognise) -> None:
        for label in recognise(sample("chelsea"), GENEROUS).labels:
            assert Label.from_json(label.to_json()).name == label.name
            assert Label.from_json(label.to_json()).to_json() == label.to_json()

    def test_the_answer_says_who_gave_it(self, recognise: Recognise) -> None:
        model = recognise(sample("chelsea"), GENEROUS).model
        assert model.name
        assert model.version


class TestOnnx(RecogniserContract):
    @pytest.fixture
    def recognise(self, onnx: OnnxRecogniser) -> Recognise:
        return onnx.recognise


class TestRekognitionThroughTheStubber(RecogniserContract):
    @pytest.fixture
    def recognise(self, aws_credentials: None) -> Iterator[Recognise]:
        client = boto3.client("rekognition")
        with Stubber(client) as stubber:
            yield lambda photo, options: self.stubbed(client, stubber, photo, options)
            stubber.assert_no_pending_responses()
        client.close()

    def stubbed(
        self, client: Any, stubber: Stubber, photo: Photo, options: RecognitionOptions
    ) -> Recognition:
        asked, most = options.min_confidence, options.max_labels
        stubber.add_response(
            "detect_labels",
            cut(CAT_AND_TABLE, min_confidence=asked, max_labels=most),
            {
                "Image": {"S3Object": {"Bucket": photo.bucket, "Name": photo.key}},
                "MinConfidence": asked,
                "MaxLabels": most,
            },
        )
        return RekognitionRecogniser(client).recognise(photo, options)


class TestRekognitionOverHttp(RecogniserContract):
    @pytest.fixture
    def recognise(self, rekognition_client: Any) -> Recognise:
        return RekognitionRecogniser(rekognition_client).recognise


class TestTheFake(RecogniserContract):
    @pytest.fixture
    def recognise(self) -> Recognise:
        somewhere = Instance(90.0, within_picture(0.1, 0.1, 0.9, 0.9))
        fake: Recogniser = FakeRecogniser(
            Label("Cat", 93.0, parents=("Animal",), instances=(somewhere,)),
            Label("Animal", 95.0),
            Label("Table", 60.0),
        )
        return fake.recognise
