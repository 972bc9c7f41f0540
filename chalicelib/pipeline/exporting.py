"""What a query finds is written into files in the bucket, as much at a time as a request can bear."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.delivery.listings import MEDIA_TYPES, Format, head, written
from chalicelib.ids import new_id, rfc3339
from chalicelib.library.query import Query
from chalicelib.library.streams import TOP
from chalicelib.wiring import Services

SECONDS = 15.0  # of API Gateway's 29, half of which are left for writing the file
MOST_BYTES = 64 * 1024 * 1024  # of a file, from which on it is full; the function has 512 MB
PAGE = 200


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
    """
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
