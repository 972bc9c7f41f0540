"""Rekognition is asked only where the embedded networks are unsure."""

from __future__ import annotations

from chalicelib.model import Box, Instance, Label, Model, RecognitionOptions
from chalicelib.recognition.cascade import CascadeRecogniser
from chalicelib.recognition.onnx import OnnxRecogniser
from tests.fakes.recogniser import FakeRecogniser
from tests.recognition.conftest import sample

USUAL = RecognitionOptions(min_confidence=55, max_labels=50)
BOXED = (Instance(80.0, Box(0.0, 0.0, 1.0, 1.0)),)


def asked(*seen: Label, options: RecognitionOptions = USUAL) -> list[RecognitionOptions]:
    """What the second is asked where the first saw this."""
    second = FakeRecogniser(Label("Cat", 99.0))
    CascadeRecogniser(FakeRecogniser(*seen), second, 70).recognise(sample("chelsea"), options)
    return second.options


def test_a_sure_special_label_is_enough() -> None:
    assert asked(Label("Animal", 90.0), Label("Cat", 70.0, parents=("Animal",))) == []


def test_a_sure_boxed_thing_is_enough() -> None:
    assert asked(Label("Person", 80.0, instances=BOXED)) == []


def test_a_general_term_alone_is_not_however_sure() -> None:
    assert asked(Label("Animal", 99.0), Label("Cat", 69.9, parents=("Animal",))) == [USUAL]


def test_seeing_nothing_at_all_is_unsure() -> None:
    assert asked() == [USUAL]


def test_what_a_filter_leaves_out_was_seen_all_the_same() -> None:
    options = RecognitionOptions(55, 50, include_labels=("Dog",))
    assert asked(Label("Cat", 95.0, parents=("Animal",)), options=options) == []


def test_what_only_the_second_can_give_is_asked_of_it_without_its_labels() -> None:
    first = FakeRecogniser(Label("Cat", 95.0, parents=("Animal",)))
    second = FakeRecogniser(Label("Dog", 99.0))
    second.rest = {"text": {"model_version": "3.0", "detections": []}}
    options = RecognitionOptions(55, 50, features=("labels", "text"))
    answer = CascadeRecogniser(first, second, 70).recognise(sample("chelsea"), options)
    assert [label.name for label in answer.labels] == ["Cat"]
    assert answer.text is not None
    assert [one.features for one in second.options] == [("text",)]


def test_without_labels_the_first_is_not_asked_at_all() -> None:
    first, second = FakeRecogniser(), FakeRecogniser()
    options = RecognitionOptions(55, 50, features=("text",))
    CascadeRecogniser(first, second, 70).recognise(sample("chelsea"), options)
    assert (first.options, second.options) == ([], [options])


def test_on_the_sample_photos_it_asks_for_the_rocket_alone(onnx: OnnxRecogniser) -> None:
    second = FakeRecogniser(Label("Rocket", 99.0))
    cascade = CascadeRecogniser(onnx, second, 70)
    deciders = {
        name: cascade.recognise(sample(name), USUAL).model
        for name in ("astronaut", "chelsea", "coffee", "rocket")
    }
    assert [name for name, model in deciders.items() if model == Model("fake", "1")] == ["rocket"]
    assert len(second.photos) == 1


def test_both_calls_are_counted(onnx: OnnxRecogniser) -> None:
    cascade = CascadeRecogniser(onnx, FakeRecogniser(Label("Rocket", 99.0)), 70)
    assert cascade.recognise(sample("rocket"), USUAL).calls == {"onnx": 1, "fake": 1}
    assert cascade.recognise(sample("chelsea"), USUAL).calls == {"onnx": 1}
