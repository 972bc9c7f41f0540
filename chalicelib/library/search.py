"""Search: pages of the images that match a query, newest first, at a cost independent of the library's size.

The order is by arrival or by the date taken. For the latter, up to :data:`GATHERED` candidates are read and
sorted. With more candidates, the index of dates is read in order and each record is checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chalicelib.library.catalogue import sizes_of
from chalicelib.library.conditions import FileNamed
from chalicelib.library.index import TAKEN, entries_of, image_in, key_of
from chalicelib.library.plan import Plan, counted_terms_of, within_bin
from chalicelib.library.query import Query
from chalicelib.library.query_algebra import Node, asks_for_bin, inward
from chalicelib.library.record import StoredImage, record_key
from chalicelib.library.streams import END, TOP, Exhausted, Listed, Reads, Stream, below
from chalicelib.model import Image, normalised
from chalicelib.table import BATCH_LIMIT, Table

MOST_READS = 2000  # items in a request: index entries, counts and records
MOST_BYTES = 3_500_000  # of a page's documents: a Lambda response has at most 6 MB (Lambda quotas)
NAMED_AT_ONCE = 10
GATHERED = 400
ORDERS = ("arrival", "taken")


@dataclass(frozen=True)
class ImagePage:
    """Images, newest first; ``next_at`` is the cursor of the next page, None after the last.

    A page may have fewer images than the limit, even none, although more follow.
    """

    stored: tuple[StoredImage, ...]
    next_at: str | None

    @property
    def images(self) -> tuple[Image, ...]:
        """The images, parsed."""
        return tuple(one.image for one in self.stored)


class Search:
    """Finds images of an owner."""

    def __init__(self, table: Table, most_reads: int = MOST_READS) -> None:
        self._table = table
        self._most_reads = most_reads

    def page(
        self, owner: str, query: Query, *, limit: int, at: str = TOP, order: str = "arrival"
    ) -> ImagePage:
        """Up to ``limit`` images that match ``query``, from the cursor ``at`` on, in one of :data:`ORDERS`.

        By date taken, images without a date come last, and images whose files have not been read yet are left
        out. Images in the bin are found only by a query about the bin, in the order of arrival.
        """
        root = query.root and inward(query.root)
        binned = asks_for_bin(root)
        if root and binned:
            root = within_bin(root)
        reads = Reads(self._table, self._most_reads)
        terms = counted_terms_of(root)
        reads.spend(len(terms))
        plan = Plan(reads, owner, sizes_of(self._table, owner, terms) if terms else {})
        by_date = order == "taken" and not binned
        if by_date:
            few = self._few_by_date(owner, root, plan, reads)
            stream = plan.by_date(root) if few is None else Listed(few)
        else:
            plan.look_up(root)
            stream = plan.stream(root)
        return _Pass(self._table, owner, query, reads, stream, at, by_date=by_date, binned=binned).page(limit)

    def _few_by_date(self, owner: str, root: Node | None, plan: Plan, reads: Reads) -> list[str] | None:
        """The positions by date of all candidates; None if there are too many to read."""
        if not plan.is_narrow(root) or (plan.size_of(root) or 0) > GATHERED:
            return None
        ids: list[str] = []
        left, at = reads.left, TOP
        reads.left //= 2
        plan.look_up(root)
        stream = plan.stream(root)
        reads.wanted = GATHERED + 1
        try:
            while found := stream.seek(at):
                if len(ids) == GATHERED:
                    return None
                reads.spend(1)  # for its record
                ids.append(found)
                at = below(found)
        except Exhausted:
            return None
        finally:
            reads.left += left - left // 2
        items = self._table.get_many([record_key(owner, one) for one in ids])
        return [place for item in items.values() if (place := date_place(StoredImage(item)))]

    def latest_named(self, owner: str, filename: str) -> Image | None:
        """The newest image with exactly this file name, or None."""
        query, at = Query(FileNamed(normalised(filename))), TOP
        while at:
            page = self.page(owner, query, limit=NAMED_AT_ONCE, at=at)
            for image in page.images:
                if image.filename == filename:
                    return image
            at = page.next_at or ""
        return None


class _Pass:
    """One request's scan of the stream: reads candidates, and checks each one's record against the query.

    Candidates are image ids, or positions ``<date taken>#<id>`` in the index by date.
    """

    def __init__(
        self,
        table: Table,
        owner: str,
        query: Query,
        reads: Reads,
        stream: Stream,
        at: str,
        *,
        by_date: bool = False,
        binned: bool = False,
    ) -> None:
        self._table = table
        self._owner = owner
        self._query = query
        self._reads = reads
        self._stream = stream
        self._at = at
        self._by_date = by_date
        self._binned = binned
        self._given_back = False
        self._bytes = 0

    def page(self, limit: int) -> ImagePage:
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
        return ImagePage(tuple(found), self._at or None)

    def _proposals(self, wanted: int) -> list[str]:
        """The next candidates, up to ``wanted``; :exc:`Exhausted` if the read budget allows none."""
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

    def _held(self, places: list[str], most: int) -> list[StoredImage]:
        """Up to ``most`` of the candidates whose records match the query.

        If there are more candidates, the cursor goes back to the first one that was not used.
        """
        keys = {place: record_key(self._owner, image_in(place)) for place in places}
        records = self._table.get_many(list(keys.values()))
        held: list[StoredImage] = []
        for place in places:
            if len(held) == most or self._bytes >= MOST_BYTES:
                self._at, self._given_back = place, True
                break
            item = records.get(keys[place])
            stored = StoredImage(item) if item else None
            if stored and not stored.erased and self._holds(stored, place):
                held.append(stored)
                self._bytes += len(stored.text)
        return held

    def _holds(self, stored: StoredImage, place: str) -> bool:
        if stored.binned is not self._binned:
            return False
        if self._by_date and date_place(stored) != place:  # the index entry has an earlier date taken
            return False
        return self._query.root is None or self._query.holds(stored.id, stored.document)

    def _seek(self) -> str | None:
        try:
            found = self._stream.seek(self._at)
        finally:
            self._at = min(self._at, self._stream.at)
        return found


def date_place(stored: StoredImage) -> str:
    """The position of an image in the index by date; empty if it has none."""
    terms = [one for one in entries_of(stored.document) if one.startswith(TAKEN)]
    return key_of("", terms[0], stored.id).sk if terms else ""


def _enough(missing: int, proposed: int, held: int) -> int:
    """How many candidates will probably give the ``missing`` images, by the share that matched so far."""
    wanted = missing * proposed / max(1, held) if proposed else missing
    return min(math.ceil(wanted), BATCH_LIMIT)
