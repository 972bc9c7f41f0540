"""A recogniser that is quick, and knows how many are with it at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.recogniser import recognition_of
from torture.album import Album

ANIMAL = "Animal"
SEEN = (Label("Cat", 93.0, parents=(ANIMAL,)), Label("Dog", 87.5, parents=(ANIMAL,)))
RECOGNITION_SECONDS = 0.01
MEETING_SECONDS = 60.0


def photos(seed: int) -> Callable[[int], bytes]:
    """Makes photos by their number, each unlike all others; the number decides what is to be seen on it."""
    picture = Album(seed).photo()
    return lambda number: picture + number.to_bytes(4, "big")  # viewers do not mind what follows a picture


class Crowd:
    """Sees a cat or a dog. The first ``places`` callers wait for each other, so that they are there at once.

    ``calls`` is how many came, ``most`` how many were there at once, ``early_peak`` the memory (MiB, as
    ``peak`` tells) when ``early`` had come.
    """

    reads_bucket = False

    def __init__(self, places: int, early: int, peak: Callable[[], float]) -> None:
        self._places = places
        self._early = early
        self._peak = peak
        self._meeting = threading.Barrier(places)
        self._lock = threading.Lock()
        self._there = 0
        self.calls = 0
        self.most = 0
        self.early_peak = 0.0

    @property
    def model(self) -> Model:
        return Model("crowd", "1")

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        """What is on the photo, after a moment."""
        number = self._enter()
        if number <= self._places:
            with contextlib.suppress(threading.BrokenBarrierError):  # then the figures tell that few came
                self._meeting.wait(MEETING_SECONDS)
        else:
            time.sleep(RECOGNITION_SECONDS)
        with self._lock:
            self._there -= 1
        seen = SEEN[photo.content[-1] % len(SEEN)]
        return recognition_of([seen], self.model, options, calls={"crowd": 1})

    def _enter(self) -> int:
        with self._lock:
            self.calls += 1
            self._there += 1
            self.most = max(self.most, self._there)
            if self.calls == self._early:
                self.early_peak = self._peak()
            return self.calls
