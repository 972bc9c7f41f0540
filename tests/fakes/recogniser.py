"""A recogniser that sees what it is told to see and remembers what it was shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.recogniser import recognition_of


class FakeRecogniser:
    """Gives ``labels`` within the options asked for; before that raises ``raises`` and calls ``before``."""

    reads_bucket = True

    def __init__(
        self,
        *labels: Label,
        raises: Sequence[Exception] = (),
        before: Callable[[], None] = lambda: None,
        model: Model = Model("fake", "1"),  # noqa: B008 - frozen
        tells_version: bool = True,
    ) -> None:
        self._model = model
        self._tells_version = tells_version
        self._labels = labels
        self._raises = list(raises)
        self._before = before
        self.photos: list[Photo] = []
        self.options: list[RecognitionOptions] = []
        self.seconds_left: list[float] = []
        self.rest: dict[str, Any] = {}  # other fields of the recognition

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        self.seconds_left.append(time_left())
        self.photos.append(photo)
        self.options.append(options)
        self._before()
        if self._raises:
            raise self._raises.pop(0)
        return recognition_of(self._labels, self._model, options, **{"calls": {"fake": 1}, **self.rest})

    @property
    def model(self) -> Model:
        return self._model if self._tells_version else Model(self._model.name, "")
