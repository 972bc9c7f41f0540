"""What the classifier and the detector say becomes one answer."""

from __future__ import annotations

from chalicelib.model import Box, Instance, Label
from chalicelib.recognition.boxes import within_picture
from chalicelib.recognition.merge import merged

ABOVE = {"Cat": ("Mammal", "Animal"), "Mammal": ("Animal",), "Animal": (), "Person": ()}
BOX = Box(0.0, 0.0, 0.5, 0.5)


def found(*scores: float) -> list[Instance]:
    return [Instance(score, BOX) for score in scores]


def by_name(labels: tuple[Label, ...]) -> dict[str, Label]:
    return {label.name: label for label in labels}


def test_the_more_confident_of_the_two_counts() -> None:
    classifier_is_surer = merged({"Person": 80.0}, {"Person": found(70)}, ABOVE)
    detector_is_surer = merged({"Person": 80.0}, {"Person": found(90)}, ABOVE)
    assert classifier_is_surer[0].confidence == 80
    assert detector_is_surer[0].confidence == 90


def test_a_detected_cat_is_an_animal_too_but_its_boxes_are_the_cats_alone() -> None:
    labels = by_name(merged({"Animal": 20.0}, {"Cat": found(74, 60)}, ABOVE))
    assert {name: label.confidence for name, label in labels.items()} == {
        "Cat": 74,
        "Mammal": 74,
        "Animal": 74,
    }
    assert [instance.confidence for instance in labels["Cat"].instances] == [74, 60]
    assert labels["Mammal"].instances == labels["Animal"].instances == ()


def test_a_detection_lowers_nothing() -> None:
    labels = by_name(merged({"Cat": 91.0, "Mammal": 95.0, "Animal": 99.0}, {"Cat": found(50)}, ABOVE))
    assert [labels[name].confidence for name in ("Cat", "Mammal", "Animal")] == [91, 95, 99]


def test_a_general_term_comes_before_what_it_stands_above() -> None:
    equally_sure = {"Cat": 90.0, "Mammal": 90.0, "Animal": 90.0, "Person": 90.0}
    names = [label.name for label in merged(equally_sure, {}, ABOVE)]
    for most in range(1, 5):
        assert all(set(ABOVE[name]) <= set(names[:most]) for name in names[:most])


def test_a_label_has_its_parents_and_the_most_general_of_them_as_its_category() -> None:
    labels = by_name(merged({"Cat": 90.0, "Mammal": 90.0, "Animal": 90.0}, {}, ABOVE))
    assert labels["Cat"].parents == ("Mammal", "Animal")
    assert {label.categories for label in labels.values()} == {("Animal",)}


def test_a_box_that_reaches_beyond_the_picture_is_cut() -> None:
    assert within_picture(-0.5, 0.25, 0.5, 1.5) == Box(0.0, 0.25, 0.5, 0.75)


def test_a_box_turned_inside_out_has_no_size() -> None:
    assert within_picture(0.5, 0.5, 0.25, 0.25) == Box(0.5, 0.5, 0.0, 0.0)
