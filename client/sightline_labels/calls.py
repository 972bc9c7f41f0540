"""Make one call of the API, or read a list page by page; helpers for paths, parameters and downloads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import requests

import sightline_labels
from sightline_labels.errors import NotReachable, SightlineError
from sightline_labels.transport import TRIES, Transport

Json = dict[str, Any]

PAGE = 200
CHUNK = 1 << 20


class Calls:
    """The base of :class:`sightline_labels.Client`: one connection, and how calls are made with it."""

    def __init__(
        self, url: str, token: str = "", *, tries: int = TRIES, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._transport = Transport(
            url, token, agent=f"sightline-labels/{sightline_labels.__version__}", tries=tries, sleep=sleep
        )
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Call any route; answers its JSON, ``None`` if it has none. ``options`` are those of requests."""
        reply = self._transport.call(method, path, **options)
        return reply.json() if reply.content else None

    def _document(self, method: str, path: str, **options: Any) -> Json:
        """The same of a route that always answers with a document."""
        document: Json = self.call(method, path, **options)
        return document

    def pages(self, path: str, name: str, most: int | None = None, **params: Any) -> Iterator[Json]:
        """The entries of a list under ``name``, page by page, at most ``most``."""
        count, cursor = 0, None
        while most is None or count < most:
            page = self.call("GET", path, params=given(**params, cursor=cursor))
            for one in page[name]:
                if most is not None and count >= most:
                    return
                count += 1
                yield one
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def health(self) -> Json:
        """The service's health, its version, and whether it asks for tokens; needs no token."""
        return self._document("GET", "/health")


def write_chunks(
    reply: requests.Response,
    file: BinaryIO,
    name: str,
    told: Callable[[int, int], object] = lambda count, size: None,
) -> None:
    """Write an answer's body to ``file``; ``told`` gets the bytes so far and their expected number."""
    count, size = 0, int(reply.headers.get("Content-Length", 0))
    try:
        for chunk in reply.iter_content(CHUNK):
            file.write(chunk)
            count += len(chunk)
            told(count, size)
    except requests.RequestException as error:
        raise NotReachable(f"The connection broke while {name} was downloaded.") from error


def given(**params: Any) -> Json:
    """The parameters that have a value."""
    return {name: value for name, value in params.items() if value not in (None, "", [])}


def page_size(most: int | None) -> int:
    return PAGE if most is None else max(1, min(PAGE, most))


def path_part(text: str) -> str:
    """An id or a name, quoted so that it stays one part of a path."""
    if text in ("", ".", ".."):
        raise SightlineError(f"{text!r} is not a valid id or name.")
    return quote(text, safe="")
