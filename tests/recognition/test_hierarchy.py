"""From a thousand probabilities and some boxes to labels that people use.

Holds `chalicelib/recognition/coco.py`, `chalicelib/recognition/wordnet.py`.
"""

from __future__ import annotations

import json
import random

import pytest

from chalicelib.model import Box, Instance, Label
from chalicelib.recognition import coco
from chalicelib.recognition.hierarchy import Hierarchy, title
from chalicelib.recognition.wordnet import (
    ADDED,
    CATALOGUE,
    DROPPED,
    DROPPED_SENSES,
    MOVED,
    RENAMED,
    ROLES,
    SCIENTIFIC,
    TOO_GENERAL,
)
from tests.recognition.conftest import MODELS

DATA = json.loads((MODELS / "imagenet_hierarchy.json").read_text())
CLASSES = DATA["names"][: DATA["classes"]]

ABOVE = {"Cat": ("Mammal", "Animal"), "Mammal": ("Animal",), "Animal": (), "Person": ()}
TREE = Hierarchy((), ABOVE)
BOX = Box(0.0, 0.0, 0.5, 0.5)


def seen(**probabilities: float) -> list[float]:
    """The classifier's output where some classes (``_`` for a space) have a probability."""
    by_class = {name.replace("_", " "): value for name, value in probabilities.items()}
    assert by_class.keys() <= set(CLASSES)
    return [by_class.get(name, 0.0) for name in CLASSES]


def test_three_unsure_cats_are_one_sure_cat(hierarchy: Hierarchy) -> None:
    sure = hierarchy.confidences(seen(tabby=0.18, Egyptian_cat=0.36, tiger_cat=0.37))
    assert sure["Tabby"] == pytest.approx(18)
    for name in ("Cat", "Feline", "Mammal", "Animal"):
        assert sure[name] == pytest.approx(91)


def test_a_cat_is_listed_under_its_general_terms_the_most_special_first(hierarchy: Hierarchy) -> None:
    assert hierarchy.above["Cat"] == ("Feline", "Carnivore", "Mammal", "Animal")
    assert hierarchy.above["Animal"] == ()


@pytest.mark.slow
def test_a_class_that_is_certain_makes_each_of_its_names_certain_and_no_more(hierarchy: Hierarchy) -> None:
    for number, its_names in enumerate(hierarchy.classes):
        certain = [float(number == other) for other in range(DATA["classes"])]
        assert hierarchy.confidences(certain) == dict.fromkeys(its_names, 100.0)


def test_names_with_several_meanings_are_summed_once(hierarchy: Hierarchy) -> None:
    assert DATA["names"].count("food") == 2
    assert hierarchy.confidences(seen(pizza=0.5, banana=0.25, espresso=0.25))["Food"] == 100.0


@pytest.mark.parametrize("seed", range(5))
def test_a_general_term_is_at_least_as_sure_as_what_it_stands_above(hierarchy: Hierarchy, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
    weights = [chance.expovariate(1) ** 4 for _ in CLASSES]
    sure = hierarchy.confidences(weight / sum(weights) for weight in weights)
    assert max(sure.values()) <= 100
    for name, confidence in sure.items():
        assert all(sure[term] >= confidence for term in hierarchy.above[name]), name


def test_general_terms_never_run_in_circles(hierarchy: Hierarchy) -> None:
    for name, terms in hierarchy.above.items():
        assert name not in terms
        assert all(name not in hierarchy.above[term] for term in terms)


def test_every_general_term_of_a_general_term_is_listed(hierarchy: Hierarchy) -> None:
    for name, terms in hierarchy.above.items():
        assert all(set(hierarchy.above[term]) <= set(terms) for term in terms), name


def test_a_number_of_probabilities_that_does_not_fit_is_refused(hierarchy: Hierarchy) -> None:
    with pytest.raises(ValueError, match="shorter"):
        hierarchy.confidences([0.5])


@pytest.mark.parametrize(
    "name",
    ["Entity", "Whole", "Artifact", "Instrumentality", "Chordate", "Vertebrate", "Placental", "Conveyance"],
)
def test_names_that_nobody_uses_are_no_labels(hierarchy: Hierarchy, name: str) -> None:
    assert name not in hierarchy.above
    assert not any(name in names for names in hierarchy.classes)


@pytest.mark.parametrize(
    ("seen_class", "never"),
    [
        ("espresso", {"Drug", "Drug of Abuse", "Alcohol"}),
        ("cup", {"Alcohol", "Punch", "Beverage"}),
        ("sports car", {"Container"}),
        ("Border collie", {"Hunting Dog", "Working Dog"}),
        ("face powder", {"Medicine", "Drug"}),
        ("sunglass", {"Lens", "Converging Lens"}),
        ("groom", {"Contestant"}),
        ("monitor", {"Lizard", "Reptile", "Animal"}),
        ("plane", {"Plane", "Airplane"}),
        ("kite", {"Kite"}),
        ("bottlecap", {"Cap"}),
    ],
)
def test_what_a_person_would_take_for_a_mistake_is_not_said(
    hierarchy: Hierarchy, seen_class: str, never: set[str]
) -> None:
    assert not never & set(hierarchy.classes[CLASSES.index(seen_class)])


@pytest.mark.parametrize(
    ("seen_class", "also"),
    [
        ("coffee mug", "Cup"),
        ("projectile", "Rocket"),
        ("sunglass", "Sunglasses"),
        ("tub", "Bathtub"),
        ("notebook", "Laptop"),
        ("tusker", "Elephant"),
        ("running shoe", "Clothing"),
        ("ice bear", "Polar Bear"),
        ("cellular telephone", "Telephone"),
        ("maillot", "Swimsuit"),
        ("pickelhaube", "Headwear"),
        ("school bus", "Vehicle"),
        ("missile", "Rocket"),
    ],
)
def test_what_a_person_would_look_for_is_said(hierarchy: Hierarchy, seen_class: str, also: str) -> None:
    assert also in hierarchy.classes[CLASSES.index(seen_class)]


def test_every_name_that_is_dropped_or_corrected_is_in_the_tree() -> None:
    assert set(DATA["names"][DATA["classes"] :]) >= DROPPED
    moved_to = {wnid for above in MOVED.values() for wnid in above}
    assert set(DATA["wnid"]) >= {*RENAMED, *MOVED, *moved_to, *DROPPED_SENSES}


def test_a_name_is_dropped_for_one_reason() -> None:
    assert len(DROPPED) == len(TOO_GENERAL) + len(CATALOGUE) + len(SCIENTIFIC) + len(ROLES)


def test_every_class_keeps_its_own_name(hierarchy: Hierarchy) -> None:
    for number, name in enumerate(CLASSES):
        assert hierarchy.classes[number][0] == title(RENAMED.get(DATA["wnid"][number], name))


def test_everything_that_the_detector_knows_has_a_place(hierarchy: Hierarchy) -> None:
    assert len(coco.NAMES) == 80
    assert {title(name) for name in coco.NAMES.values()} <= hierarchy.above.keys()


def test_what_was_added_for_the_detector_is_something_the_detector_says() -> None:
    assert ADDED.keys() <= set(coco.NAMES.values())


def test_a_giraffe_which_no_class_knows_is_an_animal(hierarchy: Hierarchy) -> None:
    assert hierarchy.above["Giraffe"] == ("Ungulate", "Mammal", "Animal")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bird of prey", "Bird of Prey"),
        ("iPod", "iPod"),
        ("three-toed sloth", "Three-Toed Sloth"),
        ("yellow lady's slipper", "Yellow Lady's Slipper"),
        ("CD player", "CD Player"),
        ("Old World monkey", "Old World Monkey"),
    ],
)
def test_names_are_shown_in_title_case(name: str, shown: str) -> None:
    assert title(name) == shown


def found(*scores: float) -> list[Instance]:
    return [Instance(score, BOX) for score in scores]


def by_name(labels: tuple[Label, ...]) -> dict[str, Label]:
    return {label.name: label for label in labels}


def test_the_more_confident_of_the_two_counts() -> None:
    classifier_is_surer = TREE.labels({"Person": 80.0}, {"Person": found(70)})
    detector_is_surer = TREE.labels({"Person": 80.0}, {"Person": found(90)})
    assert classifier_is_surer[0].confidence == 80
    assert detector_is_surer[0].confidence == 90


def test_a_detected_cat_is_an_animal_too_but_its_boxes_are_the_cats_alone() -> None:
    labels = by_name(TREE.labels({"Animal": 20.0}, {"Cat": found(74, 60)}))
    assert {name: label.confidence for name, label in labels.items()} == {
        "Cat": 74,
        "Mammal": 74,
        "Animal": 74,
    }
    assert [instance.confidence for instance in labels["Cat"].instances] == [74, 60]
    assert labels["Mammal"].instances == labels["Animal"].instances == ()


def test_a_detection_lowers_nothing() -> None:
    labels = by_name(TREE.labels({"Cat": 91.0, "Mammal": 95.0, "Animal": 99.0}, {"Cat": found(50)}))
    assert [labels[name].confidence for name in ("Cat", "Mammal", "Animal")] == [91, 95, 99]


def test_a_general_term_comes_before_what_it_stands_above() -> None:
    equally_sure = {"Cat": 90.0, "Mammal": 90.0, "Animal": 90.0, "Person": 90.0}
    names = [label.name for label in TREE.labels(equally_sure, {})]
    for most in range(1, 5):
        assert all(set(ABOVE[name]) <= set(names[:most]) for name in names[:most])


def test_a_label_has_its_parents_and_the_most_general_of_them_as_its_category() -> None:
    labels = by_name(TREE.labels({"Cat": 90.0, "Mammal": 90.0, "Animal": 90.0}, {}))
    assert labels["Cat"].parents == ("Mammal", "Animal")
    assert {label.categories for label in labels.values()} == {("Animal",)}
