"""What every recogniser can do."""

from __future__ import annotations

from typing import Protocol

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Model, Photo, Recognition, RecognitionOptions


class Recogniser(Protocol):
    """Says what is on a photo. Implementations may be called from several threads at once."""

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        """Labels by falling confidence, as :mod:`~chalicelib.recognition.choice` has it; maybe none.

        Confidences are 0–100; boxes are fractions of the upright photo, inside 0–1. It ends, with an answer
        or an error, before ``time_left()`` is 0. Raises :exc:`~chalicelib.errors.UnusableImage` or
        :exc:`~chalicelib.errors.RecogniserRefused` where another try cannot help,
        :exc:`~chalicelib.errors.Unavailable` where it may.
        """
        ...

    @property
    def reads_bucket(self) -> bool:
        """Whether it reads the object under ``photo.key`` itself, and so may be shown a newer one."""
        ...

    @property
    def model(self) -> Model:
        """Who is going to answer; ``version`` is empty where only an answer tells.

        Two recognisers of one name and one version give the same answers to the same questions.
        """
        ...
