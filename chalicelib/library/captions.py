"""Template captions: made from labels if neither a model nor a person has written one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from chalicelib.model import Caption, Label, normalised

MOST_NAMED = 3
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}
_PLURALS = (
    (re.compile("person$"), "people"),
    (re.compile("child$"), "children"),
    (re.compile("man$"), "men"),
    (re.compile("mouse$"), "mice"),
    (re.compile("(sheep|deer|fish|aircraft|scissors|glasses)$"), r"\1"),
    (re.compile("([^aeiou])y$"), r"\1ies"),
    (re.compile("(ch|sh|s|x|z)$"), r"\1es"),
    (re.compile("$"), "s"),
)
# Uncountable nouns take no article.
_UNCOUNTED = {
    "bread",
    "clothing",
    "food",
    "footwear",
    "fruit",
    "furniture",
    "grass",
    "hair",
    "jewelry",
    "land",
}
_UNCOUNTED |= {"luggage", "meat", "nature", "outdoors", "rice", "sand", "snow", "text", "water", "wood"}


def template(labels: Sequence[Label]) -> Caption | None:
    """A caption with the most confident specific labels, and what stands on what; None without labels."""
    names = _named(labels)
    if not names:
        return None
    below = _ground(names)
    things = [_counted(one) for one in names if one is not below]
    sentence = in_words(things) + (f" on {_counted(below)}" if below else "")
    sentence = sentence[0].upper() + sentence[1:]
    return Caption(sentence, sentence, "template", "en")


def _named(labels: Sequence[Label]) -> list[Label]:
    """The labels to name: no parents of other labels; only those with boxes or parents, if there are any."""
    general = Counter(normalised(name) for label in labels for name in label.parents)
    special = [label for label in labels if normalised(label.name) not in general]
    telling = [label for label in special if label.instances or label.parents]
    return (telling or special)[:MOST_NAMED]


def _ground(names: Iterable[Label]) -> Label | None:
    """The label that another one stands on, judged by the boxes of labels with one instance; or None."""
    single = [one for one in names if len(one.instances) == 1]
    for below in single:
        ground = below.instances[0].box
        for other in single:
            box = other.instances[0].box
            foot, middle = box.top + box.height, box.left + box.width / 2
            within = ground.left <= middle <= ground.left + ground.width
            stands = ground.top < foot <= ground.top + ground.height and box.top < ground.top
            if other is not below and within and stands and box.width < ground.width:
                return below
    return None


def _counted(label: Label) -> str:
    name, number = label.name if label.source == "person" else label.name.lower(), len(label.instances)
    if number > 1:
        return f"{_NUMBERS.get(number, 'many')} {_plural(name)}"
    last = name.split()[-1].lower()
    if last in _UNCOUNTED or (last.endswith("s") and not last.endswith(("ss", "us"))):
        return name
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _plural(name: str) -> str:
    end, put = next((end, put) for end, put in _PLURALS if end.search(name))
    return end.sub(put, name, count=1)


def in_words(names: Sequence[str]) -> str:
    """One name or more as a part of a sentence: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
