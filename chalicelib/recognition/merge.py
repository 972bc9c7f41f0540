"""One answer out of what the classifier and the detector say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.model import Instance, Label, RecognitionOptions

Instances = Mapping[str, Sequence[Instance]]
Above = Mapping[str, tuple[str, ...]]


def merged(
    confidences: Mapping[str, float], instances: Instances, above: Above, options: RecognitionOptions
) -> tuple[Label, ...]:
    """The labels of an image by falling confidence; ``above`` gives each name's general terms.

    A general term is at least as sure as what it stands above and comes before it where both are equally
    sure, so wherever the list is cut, a label keeps its parents.
    """
    sure = _raised(confidences, instances, above)
    order = sorted(sure, key=lambda name: (-sure[name], len(above[name]), name))
    kept = [name for name in order if sure[name] >= options.min_confidence][: options.max_labels]
    answer = frozenset(kept)
    return tuple(
        Label(
            name,
            sure[name],
            parents=tuple(parent for parent in above[name] if parent in answer),
            instances=tuple(instances.get(name, ())),
        )
        for name in kept
    )


def _raised(confidences: Mapping[str, float], instances: Instances, above: Above) -> dict[str, float]:
    """The confidences, no lower than the best instance of a name or of anything below it."""
    sure = dict(confidences)
    for name, found in instances.items():
        best = max(instance.confidence for instance in found)
        for affected in (name, *above[name]):
            sure[affected] = max(best, sure.get(affected, 0.0))
    return sure
