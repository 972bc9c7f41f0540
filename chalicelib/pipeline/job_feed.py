"""A job that labels what is there already: its lines go to the labelers as fast as the recogniser takes them.

A message brings the job one step further, about once a second. A step looks what came of the lines that are
on their way, sends those again that were not heard of, and hands out as many new ones as the governor allows
(:mod:`chalicelib.recognition.governor`) and as the job's money lasts for. A line's message is lost or comes
twice; its outcome is one row. What a job remembers does not grow with its source: the list that is read,
the byte to go on from, and the batches that are on their way.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence

from chalicelib.errors import SourceRefused
from chalicelib.intake.source_buckets import SourceList
from chalicelib.library.job_lines import LineResult
from chalicelib.library.jobs import Job
from chalicelib.model import Failure, JobLine, SourceEntry
from chalicelib.pipeline.job_progress import Batch, Feed
from chalicelib.pipeline.job_results import write_further
from chalicelib.pipeline.job_source import next_entries
from chalicelib.recognition.prices import price_of_an_image
from chalicelib.wiring import Services

log = logging.getLogger("sightline.job_feed")

MOST_A_STEP = 300  # lines
MOST_OPEN = 60  # batches on their way
SECONDS_AHEAD = 2.0  # of work that may wait for a labeler: what people upload waits behind it
FEWEST_AHEAD = 4
STALE_SECONDS = 120.0  # after which a line that nobody was heard of is sent again; then twice as long
MOST_SENT = 6  # times; after that the line is given up
LATELY = 3.0  # seconds that the rate is taken over
MOST_REMEMBERED = 40  # steps that the shown rate is taken over
MAX_COST, BUDGET = "max-cost", "budget-used-up"
WAITING = (MAX_COST, BUDGET)  # stops from which a job may be resumed


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
        page = services.sources.page(SourceList(**batch.list), batch.at, batch.count, job.owner).entries
    except SourceRefused:  # the list is another one by now
        page = (SourceEntry(),) * batch.count
    missing = {number: entry for number, entry in enumerate(page, start=batch.first) if number not in settled}
    if batch.tries >= MOST_SENT or not all(entry.ref for entry in missing.values()):
        for number, entry in missing.items():  # unless somebody has done it meanwhile
            services.lines.settle(job.owner, job.id, LineResult(number, entry.ref, "refused", code="gave-up"))
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
    lines = [
        LineResult(number, entry.ref, "refused", code=entry.refused) for number, entry in refused.items()
    ]
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
    return int((most * 1_000_000 - feed.micros) / price + 1e-6) - feed.under_way


def _send(job: Job, numbered: dict[int, SourceEntry], services: Services) -> None:
    since = job.request.get("unchanged_since")
    orders = [
        JobLine(job.owner, job.id, number, job.created_at, entry, job.request["asked"], since)
        for number, entry in numbered.items()
    ]
    services.uploads_queue.send_many([{"line": one.to_json()} for one in orders])


def _used(feed: Feed, now: float) -> float:
    """Lines a second that were done of late."""
    before = [one for one in feed.lately if one[0] <= now - LATELY][-1:] or list(feed.lately[:1])
    if not before or not feed.lately or feed.lately[-1][0] <= before[0][0]:
        return 0.0
    return (feed.lately[-1][1] - before[0][1]) / (feed.lately[-1][0] - before[0][0])


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
