"""A job that labels what is there already: its lines go to the labelers as fast as the recogniser takes them.

A message brings the job one step further, about once a second. A step looks what came of the lines that are
on their way, sends those again that were not heard of, and hands out as many new ones as the governor allows
(:mod:`chalicelib.recognition.governor`) and as the job's money lasts for. A line's message is lost or comes
twice; its outcome is one row. What a job remembers does not grow with its source: the list that is read,
the byte to go on from, and the batches that are on their way.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.errors import SourceRefused
from chalicelib.ids import new_id
from chalicelib.intake.objects import UPLOADS
from chalicelib.intake.sources import JOBS, List, Sources, parts_of, refusal_of
from chalicelib.library.jobs import Job
from chalicelib.library.lines import Line
from chalicelib.model import Entry, Failure, Json, Order
from chalicelib.pipeline.results import write_further
from chalicelib.recognition.prices import price_of_an_image
from chalicelib.wiring import Services

log = logging.getLogger("sightline.feeding")

MOST_A_STEP = 300  # lines
MOST_OPEN = 60  # batches on their way
MOST_LOOKS = 20  # of a step, for a line: blank ones and other owners' are passed over
SECONDS_AHEAD = 2.0  # of work that may wait for a labeler: what people upload waits behind it
FEWEST_AHEAD = 4
STALE_SECONDS = 120.0  # after which a line that nobody was heard of is sent again; then twice as long
MOST_SENT = 6  # times; after that the line is given up
LATELY = 3.0  # seconds that the rate is taken over
MOST_REMEMBERED = 40  # steps that the shown rate is taken over
MAX_COST, BUDGET = "max-cost", "budget-used-up"
WAITING = (MAX_COST, BUDGET)  # stops from which a job may be resumed


@dataclass(frozen=True)
class Batch:
    """Lines that are on their way: ``count`` of them from ``first``, which stand at a byte of a list."""

    first: int
    count: int
    list: Json
    at: int
    sent_at: float
    tries: int = 1

    @property
    def last(self) -> int:
        return self.first + self.count - 1


@dataclass(frozen=True)
class Feed:
    """How far a job has come.

    ``list`` is being read, from the byte ``at``; ``listing`` is where the next list comes from, None where
    none does. ``line`` is the next line's number. Of the lines that are done, ``counts`` are by outcome,
    ``codes`` by code, and ``micros`` what they cost (millionths of a dollar). ``allowance`` is how many lines
    may still be sent of what the rate has given until ``paced_at``; ``lately`` has what was done by when.
    ``stop`` says that no more are sent. ``results`` is how far the files of results are.
    """

    list: Json | None = None
    at: int = 0
    listing: Json | None = None
    listed: int = 0
    begun: bool = False
    line: int = 1
    open: tuple[Batch, ...] = ()
    counts: Json = field(default_factory=dict)
    codes: Json = field(default_factory=dict)
    micros: int = 0
    rate: float = 0.0
    allowance: float = 0.0
    paced_at: float = 0.0
    lately: tuple[tuple[float, int], ...] = ()
    stop: str = ""
    results: Json = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job) -> Feed:
        state: dict[str, Any] = dict(job.state)
        state["open"] = tuple(Batch(**one) for one in state.get("open", ()))
        state["lately"] = tuple((at, done) for at, done in state.get("lately", ()))
        return cls(**state)

    def on(self, job: Job, **changes: Any) -> Job:
        """The job with this state."""
        return dataclasses.replace(job, state=dataclasses.asdict(self), **changes)

    @property
    def exhausted(self) -> bool:
        """Whether all lines have been sent."""
        return self.begun and self.list is None and self.listing is None

    @property
    def done(self) -> int:
        return sum(self.counts.values())


def feed_further(job: Job, services: Services) -> Job:
    """The job, brought one step further; it is not saved yet.

    One whose source cannot be read has failed, once what is on its way has come back.
    """
    feed = Feed.of(job)
    feed, waiting = _settled(job, feed, services)
    if not feed.stop:
        try:
            feed = _fed(job, feed, waiting, services)
        except SourceRefused as error:
            log.warning("the source of job %r cannot be read: %s", job.id, error.detail)
            feed = dataclasses.replace(feed, stop="failed")
            job = dataclasses.replace(job, error=Failure(error.code, error.detail))
    shown = feed.on(job, looked_at=feed.line - 1, changed=_changed(feed), failed=_failed(feed))
    if feed.open or not (feed.exhausted or feed.stop):
        return shown
    if feed.stop in WAITING:
        return _paused(shown, feed)
    return write_further(shown, services)


def progress_of(job: Job, services: Services) -> Json:
    """What a job of this kind says beside the members that all have."""
    feed = Feed.of(job)
    outcomes = {name: number for name, number in feed.counts.items() if number}
    left = _lines_left(feed)
    rate = _shown_rate(feed) if job.status == "running" else 0.0
    eta = services.now() + left / rate if left is not None and rate else None
    return {
        "outcomes": outcomes,
        "codes": feed.codes,
        "on_their_way": sum(one.count for one in feed.open),
        "cost": feed.micros / 1_000_000,
        "rate": round(rate, 2),
        "progress": None if left is None else round(feed.done / max(1, feed.done + left), 4),
        "ends_at": None if eta is None else _time(eta),
        "stopping": bool(feed.stop) and job.status == "running",
    }


def _time(moment: float) -> str:
    at = datetime.datetime.fromtimestamp(moment, tz=datetime.UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def check_source(kind: str, uri: str, owner: str, services: Services) -> None:
    """Refuse an address that no job of this owner may read, whatever lies there.

    :raises SourceRefused: it is none, or the service's own or somebody else's.
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
    """Where a job finds the addresses that it was given, and how many there are."""
    key = f"{JOBS}~{owner}/{job_id}/urls.jsonl"
    listed = services.sources.write_list(key, [Entry(url=one) for one in urls])
    return {"at": f"s3://{listed.bucket}/{listed.key}", "urls": len(urls)}


def next_entries(
    job: Job, feed: Feed, most: int, services: Services
) -> tuple[Feed, List | None, int, Sequence[Entry]]:
    """The next lines of the source, and the list and the byte at which they stand.

    There are none at the end, after a long stretch of nothing, and where a list was made first: it has to be
    remembered before any line of it is sent, as another one made later may have other lines.

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
        listed = List(**feed.list)
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
    """The next list, made of what a bucket lists or of a file of an inventory."""
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
            raise SourceRefused("The inventory is another one by now.", code="changed-since")
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


def _settled(job: Job, feed: Feed, services: Services) -> tuple[Feed, int]:
    """What came of the lines that are on their way; how many of them are still out."""
    if not feed.open:
        return feed, 0
    rows = {
        one.number: one
        for first, last in stretches(feed.open)
        for one in services.lines.between(job.owner, job.id, first, last)
    }
    counts, codes = Counter(feed.counts), Counter(feed.codes)
    micros, waiting, still = feed.micros, 0, list[Batch]()
    reached = feed.done
    stop = feed.stop
    for batch in feed.open:
        lines = [rows[number] for number in range(batch.first, batch.last + 1) if number in rows]
        reached += len(lines)
        if any(one.code == BUDGET for one in lines):
            stop = stop or BUDGET
        if len(lines) == batch.count:
            counts.update(one.outcome for one in lines)
            codes.update(one.code for one in lines if one.code)
            micros += sum(one.micros for one in lines)
            continue
        waiting += batch.count - len(lines)
        still.append(_sent_again(job, batch, {one.number for one in lines}, services))
    now = services.now()
    lately = (*feed.lately, (round(now, 3), reached))[-MOST_REMEMBERED:]
    settled = dataclasses.replace(
        feed,
        open=tuple(still),
        counts=dict(counts),
        codes=dict(codes),
        micros=micros,
        lately=lately,
        stop=stop,
    )
    return settled, waiting


def stretches(batches: Sequence[Batch]) -> list[tuple[int, int]]:
    """From which line to which they go: one that is late may be far behind the rest."""
    found: list[tuple[int, int]] = []
    for one in batches:
        first = found.pop()[0] if found and found[-1][1] + 1 == one.first else one.first
        found.append((first, one.last))
    return found


def _sent_again(job: Job, batch: Batch, settled: set[int], services: Services) -> Batch:
    """Send what was not heard of for too long once more, or give it up."""
    if services.now() - batch.sent_at < STALE_SECONDS * 2.0 ** (batch.tries - 1):
        return batch
    try:
        page = services.sources.page(List(**batch.list), batch.at, batch.count, job.owner).entries
    except SourceRefused:  # the list is another one by now
        page = (Entry(),) * batch.count
    missing = {number: entry for number, entry in enumerate(page, start=batch.first) if number not in settled}
    if batch.tries >= MOST_SENT or not all(entry.ref for entry in missing.values()):
        given_up = [Line(number, entry.ref, "refused", code="gave-up") for number, entry in missing.items()]
        services.lines.settle_many(job.owner, job.id, given_up)
    else:
        log.warning("sent again: %d lines of job %r", len(missing), job.id)
        _send(job, missing, services)
    return dataclasses.replace(batch, sent_at=services.now(), tries=batch.tries + 1)


def _fed(job: Job, feed: Feed, waiting: int, services: Services) -> Feed:
    """Hand out as many more lines as there is room and money for."""
    now = services.now()
    rate = services.governor.rate(_used(feed, now))
    passed = now - feed.paced_at if feed.paced_at else 1.0
    allowance = min(3 * rate, feed.allowance + rate * passed)
    feed = dataclasses.replace(feed, paced_at=now, allowance=allowance, rate=rate)
    room = max(FEWEST_AHEAD, SECONDS_AHEAD * rate) - waiting
    most = int(min(allowance, room, MOST_A_STEP))
    if feed.exhausted or most < 1 or len(feed.open) >= MOST_OPEN:
        return feed
    affordable = _affordable(job, feed, services)
    if affordable < 1:
        return feed if feed.open else dataclasses.replace(feed, stop=MAX_COST)
    feed, listed, at, entries = next_entries(job, feed, min(most, affordable), services)
    if listed is None or not entries:
        return feed
    numbered = {feed.line + place: entry for place, entry in enumerate(entries)}
    refused = {number: entry for number, entry in numbered.items() if entry.refused}
    lines = [Line(number, entry.ref, "refused", code=entry.refused) for number, entry in refused.items()]
    services.lines.settle_many(job.owner, job.id, lines)
    _send(job, {number: entry for number, entry in numbered.items() if number not in refused}, services)
    batch = Batch(feed.line, len(entries), dataclasses.asdict(listed), at, services.now())
    return dataclasses.replace(
        feed,
        line=feed.line + len(entries),
        open=(*feed.open, batch),
        allowance=feed.allowance - len(entries) + len(refused),
    )


def _affordable(job: Job, feed: Feed, services: Services) -> int:
    """How many more lines the job's money is enough for, if each of those on their way costs all it can."""
    most = job.request["max_cost"]
    price = price_of_an_image(services.settings, job.request["asked"])
    if most is None or not price:
        return MOST_A_STEP
    out = sum(one.count for one in feed.open)
    return int((most * 1_000_000 - feed.micros) / price + 1e-6) - out


def _send(job: Job, numbered: dict[int, Entry], services: Services) -> None:
    since = job.request.get("unchanged_since")
    orders = [
        Order(job.owner, job.id, number, job.created_at, entry, job.request["asked"], since)
        for number, entry in numbered.items()
    ]
    services.uploads_queue.send_many([{"line": one.to_json()} for one in orders])


def _used(feed: Feed, now: float) -> float:
    """Lines a second that were done of late."""
    before = [one for one in feed.lately if one[0] <= now - LATELY][-1:] or list(feed.lately[:1])
    if not before or not feed.lately or feed.lately[-1][0] <= before[0][0]:
        return 0.0
    return (feed.lately[-1][1] - before[0][1]) / (feed.lately[-1][0] - before[0][0])


def _shown_rate(feed: Feed) -> float:
    if len(feed.lately) < 2:
        return 0.0
    (begin, before), (end, after) = feed.lately[0], feed.lately[-1]
    return (after - before) / max(1.0, end - begin)


def _lines_left(feed: Feed) -> float | None:
    """How many lines are still to be done, by the bytes of the list; None where more lists follow."""
    out = sum(one.count for one in feed.open)
    if feed.exhausted:
        return out
    if feed.listing is not None or feed.list is None or not feed.at:
        return None
    return out + (feed.line - 1) * (float(feed.list["size"]) / feed.at - 1)


def _changed(feed: Feed) -> int:
    return int(sum(feed.counts.get(name, 0) for name in ("labelled", "copied")))


def _failed(feed: Feed) -> int:
    return int(sum(feed.counts.get(name, 0) for name in ("failed", "refused")))


def _paused(job: Job, feed: Feed) -> Job:
    """A job waits for a person who gives it more money, or for another day."""
    why = {
        MAX_COST: "What it may cost is used up; resume it with a higher max_cost.",
        BUDGET: "Today's calls of the recogniser are used up; resume it tomorrow.",
    }
    resumable = dataclasses.replace(feed, stop="")
    return resumable.on(job, status="paused", error=Failure(feed.stop, why[feed.stop]))
