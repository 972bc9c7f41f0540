"""Estimates what a job would do and cost (``dry_run``): reads its source as the run would, and nothing else.

Duplicates within the source are recognised by ETag and size, which the bucket lists, and counted exactly.
Photos whose bytes another image has already are found only by the run, which is then cheaper.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from chalicelib.aws import TimeLeft
from chalicelib.errors import NotFound, SourceRefused
from chalicelib.intake.source_buckets import LISTED
from chalicelib.intake.source_lines import JOBS, in_place
from chalicelib.library.jobs import Job
from chalicelib.library.query import Query, parse
from chalicelib.library.record import StoredImage, lookup_key, parse_key, record_key
from chalicelib.library.streams import TOP
from chalicelib.model import Failure, Image, Json, SourceEntry
from chalicelib.pipeline.job_progress import Feed
from chalicelib.pipeline.job_source import next_entries
from chalicelib.pipeline.upload_worker import SOURCE_ETAG
from chalicelib.recognition.prices import price_of_an_image
from chalicelib.wiring import Services

LINES_AT_ONCE = 5000
IMAGES_AT_ONCE = 200
RESERVE_SECONDS = 30.0  # of the function's time, for the last page and for saving
NO_PHOTOS = {
    *("txt", "md", "log", "json", "xml", "csv", "html", "htm", "pdf", "doc", "docx", "xls", "xlsx"),
    *("mp4", "mov", "avi", "mkv", "mp3", "wav", "zip", "gz", "tar", "db", "svg"),
}


def estimate_further(job: Job, services: Services, time_left: TimeLeft) -> Job:
    """Count as much more of the source as there is time for; returns the job, which is not saved yet."""
    if job.request["source"]["kind"] == "q":
        return _count_found(job, services, time_left)
    feed = Feed.of(job)
    totals: dict[str, Any] = {**_zeros(), **feed.results}
    seen = _seen(job, feed, services)
    try:
        while not feed.exhausted and time_left() > RESERVE_SECONDS:
            feed, listed, _, entries = next_entries(job, feed, LINES_AT_ONCE, services)
            if listed is None:
                continue
            _count(job, totals, seen, _described(job, entries, services), services)
            feed = dataclasses.replace(feed, line=feed.line + len(entries))
    except SourceRefused as error:
        return dataclasses.replace(job, status="failed", error=Failure(error.code, error.detail))
    feed = dataclasses.replace(feed, results=totals)
    if not feed.exhausted:
        services.objects.put(_seen_key(job, feed), array("Q", seen).tobytes())
        return feed.on(job, looked_at=feed.line - 1)
    return feed.on(job, looked_at=feed.line - 1, status="done")


def _count_found(job: Job, services: Services, time_left: TimeLeft) -> Job:
    """As :func:`estimate_further`, for the images of a query, which would be recognised again."""
    feed, asked, place = Feed.of(job), job.request["source"]["at"], job.at or TOP
    totals: dict[str, Any] = {**_zeros(), **feed.results}
    query = parse(asked) if asked else Query()
    while place and time_left() > RESERVE_SECONDS:
        page = services.search.page(job.owner, query, limit=IMAGES_AT_ONCE, at=place)
        place = page.next_at or ""
        for image in (one.image for one in page.stored):
            totals["images"] += image.final
            totals["bytes"] += (image.size or 0) * image.final
        totals["lines"] += len(page.stored)
    counted = dataclasses.replace(feed, results=totals).on(job, at=place or None, looked_at=totals["lines"])
    return counted if place else dataclasses.replace(counted, status="done")


def estimate_of(job: Job, services: Services) -> Json:
    """The estimate so far: what a run would do and cost."""
    totals: dict[str, Any] = {**_zeros(), **Feed.of(job).results}
    to_ask = totals["images"] - totals["duplicates"] - totals["known"] - totals["unreadable"]
    price = price_of_an_image(services.settings, job.request["asked"])
    rate = services.governor.look()
    return {
        **totals,
        "recognitions": to_ask,
        "cost": None if price is None else to_ask * price / 1_000_000,
        "seconds": round(totals["images"] / rate),
    }


def _zeros() -> dict[str, Any]:
    names = ("lines", "images", "bytes", "of_unknown_size", "duplicates", "known", "unreadable")
    return {**dict.fromkeys(names, 0), "codes": {}}


def _count(
    job: Job, totals: dict[str, Any], seen: set[int], entries: Sequence[SourceEntry], services: Services
) -> None:
    taken = [one for one in entries if not one.refused]
    known = _known(job, taken, services)
    codes = Counter(totals["codes"])
    codes.update(one.refused for one in entries if one.refused)
    totals["lines"] += len(entries)
    for entry in taken:
        if _is_again(f"ref {entry.ref}", seen):
            codes["repeated"] += 1
            continue
        totals["images"] += 1
        totals["bytes"] += entry.size or 0
        totals["of_unknown_size"] += entry.size is None
        if entry.ref in known:
            totals["known"] += 1
        elif entry.key.rpartition(".")[2].lower() in NO_PHOTOS:
            totals["unreadable"] += 1
        elif entry.etag and _is_again(f"bytes {entry.etag} {entry.size}", seen):
            totals["duplicates"] += 1
    totals["codes"] = dict(codes)


def _is_again(text: str, seen: set[int]) -> bool:
    """Whether this text was seen before, by eight bytes of its digest; remembers it."""
    digest = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    if digest in seen:
        return True
    seen.add(digest)
    return False


def _known(job: Job, entries: Sequence[SourceEntry], services: Services) -> set[str]:
    """The references of those that an earlier job has copied, or that are labelled in this bucket."""
    own = services.objects.bucket
    here = [one for one in entries if in_place(one, own)]
    elsewhere = [one for one in entries if not in_place(one, own)]
    keys = {
        record_key(*made) if (made := parse_key(one.key)) else lookup_key(one.key): one.ref for one in here
    }
    leading = services.table.get_many(list(keys))
    return {*_taken_in(job, elsewhere, services), *(keys[key] for key in leading)}


def _taken_in(job: Job, entries: Sequence[SourceEntry], services: Services) -> set[str]:
    """The references of those that are images with a result of the same object version."""
    origins = services.lines.origins(job.owner, [one.ref for one in entries])
    keys = {ref: record_key(job.owner, image_id) for ref, image_id in origins.items()}
    items = services.table.get_many(list(set(keys.values())))
    images = {ref: StoredImage(items[key]).image for ref, key in keys.items() if key in items}
    return {
        one.ref
        for one in entries
        if (image := images.get(one.ref)) and image.final and _same_object(one, image)
    }


def _same_object(entry: SourceEntry, image: Image) -> bool:
    return not entry.etag or image.metadata.get(SOURCE_ETAG) in (None, entry.etag)


def _described(job: Job, entries: Sequence[SourceEntry], services: Services) -> list[SourceEntry]:
    """The entries with the size and ETag that their buckets list, where the source did not say them.

    A stretch of keys is listed from its first to its last; one that is strewn over a large bucket is left.
    """
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for one in entries:
        if one.bucket and not one.refused and one.size is None:
            wanted[one.bucket].add(one.key)
    found: dict[tuple[str, str], SourceEntry] = {}
    for bucket, keys in wanted.items():
        first, last = min(keys), max(keys)
        after = first[:-1]  # which sorts before it
        for _ in range(3 * len(keys) // LISTED + 3):
            try:
                listed, after = services.sources.listing(bucket, _common(first, last), after, job.owner)
            except SourceRefused:
                break
            found.update({(bucket, one.key): one for one in listed if one.key in keys})
            if not after or after >= last:
                break
    return [_with(one, found.get((one.bucket, one.key))) for one in entries]


def _with(entry: SourceEntry, listed: SourceEntry | None) -> SourceEntry:
    if listed is None or entry.refused or entry.size is not None:
        return entry
    return dataclasses.replace(entry, size=listed.size, etag=entry.etag or listed.etag)


def _common(first: str, last: str) -> str:
    """The common prefix of two keys, and so of all keys between them."""
    return os.path.commonprefix([first, last])  # noqa: RUF071 - of texts: keys are no paths


def _seen(job: Job, feed: Feed, services: Services) -> set[int]:
    if not feed.begun:
        return set()
    try:
        stored = services.objects.read_whole(_seen_key(job, feed))
    except NotFound:
        return set()
    return set(array("Q", stored))


def _seen_key(job: Job, feed: Feed) -> str:
    """The object key, with the number of the next line: a repeated step begins with the same set."""
    return f"{JOBS}~{job.owner}/{job.id}/seen-{feed.line}"
