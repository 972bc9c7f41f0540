"""Exports the images of a query as CSV or JSON Lines files in the bucket, one file for each request."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.errors import Conflict, TooManyRequests
from chalicelib.export.tabular import MEDIA_TYPES, Format, head, written
from chalicelib.export.withdrawal import withdraw
from chalicelib.expressions import Delete, Key, Put
from chalicelib.ids import new_id, rfc3339
from chalicelib.library.manifests import Manifest
from chalicelib.library.query import Query
from chalicelib.library.streams import TOP
from chalicelib.quotas import put_within
from chalicelib.wiring import Services

SECONDS = 15.0  # of API Gateway's 29; the rest is for writing the file
MOST_BYTES = 64 * 1024 * 1024  # size at which a file is full; the function has 512 MB of memory
PAGE = 200
MOST_AT_ONCE = 4  # concurrent exports of one owner: each occupies one of the API's functions
LEASE_SECONDS = 60


@dataclass(frozen=True)
class ExportedFile:
    """A file with a number of ``images``, a presigned ``url``, and the cursor of the next file (``next_at``).

    The bucket's lifecycle deletes the file after a day; erasing one of its images deletes it at once.
    """

    url: str
    images: int
    next_at: str | None


def write_listing(
    owner: str,
    query: Query,
    form: Format,
    services: Services,
    *,
    marked: bool = False,
    at: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ExportedFile:
    """Write the images of ``query`` from the cursor ``at`` on, newest first, until file or time is used up.

    A ``marked`` file begins with a byte order mark, so that Excel reads it as UTF-8.

    :raises TooManyRequests: too many exports of this owner are being written.
    :raises Conflict: one of the images was erased meanwhile.
    """
    with _one_of_few(owner, services):
        return _written(owner, query, form, services, marked=marked, at=at, clock=clock)


@contextmanager
def _one_of_few(owner: str, services: Services) -> Iterator[None]:
    """Count an export of the owner as running inside the block; after a crash for at most a minute."""
    now, place = services.now(), Key(f"{owner}#exporting", new_id())
    held = Put(place, {"expires_at": int(now) + LEASE_SECONDS})
    if not put_within(services.table, held, MOST_AT_ONCE, now):
        raise TooManyRequests(
            f"{MOST_AT_ONCE} exports are being written, which is the maximum.",
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
    deadline, export_id = clock() + SECONDS, new_id()
    file = f"exports/~{owner}/{export_id}.{form}"
    manifest = Manifest(owner, export_id, file, ids=f"exports/~{owner}/{export_id}.ids")
    services.manifests.begin(manifest)
    content = bytearray(codecs.BOM_UTF8 * marked + head(form))
    ids: list[str] = []
    place = at or TOP
    while place and len(content) < MOST_BYTES and clock() < deadline:
        page = services.search.page(owner, query, limit=PAGE, at=place)
        content += written(page.images, form)
        ids += [one.id for one in page.stored]
        place = page.next_at or ""
    services.objects.put(manifest.ids, "\n".join(ids).encode(), "text/plain")
    services.objects.put(file, bytes(content), MEDIA_TYPES[form])
    _refuse_erased(manifest, ids, services)
    name = f"images-{rfc3339(services.now())[:10]}.{form}"
    link = services.objects.presigned_get(file, filename=name, content_type=MEDIA_TYPES[form])
    return ExportedFile(link, len(ids), place or None)


def _refuse_erased(manifest: Manifest, ids: Iterable[str], services: Services) -> None:
    """Withdraw a file with an image that was erased while the file was written.

    If an image is erased later, the projection finds it in the manifest.
    """
    known = services.manifests.find(manifest.owner, manifest.export_id)
    if known is None or known.withdrawn or not known.erased.isdisjoint(ids):
        withdraw(manifest, services)
        raise Conflict("One of the images was erased meanwhile; ask again.", code="export-withdrawn")
