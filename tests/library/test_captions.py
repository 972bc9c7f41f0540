"""Captions that are put together of labels and boxes."""

from __future__ import annotations

import pytest

from chalicelib.library.captions import template
from chalicelib.model import Box, Instance, Label


def boxed(name: str, *boxes: tuple[float, float, float, float], parents: tuple[str, ...] = ()) -> Label:
    return Label(name, 90.0, parents=parents, instances=tuple(Instance(90.0, Box(*one)) for one in boxes))


SOFA = (0.1, 0.5, 0.8, 0.4)
ON_IT = (0.3, 0.3, 0.2, 0.4)
BESIDE = (0.0, 0.1, 0.05, 0.2)


CAT = boxed("Domestic Cat", ON_IT, parents=("Cat",))
PEOPLE = boxed("Person", ON_IT, BESIDE)
WORN = (Label("Sunglasses", 60.0), Label("Grass", 50.0), Label("Compass", 40.0))


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ((CAT, Label("Cat", 95.0), boxed("Sofa", SOFA)), "A domestic cat on a sofa"),
        ((boxed("Sofa", SOFA), boxed("Lamp", BESIDE)), "A sofa and a lamp"),
        ((PEOPLE, boxed("Umbrella", BESIDE)), "Two people and an umbrella"),
        ((boxed("Bus", *[ON_IT] * 12),), "Many buses"),
        ((Label("Rocket", 60.0, parents=("Weapon",)), Label("Outdoors", 99.0)), "A rocket"),
        (WORN, "Sunglasses, grass and a compass"),
        ((Label("Minka", 100.0, source="person"),), "A Minka"),
    ],
)
def test_what_is_seen_is_put_into_a_sentence(labels: tuple[Label, ...], text: str) -> None:
    caption = template(labels)
    assert caption is not None
    assert (caption.text, caption.alt, caption.source) == (text, text, "template")


def test_where_nothing_was_recognised_there_is_no_caption() -> None:
    assert template(()) is None
