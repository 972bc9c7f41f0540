"""A recogniser that sees what it is told to see and remembers what it was shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.model import Label, Model, Photo, Recognition, RecognitionOptions


class FakeRecogniser:
    """Gives ``labels`` within the options asked for; before that raises ``raises`` and calls ``before``."""

    def __init__(
        self,
        *labels: Label,
        raises: Sequence[Exception] = (),
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._labels = labels
        self._raises = list(raises)
        self._before = before
        self.photos: list[Photo] = []
        self.options: list[RecognitionOptions] = []

    def recognise(self, photo: Photo, options: RecognitionOptions) -> Recognition:
        self.photos.append(photo)
        self.options.append(options)
        self._before()
        if self._raises:
            raise self._raises.pop(0)
        sure = [label for label in self._labels if label.confidence >= options.min_confidence]
        sure.sort(key=lambda label: -label.confidence)
        return Recognition(tuple(sure[: options.max_labels]), Model("fake", "1"))
