"""A client of the running service: hands photos in the way a phone would, and waits for their labels."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

Json = dict[str, Any]

FINAL = ("labelled", "failed")
FOUND = 200  # where a new image would be a 201
PATIENCE_SECONDS = 60.0
_WAIT_SECONDS = 20  # the API's longest
_TIMEOUT = (5, 30)


class NotRunning(Exception):
    """Nobody answers at the service's address."""


class Refused(Exception):
    """The service turned a request down; the text is its sentence."""


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: the ``image`` as the API shows it, or a ``problem``; after ``seconds``.

    One that is ``known`` was not uploaded: an image had its bytes already.
    """

    name: str
    image: Json
    problem: str
    seconds: float
    known: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.problem)


class Client:
    """Talks to the service at ``url``, with a ``token`` where it asks for one.

    What is known there by its bytes is uploaded only if it is wanted ``again``.
    """

    def __init__(self, url: str, token: str = "", *, again: bool = False) -> None:
        self.url = url.rstrip("/")
        self._again = again
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def label(self, path: Path, name: str) -> Outcome:
        """Upload a file under ``name`` and wait until it is labelled; raises :exc:`NotRunning`."""
        started, known = time.monotonic(), False
        try:
            image, known = self._labelled(path, name)
            problem = _problem_of(image)
        except (Refused, OSError) as error:
            image, problem = {}, str(error)
        return Outcome(name, image, problem, time.monotonic() - started, known)

    def check(self) -> None:
        """Raise :exc:`NotRunning` unless the service answers."""
        self._call("GET", f"{self.url}/health")

    def _labelled(self, path: Path, name: str) -> tuple[Json, bool]:
        """The image of a file, and whether it was there already."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            unless = {} if self._again else {"sha256": digest, "if_known": "skip"}
            answer = self._call("POST", f"{self.url}/images", json={"filename": name, **unless})
            created = answer.json()
            if answer.status_code == FOUND:
                return created, True
            file.seek(0)
            # The bucket has no use for the token: the address itself is the permission.
            self._call("PUT", created["upload"]["url"], headers={}, data=file)
        return self._final(f"{self.url}/images/{created['id']}"), False

    def _final(self, address: str) -> Json:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            image: Json = self._call("GET", address, params={"wait": _WAIT_SECONDS}).json()
            if image["status"] in FINAL:
                return image
        raise Refused(f"not labelled within {PATIENCE_SECONDS:.0f} s")

    def _call(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            reply = requests.request(method, url, timeout=_TIMEOUT, **{"headers": self._headers, **options})
        except requests.RequestException as error:
            raise NotRunning(f"Nothing answers at {self.url}.") from error
        if not reply.ok:
            raise Refused(_sentence_of(reply))
        return reply


def _problem_of(image: Json) -> str:
    error = image.get("error")
    return f"{error['code']}: {error['detail']}" if error else ""


def _sentence_of(reply: requests.Response) -> str:
    if "problem+json" in reply.headers.get("Content-Type", ""):
        problem = reply.json()
        return f"{problem['code']}: {problem['detail']}"
    return f"HTTP {reply.status_code}"


def heading(names: Iterable[str]) -> str:
    """The first line of a table of photos with these names."""
    return f"  {'photo':{width_of(names)}}     ms   seen"


def width_of(names: Iterable[str]) -> int:
    """How wide the column of names is."""
    return max([len("photo"), *map(len, names)])


def line(outcome: Outcome, width: int) -> str:
    """A photo's name, the milliseconds, and its top labels or its problem."""
    seen = f"✗ {outcome.problem}" if outcome.failed else _seen(outcome.image["labels"])
    known = "known already: " if outcome.known else ""
    return f"  {outcome.name:{width}}  {outcome.seconds * 1000:5.0f}   {known}{seen}"


def _seen(labels: Sequence[Json], most: int = 3) -> str:
    """The most telling labels: those that are nobody's parent, each with its own nearest parents."""
    parents = {parent for label in labels for parent in label["parents"]}
    telling = [label for label in labels if label["name"] not in parents]
    return ", ".join(map(_told, telling[:most])) or "nothing it is sure of"


def _told(label: Json) -> str:
    above = f" ({', '.join(label['parents'][:3])})" if label["parents"] else ""
    return f"{label['name']} {label['confidence']:.0f}{above}"
