"""One answer out of what the classifier and the detector say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.model import Instance, Label

Instances = Mapping[str, Sequence[Instance]]
Above = Mapping[str, tuple[str, ...]]


def merged(
    confidences: Mapping[str, float], instances: Instances, above: Above, *, least: float = 0.0
) -> tuple[Label, ...]:
    """An image's labels from confidence ``least``, falling; ``above`` gives each name's general terms.

    A general term is at least as sure as what it stands above and comes before it where both are equally
    sure, so wherever the list is cut, a label keeps its parents. The most general term is the category.
    """
    sure = _raised(confidences, instances, above)
    order = sorted(
        (name for name in sure if sure[name] >= least), key=lambda name: (-sure[name], len(above[name]), name)
    )
    return tuple(
        Label(
            name,
            sure[name],
            parents=above[name],
            categories=(name, *above[name])[-1:],
            instances=tuple(instances.get(name, ())),
        )
        for name in order
    )


def _raised(confidences: Mapping[str, float], instances: Instances, above: Above) -> dict[str, float]:
    """The confidences, no lower than the best instance of a name or of anything below it."""
    sure = dict(confidences)
    for name, found in instances.items():
        best = max(instance.confidence for instance in found)
        for affected in (name, *above[name]):
            sure[affected] = max(best, sure.get(affected, 0.0))
    return sure
