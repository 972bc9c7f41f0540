"""Pages of what a query asks for, newest first, at a cost that does not grow with the library."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chalicelib.library.algebra import inward
from chalicelib.library.catalogue import sizes_of
from chalicelib.library.conditions import FileNamed
from chalicelib.library.plan import Plan, counted_terms_of
from chalicelib.library.query import Query
from chalicelib.library.record import StoredImage, record_key
from chalicelib.library.streams import END, TOP, Exhausted, Reads, Stream, below
from chalicelib.model import Image, normalised
from chalicelib.table import BATCH_LIMIT, Table

MOST_READS = 2000  # items a request: entries, sizes and records
MOST_BYTES = 3_500_000  # of a page's documents: an answer of Lambda's holds 6 MB (Lambda quotas)
NAMED_AT_ONCE = 10


@dataclass(frozen=True)
class Page:
    """Images, newest first; ``next_at`` is where to go on, None where nothing follows.

    A page may hold fewer images than were asked for, even none, and more may follow all the same.
    """

    stored: tuple[StoredImage, ...]
    next_at: str | None

    @property
    def images(self) -> tuple[Image, ...]:
        """The images taken apart, for who wants more than to pass them on."""
        return tuple(one.image for one in self.stored)


class Search:
    """Finds images of an owner."""

    def __init__(self, table: Table, most_reads: int = MOST_READS) -> None:
        self._table = table
        self._most_reads = most_reads

    def page(self, owner: str, query: Query, *, limit: int, at: str = TOP) -> Page:
        """Up to ``limit`` images that ``query`` asks for, from the place ``at`` on."""
        root = query.root and inward(query.root)
        reads = Reads(self._table, self._most_reads)
        terms = counted_terms_of(root)
        reads.spend(len(terms))
        sizes = sizes_of(self._table, owner, terms) if terms else {}
        stream = Plan(reads, owner, sizes).stream(root)
        return _Pass(self._table, owner, query, reads, stream, at).page(limit)

    def latest_named(self, owner: str, filename: str) -> Image | None:
        """The newest image that has exactly this file name."""
        query, at = Query(FileNamed(normalised(filename))), TOP
        while at:
            page = self.page(owner, query, limit=NAMED_AT_ONCE, at=at)
            for image in page.images:
                if image.filename == filename:
                    return image
            at = page.next_at or ""
        return None


class _Pass:
    """One request's way down the stream: proposed ids are held to the query by their records."""

    def __init__(self, table: Table, owner: str, query: Query, reads: Reads, stream: Stream, at: str) -> None:
        self._table = table
        self._owner = owner
        self._query = query
        self._reads = reads
        self._stream = stream
        self._at = at
        self._given_back = False
        self._bytes = 0

    def page(self, limit: int) -> Page:
        found: list[StoredImage] = []
        proposed = 0
        try:
            while self._at != END and len(found) < limit and self._bytes < MOST_BYTES:
                ids = self._proposals(_enough(limit - len(found), proposed, len(found)))
                proposed += len(ids)
                found += self._held(ids, limit - len(found))
            if self._at != END and not self._given_back:
                self._reads.wanted = 1
                self._seek()
        except Exhausted:
            pass
        return Page(tuple(found), self._at or None)

    def _proposals(self, wanted: int) -> list[str]:
        """The next ids, at most as many as there may be records read; :exc:`Exhausted` if that is none."""
        ids: list[str] = []
        self._reads.wanted = wanted + 1
        try:
            while len(ids) < wanted and (found := self._seek()):
                self._reads.spend(1)  # for its record
                self._at = below(found)
                ids.append(found)
                self._reads.wanted -= 1
        except Exhausted:
            if not ids:
                raise
        return ids

    def _held(self, ids: list[str], most: int) -> list[StoredImage]:
        """Up to ``most`` images of the first ids whose records hold what is asked; the rest is given back."""
        records = self._table.get_many([record_key(self._owner, one) for one in ids])
        held: list[StoredImage] = []
        for image_id in ids:
            if len(held) == most or self._bytes >= MOST_BYTES:
                self._at, self._given_back = image_id, True
                break
            item = records.get(record_key(self._owner, image_id))
            stored = StoredImage(item) if item else None
            if stored and not stored.erased and self._holds(stored):
                held.append(stored)
                self._bytes += len(stored.text)
        return held

    def _holds(self, stored: StoredImage) -> bool:
        return self._query.root is None or self._query.holds(stored.id, stored.document)

    def _seek(self) -> str | None:
        try:
            found = self._stream.seek(self._at)
        finally:
            self._at = min(self._at, self._stream.at)
        return found


def _enough(missing: int, proposed: int, held: int) -> int:
    """How many proposals will probably give the ``missing`` images, going by how many have held so far."""
    wanted = missing * proposed / max(1, held) if proposed else missing
    return min(math.ceil(wanted), BATCH_LIMIT)
