"""What a query finds is written into files in the bucket, as much at a time as a request can bear."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.delivery.listings import MEDIA_TYPES, Format, head, written
from chalicelib.errors import TooManyRequests
from chalicelib.expressions import Delete, Key, Put
from chalicelib.ids import new_id, rfc3339
from chalicelib.library.query import Query
from chalicelib.library.streams import TOP
from chalicelib.quotas import put_within
from chalicelib.wiring import Services

SECONDS = 15.0  # of API Gateway's 29, half of which are left for writing the file
MOST_BYTES = 64 * 1024 * 1024  # of a file, from which on it is full; the function has 512 MB
PAGE = 200
MOST_AT_ONCE = 4  # of one owner: each holds one of the API's functions
LEASE_SECONDS = 60


@dataclass(frozen=True)
class ExportedFile:
    """A file of so many ``images``, for a while under ``url``; ``next_at`` is where the next one begins."""

    url: str
    images: int
    next_at: str | None


def export(
    owner: str,
    query: Query,
    form: Format,
    services: Services,
    *,
    marked: bool = False,
    at: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ExportedFile:
    """Write what ``query`` finds from the place ``at`` on, newest first, until file or time is full.

    A ``marked`` file begins with a byte order mark, by which Excel knows UTF-8.

    :raises TooManyRequests: so many of this owner's are being written.
    """
    with _one_of_few(owner, services):
        return _written(owner, query, form, services, marked=marked, at=at, clock=clock)


@contextmanager
def _one_of_few(owner: str, services: Services) -> Iterator[None]:
    """Hold one of the places for exports of an owner; one that dies leaves it after a minute."""
    now, place = services.now(), Key(f"{owner}#exporting", new_id())
    held = Put(place, {"expires_at": int(now) + LEASE_SECONDS})
    if not put_within(services.table, held, MOST_AT_ONCE, now):
        raise TooManyRequests(
            f"{MOST_AT_ONCE} exports are being written, which are the most at a time.",
            code="too-many-exports",
            retry_after=SECONDS,
        )
    try:
        yield
    finally:
        services.table.write(Delete(place))


def _written(
    owner: str,
    query: Query,
    form: Format,
    services: Services,
    *,
    marked: bool,
    at: str | None,
    clock: Callable[[], float],
) -> ExportedFile:
    deadline = clock() + SECONDS
    content = bytearray(codecs.BOM_UTF8 * marked + head(form))
    images, place = 0, at or TOP
    while place and len(content) < MOST_BYTES and clock() < deadline:
        page = services.search.page(owner, query, limit=PAGE, at=place)
        content += written(page.images, form)
        images += len(page.images)
        place = page.next_at or ""
    return ExportedFile(_stored(owner, bytes(content), form, services), images, place or None)


def _stored(owner: str, content: bytes, form: Format, services: Services) -> str:
    """A link to a new file; the bucket's lifecycle removes it after a day."""
    key = f"exports/~{owner}/{new_id()}.{form}"
    services.objects.put(key, content, MEDIA_TYPES[form])
    name = f"images-{rfc3339(services.now())[:10]}.{form}"
    return services.objects.presigned_get(key, filename=name, content_type=MEDIA_TYPES[form])
