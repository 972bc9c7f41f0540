"""The source of a labelling job: reads lines from lists, which may be made of a bucket or an inventory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from chalicelib.errors import SourceRefused
from chalicelib.ids import new_id
from chalicelib.intake.objects import UPLOADS
from chalicelib.intake.source_buckets import SourceList, Sources
from chalicelib.intake.source_lines import JOBS, parts_of, refusal_of
from chalicelib.library.jobs import Job
from chalicelib.model import Json, SourceEntry
from chalicelib.pipeline.job_progress import Feed
from chalicelib.wiring import Services

MOST_LOOKS = 20  # pages in a step: blank lines and other owners' objects are skipped


def check_source(kind: str, uri: str, owner: str, services: Services) -> None:
    """Refuse a source that this owner may not read.

    :raises SourceRefused: the URI is not valid, or names data of the service or of another owner.
    """
    bucket, key = parts_of(uri)
    if kind != "prefix" and not key:
        raise SourceRefused("It names a bucket and no object.", code="bad-uri")
    if bucket != services.sources.bucket:
        return
    code = refusal_of(bucket, key or UPLOADS, bucket, owner)
    if code in ("own-folder", "access-denied") and not (kind == "prefix" and f"{UPLOADS}~{owner}/" == key):
        raise SourceRefused("It is not yours to read.", code=code)


def list_of_addresses(urls: Sequence[str], owner: str, job_id: str, services: Services) -> Json:
    """Store the addresses of a job as a list; returns where it is, and their number."""
    key = f"{JOBS}~{owner}/{job_id}/urls.jsonl"
    listed = services.sources.write_list(key, [SourceEntry(url=one) for one in urls])
    return {"at": f"s3://{listed.bucket}/{listed.key}", "urls": len(urls)}


def next_entries(
    job: Job, feed: Feed, most: int, services: Services
) -> tuple[Feed, SourceList | None, int, Sequence[SourceEntry]]:
    """The next lines of the source, with their list and their position in it (a byte).

    There are no lines at the end, after many blank ones, and in a step that makes a new list: the list has to
    be saved in the job before its lines are sent, because a list made again may have other lines.

    :raises SourceRefused: the source cannot be read (any more).
    """
    sources = services.sources
    if not feed.begun:
        feed = _begun(job, feed, services)
    for _ in range(MOST_LOOKS):
        if feed.list is None:
            if feed.listing is None:
                break
            feed = _listed(job, feed, services)
            if feed.list is not None:
                break
            continue
        listed = SourceList(**feed.list)
        page = sources.page(listed, feed.at, most, job.owner)
        at = feed.at
        feed = dataclasses.replace(feed, at=page.next_at)
        if page.next_at >= listed.size:
            feed = dataclasses.replace(feed, list=None, at=0)
        if page.entries:
            return feed, listed, at, page.entries
    return feed, None, 0, ()


def _begun(job: Job, feed: Feed, services: Services) -> Feed:
    source, sources = job.request["source"], services.sources
    kind, where = source["kind"], source["at"]
    if kind in ("manifest", "urls"):
        return dataclasses.replace(feed, begun=True, list=dataclasses.asdict(sources.stat(where)))
    if kind == "inventory":
        files, columns = _files_of(where, sources)
        listing: Json = {"manifest": where, "files": len(files), "next": 0, "columns": columns}
        return dataclasses.replace(feed, begun=True, listing=listing if files else None)
    bucket, prefix = parts_of(where)
    return dataclasses.replace(feed, begun=True, listing={"bucket": bucket, "prefix": prefix, "after": ""})


def _files_of(inventory: str, sources: Sources) -> tuple[list[Json], list[str]]:
    if not inventory.endswith((".csv", ".csv.gz")):
        return sources.inventory_files(inventory)
    bucket, key = parts_of(inventory)
    return [{"bucket": bucket, "key": key, "size": 0}], ["Bucket", "Key"]


def _listed(job: Job, feed: Feed, services: Services) -> Feed:
    """Make the next list, from a page of a bucket's listing or from a file of an inventory."""
    sources, listing = services.sources, dict(feed.listing or {})
    key = f"{JOBS}~{job.owner}/{job.id}/list-{feed.listed:06d}-{new_id()}.jsonl"
    following: Json | None
    if "prefix" in listing:
        entries, after = sources.listing(listing["bucket"], listing["prefix"], listing["after"], job.owner)
        following = {**listing, "after": after} if after else None
        listed = sources.write_list(key, entries)
    else:
        files, columns = _files_of(listing["manifest"], sources)
        if (len(files), columns) != (listing["files"], listing["columns"]):
            raise SourceRefused("The inventory has changed since the job began.", code="changed-since")
        listed = sources.write_list(key, sources.inventory(files[listing["next"]], columns, job.owner))
        number = listing["next"] + 1
        following = {**listing, "next": number} if number < len(files) else None
    return dataclasses.replace(
        feed,
        list=dataclasses.asdict(listed) if listed.size else None,
        at=0,
        listing=following,
        listed=feed.listed + 1,
    )
