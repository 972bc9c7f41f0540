"""What every recogniser keeps to: the fake as much as the real ones.

Holds `chalicelib/recognition/recogniser.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.aws import Patience
from chalicelib.model import Box, Instance, Label, Photo, Recognition, RecognitionOptions
from chalicelib.model.recognition import TOKENS
from chalicelib.recognition.bedrock import BedrockRecogniser
from chalicelib.recognition.cascade import CascadeRecogniser
from chalicelib.recognition.onnx import OnnxRecogniser
from chalicelib.recognition.openai import OpenAiRecogniser
from chalicelib.recognition.recogniser import Recogniser
from chalicelib.recognition.rekognition import RekognitionRecogniser
from chalicelib.recognition.sagemaker import SageMakerRecogniser
from tests.fakes.recogniser import FakeRecogniser
from tests.recognition.conftest import sample

Recognise = Callable[[Photo, RecognitionOptions], Recognition]
ANSWERS: dict[tuple[type, Photo, RecognitionOptions], Recognition] = {}
GENEROUS = RecognitionOptions(min_confidence=5, max_labels=100)


class RecogniserContract:
    """Held by a subclass whose ``ask`` fixture shows a cat to its recogniser; each question is asked once."""

    tells_where = True
    knows_kinds = True  # parents and categories

    @pytest.fixture
    def recognise(self, ask: Recognise) -> Recognise:
        def recognised(photo: Photo, options: RecognitionOptions) -> Recognition:
            question = (type(self), photo, options)
            if question not in ANSWERS:
                ANSWERS[question] = ask(photo, options)
            return ANSWERS[question]

        return recognised

    def test_a_cat_is_a_cat_and_an_animal(self, recognise: Recognise) -> None:
        labels = recognise(sample("chelsea"), GENEROUS).labels
        (cat,) = [label for label in labels if label.name == "Cat"]
        assert ("Animal" in cat.parents) == self.knows_kinds

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
        assert bool(boxes) == self.tells_where
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

    def test_what_was_seen_but_passed_over_is_told_apart(self, recognise: Recognise) -> None:
        everything = [label.name for label in recognise(sample("chelsea"), GENEROUS).labels]
        recognition = recognise(sample("chelsea"), dataclasses.replace(GENEROUS, max_labels=1))
        over = [label.name for label in recognition.passed_over]
        assert over == [name for name in everything[1:] if name in over]
        assert len(over) >= 1
        assert all(label.confidence >= 5 for label in recognition.passed_over)

    def test_what_is_below_the_threshold_was_seen_all_the_same(self, recognise: Recognise) -> None:
        recognition = recognise(sample("chelsea"), RecognitionOptions(100, 100))
        assert "Cat" in [label.name for label in recognition.passed_over]

    def test_an_excluded_label_is_left_out_whatever_its_case(self, recognise: Recognise) -> None:
        recognition = recognise(sample("chelsea"), dataclasses.replace(GENEROUS, exclude_labels=(" cAT ",)))
        assert "Cat" not in [label.name for label in recognition.labels]
        assert "Animal" in [label.name for label in recognition.labels]
        assert "Cat" in [label.name for label in recognition.passed_over]

    def test_with_included_labels_nothing_else_comes_and_the_limit_counts_only_them(
        self, recognise: Recognise
    ) -> None:
        options = RecognitionOptions(5, 1, include_labels=("cat", "no such label"))
        assert [label.name for label in recognise(sample("chelsea"), options).labels] == ["Cat"]

    def test_a_category_is_included_or_excluded_as_a_whole(self, recognise: Recognise) -> None:
        everything = recognise(sample("chelsea"), GENEROUS).labels
        if not self.knows_kinds:
            assert not any(label.categories for label in everything)
            return
        (category,) = next(label.categories for label in everything if label.name == "Cat")
        inside = {label.name for label in everything if category in label.categories}
        outside = {label.name for label in everything} - inside

        def named(**filters: tuple[str, ...]) -> set[str]:
            options = dataclasses.replace(GENEROUS, **filters)
            return {label.name for label in recognise(sample("chelsea"), options).labels}

        assert named(include_categories=(category.upper(),)) == inside
        assert named(exclude_categories=(category.upper(),)) == outside
        assert named(include_categories=(category,), exclude_labels=("cat",)) == inside - {"Cat"}

    def test_without_the_feature_no_labels_come(self, recognise: Recognise) -> None:
        recognition = recognise(sample("chelsea"), dataclasses.replace(GENEROUS, features=("text",)))
        assert recognition.labels == recognition.passed_over == ()

    def test_what_was_not_asked_for_is_not_given(self, recognise: Recognise) -> None:
        recognition = recognise(sample("chelsea"), GENEROUS)
        assert (recognition.properties, recognition.moderation, recognition.text) == (None, None, None)
        assert recognition.caption is None

    def test_the_answer_says_what_it_cost(self, recognise: Recognise) -> None:
        calls = recognise(sample("chelsea"), GENEROUS).calls
        assert calls
        assert all(number == 1 for name, number in calls.items() if not name.endswith(TOKENS))


class TestOnnx(RecogniserContract):
    @pytest.fixture
    def ask(self, onnx: OnnxRecogniser) -> Recognise:
        return onnx.recognise


class TestRekognitionOverHttp(RecogniserContract):
    @pytest.fixture
    def ask(self, rekognition_client: Any, patience: Patience) -> Recognise:
        return RekognitionRecogniser(rekognition_client, patience).recognise


class TestACascadeThatIsSure(RecogniserContract):
    @pytest.fixture
    def ask(self, onnx: OnnxRecogniser, rekognition_client: Any, patience: Patience) -> Recognise:
        rekognition = RekognitionRecogniser(rekognition_client, patience)
        return CascadeRecogniser(onnx, rekognition, threshold=10).recognise


class TestACascadeThatIsUnsure(RecogniserContract):
    @pytest.fixture
    def ask(self, onnx: OnnxRecogniser, rekognition_client: Any, patience: Patience) -> Recognise:
        rekognition = RekognitionRecogniser(rekognition_client, patience)
        return CascadeRecogniser(onnx, rekognition, threshold=100).recognise


class TestAnEndpoint(RecogniserContract):
    """The embedded classifier as a SageMaker endpoint: it says what is there, and not where."""

    tells_where = False

    @pytest.fixture
    def ask(self, endpoint: SageMakerRecogniser) -> Recognise:
        return endpoint.recognise


class TestAnOpenAiEndpoint(RecogniserContract):
    tells_where = knows_kinds = False

    @pytest.fixture
    def ask(self, openai: OpenAiRecogniser) -> Recognise:
        return openai.recognise


class TestBedrock(RecogniserContract):
    tells_where = knows_kinds = False

    @pytest.fixture
    def ask(self, bedrock: BedrockRecogniser) -> Recognise:
        return bedrock.recognise


class TestTheFake(RecogniserContract):
    @pytest.fixture
    def ask(self) -> Recognise:
        somewhere = Instance(90.0, Box.between(0.1, 0.1, 0.9, 0.9))
        fake: Recogniser = FakeRecogniser(
            Label("Cat", 93.0, ("Animal",), categories=("Animal",), instances=(somewhere,)),
            Label("Animal", 95.0, categories=("Animal",)),
            Label("Table", 60.0),
        )
        return fake.recognise
