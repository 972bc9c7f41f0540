"""What a page of a query costs in libraries of 1,000 and of 100,000 images: ``make bench BENCH=search``.

The table is the tests' own, in memory, because moto's range reads go through the whole partition: it finds
its place by bisection and counts the items that it hands out, as DynamoDB does. Capacity is in read units
of strongly consistent reads, 4 KB each, rounded up a call ("DynamoDB read consumption"). A page is 50
images; the figures are the mean and the most of up to 20 pages one after the other. "entries" are items of
the index, "sizes" the rows that say how large each label is, "records" the images themselves: those that are
shown, and those that were proposed and are not.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Figure, Progress
from benchmarks.synthetic import LABELS, OWNER, library, name_of
from chalicelib.expressions import Item, Key
from chalicelib.library.catalogue import Catalogue
from chalicelib.library.query import parse
from chalicelib.library.search import Search
from chalicelib.library.streams import TOP
from local.limits import item_bytes
from tests.fakes.table import FakeTable

SIZES = (1_000, 100_000)
PAGE, PAGES = 50, 20
UNIT_BYTES = 4096
ITEM_BYTES = 400 * 1024  # DynamoDB's limit for one item
BYTES_AN_ID = 27  # an id in a list, with the byte that says how long it is
_WORD = re.compile(r"\w+")
COMMON, OTHER, RARE = name_of(1), name_of(2), name_of(99)
Figures = dict[str, list["Cost"]]
QUERIES = {
    "one label": COMMON,
    "common AND rare": f"{COMMON} & {RARE}",
    "common AND common": f"{COMMON} & {OTHER}",
    "OR of five": " | ".join(name_of(rank) for rank in (1, 3, 9, 20, 50)),
    "common NOT common": f"{COMMON} & !{OTHER}",
    "NOT alone": f"!{COMMON}",
}


MOST_CALLS = {"one label": 4, "common AND common": 12, "common AND rare": 12}
HEADING = (
    " images   query              shown  entries (most)  sizes  records  calls  units     ms"
    "    scan  one item a label"
)


class ReadMeter:
    """A table as the search reads it, which counts calls, items and read units."""

    def __init__(self, table: FakeTable) -> None:
        self._table = table
        self.reset()

    def reset(self) -> None:
        self.calls = self.entries = self.sizes = self.records = self.units = 0

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        found = self._table.get_many(keys)
        records = sum(key.sk == "record" for key in found)
        self.records += records
        self.sizes += len(found) - records
        self.calls += math.ceil(len(keys) / 100)
        self.units += sum(_units(item) for item in found.values()) + len(keys) - len(found)
        return found

    def query(self, pk: str, **bounds: Any) -> list[Item]:
        items = self._table.query(pk, **bounds)
        self.entries += len(items)
        self.calls += 1
        self.units += _units(*items)
        return items


@dataclass(frozen=True)
class Cost:
    """What one page cost."""

    shown: int
    entries: int
    sizes: int
    records: int
    calls: int
    units: int
    seconds: float


def pages(table: FakeTable, text: str) -> list[Cost]:
    """The costs of the query's first pages."""
    meter, query, costs = ReadMeter(table), parse(text), []
    search = Search(meter)  # type: ignore[arg-type]  # reads as Table does
    at: str | None = TOP
    while at and len(costs) < PAGES:
        meter.reset()
        began = time.perf_counter()
        page = search.page(OWNER, query, limit=PAGE, at=at)
        passed = time.perf_counter() - began
        at = page.next_at
        costs.append(
            Cost(
                len(page.images),
                meter.entries,
                meter.sizes,
                meter.records,
                meter.calls,
                meter.units,
                passed,
            )
        )
    full = [cost for cost in costs if cost.shown == PAGE]
    return full or costs


def figures(say: Progress) -> Iterator[Figure]:
    """A row for what grows most with the library, and one for the calls of each kind of query."""
    measured: dict[int, Figures] = {}
    say(HEADING)
    for images in SIZES:
        table = library(images)
        measured[images] = {name: pages(table, text) for name, text in QUERIES.items()}
        for name, costs in measured[images].items():
            say(_row(images, name, costs, table))
    small, large = SIZES
    growth = {name: _per_image(measured[large][name]) / _per_image(measured[small][name]) for name in QUERIES}
    worst = max(growth, key=lambda name: growth[name])
    yield Figure(
        f"entries read for a page of a query at {large:,} images",
        growth[worst],
        "×",
        beside=f"at {small:,} images",
        most=1.3,
        detail=f"the query that grows most: {worst}",
    )
    for name, most in MOST_CALLS.items():
        calls = max(cost.calls for costs in measured.values() for cost in costs[name])
        yield Figure(f"calls for a page of a query: {name}", calls, "", most=most)


def _row(images: int, name: str, costs: list[Cost], table: FakeTable) -> str:
    shown, entries, sizes, records, calls, units = (
        _mean([getattr(cost, kind) for cost in costs])
        for kind in ("shown", "entries", "sizes", "records", "calls", "units")
    )
    most = max(cost.entries for cost in costs)
    milliseconds = 1000 * _mean([cost.seconds for cost in costs])
    return (
        f"{images:>7,}   {name:<18} {shown:>5.0f} {entries:>8.1f} ({most:>4})  {sizes:>5.0f}  {records:>7.1f}"
        f"  {calls:>5.1f}  {units:>5.0f}  {milliseconds:>5.1f}  {_scanned(table):>6,}  {_lists(table, name)}"
    )


def _scanned(table: FakeTable) -> int:
    """Read units of a scan over records that lie in a table by themselves: newest first, it must read all."""
    records = table.items_of_kind("record")
    return math.ceil(sum(map(item_bytes, records)) / UNIT_BYTES)


def _lists(table: FakeTable, name: str) -> str:
    """Read units where each label is one item that lists all its images, as far as DynamoDB takes it."""
    catalogue = Catalogue(table)  # type: ignore[arg-type]
    asked = [label for label in map(name_of, range(1, LABELS + 1)) if label in _WORD.findall(QUERIES[name])]
    pages = [catalogue.by_name(OWNER, prefix=label, limit=1, after=None) for label in asked]
    sizes = [page.counts[0].count * BYTES_AN_ID for page in pages]
    if max(sizes) > ITEM_BYTES:
        return f"impossible: {max(sizes) // 1024:,} KB"
    return f"{sum(math.ceil(size / UNIT_BYTES) for size in sizes)} units"


def _per_image(costs: list[Cost]) -> float:
    return _mean([cost.entries for cost in costs]) / _mean([cost.shown for cost in costs])


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _units(*items: Item) -> int:
    return max(1, math.ceil(sum(map(item_bytes, items)) / UNIT_BYTES))
