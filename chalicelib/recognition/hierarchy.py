"""The tree of general terms above the classifier's classes: a cat is also a feline, a mammal, an animal."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.model import Instance, Label
from chalicelib.recognition.wordnet import ADDED, DROPPED, DROPPED_SENSES, MOVED, RENAMED

Instances = Mapping[str, Sequence[Instance]]
_SMALL_WORDS = frozenset({"of", "the", "for", "and", "des"})


@dataclass(frozen=True)
class Hierarchy:
    """Names in Title Case. ``classes`` has, for each class, a tuple of its own name and its general terms.

    ``above`` gives each name's general terms, the most special first. Several nodes of the tree may have one
    name ("food" is two); it is one label.
    """

    classes: tuple[tuple[str, ...], ...]
    above: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, path: Path) -> Hierarchy:
        """Read a JSON object: ``classes`` (how many), ``names``, ``wnid``, ``parents`` (lists of indices)."""
        data = json.loads(path.read_text(encoding="utf-8"))
        tree = _Tree(data["classes"], data["names"], data["wnid"], data["parents"])
        lineages = [tree.lineage(node) for node in range(len(tree.names))]
        return cls(tuple(lineages[: tree.classes]), _above(zip(tree.names, lineages, strict=True)))

    def over(self, classes: Iterable[str]) -> Hierarchy:
        """The same general terms for other classes; a name that is unknown here has none."""
        names = [title(" ".join(name.split())) for name in classes]
        lineages = tuple((name, *self.above.get(name, ())) for name in names)
        return Hierarchy(lineages, {**dict.fromkeys(names, ()), **self.above})

    def confidences(self, probabilities: Iterable[float]) -> dict[str, float]:
        """Add up the classes' probabilities (0–1) to the confidence (0–100) of each name that has one.

        A quantised network gives most classes none. Each class counts once for a name, so no name can exceed
        100. What counts for a name counts for the names above it, so these are at least as sure.
        """
        sums: defaultdict[str, float] = defaultdict(float)
        for names, probability in zip(self.classes, probabilities, strict=True):
            if probability:
                for name in names:
                    sums[name] += probability
        return {name: min(100.0, 100.0 * total) for name, total in sums.items()}

    def labels(
        self, confidences: Mapping[str, float], instances: Instances, *, least: float = 0.0
    ) -> tuple[Label, ...]:
        """An image's labels by falling confidence, down to ``least``: of a classifier and a detector.

        A general term is at least as sure as what it stands above and comes before it where both are equally
        sure, so wherever the list is cut, a label keeps its parents. The most general term is the category.
        """
        sure = dict(confidences)
        for name, found in instances.items():
            best = max(instance.confidence for instance in found)
            for affected in (name, *self.above[name]):
                sure[affected] = max(best, sure.get(affected, 0.0))
        order = sorted(
            (name for name in sure if sure[name] >= least),
            key=lambda name: (-sure[name], len(self.above[name]), name),
        )
        return tuple(
            Label(
                name,
                sure[name],
                parents=self.above[name],
                categories=(name, *self.above[name])[-1:],
                instances=tuple(instances.get(name, ())),
            )
            for name in order
        )


class _Tree:
    """The file's nodes with this project's corrections."""

    def __init__(
        self, classes: int, names: Sequence[str], wnids: Sequence[str], parents: Sequence[Sequence[int]]
    ) -> None:
        self.classes = classes
        self.names = [title(RENAMED.get(wnid, name)) for wnid, name in zip(wnids, names, strict=True)]
        index = {wnid: node for node, wnid in enumerate(wnids)}
        self._parents = [tuple(above) for above in parents]
        for wnid, above in MOVED.items():
            self._parents[index[wnid]] = tuple(index[one] for one in above)
        self._silent = {
            node
            for node in range(classes, len(names))
            if (wnids[node] not in RENAMED and names[node] in DROPPED) or wnids[node] in DROPPED_SENSES
        }

    def lineage(self, node: int) -> tuple[str, ...]:
        """The names of a node and of all nodes above it, nearest first, each once."""
        return tuple(dict.fromkeys(self.names[one] for one in self._upwards(node) if one not in self._silent))

    def _upwards(self, node: int) -> Iterator[int]:
        level = [node]
        while level:
            yield from level
            level = [above for one in level for above in self._parents[one]]


def _above(lineages: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """The general terms that all nodes of a name share, and those of the names that only the detector has."""
    by_name: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name, lineage in lineages:
        if name in lineage:
            by_name[name].append(lineage)
    above = {name: _shared(name, found) for name, found in by_name.items()}
    for name, parents in ADDED.items():
        terms = [term for parent in map(title, parents) for term in (parent, *above[parent])]
        above[title(name)] = tuple(terms)
    return {name: _most_special_first(terms, above) for name, terms in above.items()}


def _most_special_first(terms: Sequence[str], above: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(terms, key=lambda term: -len(above[term])))


def _shared(name: str, lineages: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    everywhere = frozenset.intersection(*map(frozenset, lineages))
    return tuple(term for term in lineages[0] if term in everywhere and term != name)


@functools.cache
def title(name: str) -> str:
    """A WordNet name in Title Case: ``bird of prey`` → ``Bird of Prey``, ``iPod`` stays."""
    return " ".join("-".join(map(_capitalised, word.split("-"))) for word in name.split(" "))


def _capitalised(word: str) -> str:
    return word if word in _SMALL_WORDS or not word.islower() else word[0].upper() + word[1:]
