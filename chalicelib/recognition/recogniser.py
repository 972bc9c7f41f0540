"""What every recogniser can do."""

from __future__ import annotations

from typing import Protocol

from chalicelib.model import Photo, Recognition, RecognitionOptions


class Recogniser(Protocol):
    """Says what is on a photo. Implementations may be called from several threads at once."""

    def recognise(self, photo: Photo, options: RecognitionOptions) -> Recognition:
        """Labels by falling confidence, none below ``min_confidence``, at most ``max_labels``; maybe none.

        Confidences are 0–100; boxes are fractions of the upright photo, inside 0–1. Raises
        :exc:`~chalicelib.errors.UnusableImage` or :exc:`~chalicelib.errors.RecogniserRefused` where another
        try cannot help, :exc:`~chalicelib.errors.Unavailable` where it may.
        """
        ...
