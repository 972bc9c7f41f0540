"""Feeds the lines of a labelling job to the labelers, as fast as the recogniser takes them.

Each message does one step of the job, about once a second. A step reads the results of the lines in flight,
sends lines without a result again, and sends as many new lines as the governor
(:mod:`chalicelib.recognition.governor`) and the job's ``max_cost`` allow. A line's message may be lost or
come twice; its result is one row. The state of a job has a constant size: the list that is being read, the
position in it, and the batches in flight.
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
MOST_OPEN = 60  # batches in flight
SECONDS_AHEAD = 2.0  # of work in the queue: people's uploads wait behind it
FEWEST_AHEAD = 4
STALE_SECONDS = 120.0  # after which a line without a result is sent again; doubled each time
MOST_SENT = 6  # tries of a line; after that it is given up
RATE_SECONDS = 3.0  # over which the current rate is measured
MOST_REMEMBERED = 40  # steps over which the shown rate is measured
MAX_COST, BUDGET = "max-cost", "budget-used-up"
WAITING = (MAX_COST, BUDGET)  # reasons to stop after which a job can be resumed


def feed_further(job: Job, services: Services) -> Job:
    """Do one step; returns the changed job, which is not saved yet.

    If the source cannot be read, the job fails after the lines in flight have their results.
    """
    feed = Feed.of(job)
    feed, waiting = _collect_results(job, feed, services)
    if not feed.stop:
        try:
            feed = _send_more(job, feed, waiting, services)
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


def _collect_results(job: Job, feed: Feed, services: Services) -> tuple[Feed, int]:
    """Read the results of the lines in flight; returns how many have none yet, too."""
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
        still.append(_resend(job, batch, {one.number for one in lines}, services))
    now = services.now()
    recent = (*feed.lately, (round(now, 3), reached))[-MOST_REMEMBERED:]
    settled = dataclasses.replace(
        feed,
        open=tuple(still),
        counts=dict(counts),
        codes=dict(codes),
        micros=micros,
        lately=recent,
        stop=stop,
    )
    return settled, waiting


def stretches(batches: Sequence[Batch]) -> list[tuple[int, int]]:
    """The ranges of lines in batches: a late batch may be far behind the others."""
    found: list[tuple[int, int]] = []
    for one in batches:
        first = found.pop()[0] if found and found[-1][1] + 1 == one.first else one.first
        found.append((first, one.last))
    return found


def _resend(job: Job, batch: Batch, settled: set[int], services: Services) -> Batch:
    """Send the lines of a batch that have had no result for too long again, or give them up."""
    if services.now() - batch.sent_at < STALE_SECONDS * 2.0 ** (batch.tries - 1):
        return batch
    try:
        page = services.sources.page(SourceList(**batch.list), batch.at, batch.count, job.owner).entries
    except SourceRefused:  # the list was changed
        page = (SourceEntry(),) * batch.count
    missing = {number: entry for number, entry in enumerate(page, start=batch.first) if number not in settled}
    if batch.tries >= MOST_SENT or not all(entry.ref for entry in missing.values()):
        for number, entry in missing.items():  # a result that a worker has stored meanwhile stays
            services.lines.settle(job.owner, job.id, LineResult(number, entry.ref, "refused", code="gave-up"))
    else:
        log.warning("sent again: %d lines of job %r", len(missing), job.id)
        _send(job, missing, services)
    return dataclasses.replace(batch, sent_at=services.now(), tries=batch.tries + 1)


def _send_more(job: Job, feed: Feed, waiting: int, services: Services) -> Feed:
    """Send as many more lines as the rate, the queue and the job's money allow."""
    now = services.now()
    rate = services.governor.rate(_current_rate(feed, now))
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
    """How many more lines the job's money pays for, if each line in flight costs the full price."""
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


def _current_rate(feed: Feed, now: float) -> float:
    """The current rate, in finished lines a second."""
    before = [one for one in feed.lately if one[0] <= now - RATE_SECONDS][-1:] or list(feed.lately[:1])
    if not before or not feed.lately or feed.lately[-1][0] <= before[0][0]:
        return 0.0
    return (feed.lately[-1][1] - before[0][1]) / (feed.lately[-1][0] - before[0][0])


def _changed(feed: Feed) -> int:
    return int(sum(feed.counts.get(name, 0) for name in ("labelled", "copied")))


def _failed(feed: Feed) -> int:
    return int(sum(feed.counts.get(name, 0) for name in ("failed", "refused")))


def _paused(job: Job, feed: Feed) -> Job:
    """Pause a job until a person raises its ``max_cost``, or resumes it on another day."""
    why = {
        MAX_COST: "What it may cost is used up; resume it with a higher max_cost.",
        BUDGET: "Today's calls of the recogniser are used up; resume it tomorrow.",
    }
    resumable = dataclasses.replace(feed, stop="")
    return resumable.on(job, status="paused", error=Failure(feed.stop, why[feed.stop]))
