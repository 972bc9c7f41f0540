"""The progress of a labelling job: its private state, and what the API shows of it."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass, field
from typing import Any

from chalicelib.library.jobs import Job
from chalicelib.model import Json
from chalicelib.wiring import Services


@dataclass(frozen=True)
class Batch:
    """Lines in flight: ``count`` lines from number ``first`` on, which begin at byte ``at`` of ``list``."""

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
    """The state of a labelling job.

    * ``list``: the list that is being read, from byte ``at`` on; ``listing``: where the next list comes from,
      None if there is none. ``line``: the number of the next line. ``open``: the batches in flight.
    * Of the finished lines: ``counts`` by outcome, ``codes`` by code, ``micros``: the cost (millionths of a
      dollar).
    * ``allowance``: how many lines the ``rate`` still allows, as of ``paced_at``; ``lately``: times, and how
      many lines were finished by then.
    * ``stop``: the reason why no more lines are sent; empty if there is none.
    * ``results``: the progress of the files of results.
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
    def under_way(self) -> int:
        """The number of lines in flight."""
        return sum(one.count for one in self.open)

    @property
    def done(self) -> int:
        return sum(self.counts.values())


def progress_of(job: Job, services: Services) -> Json:
    """The members that a labelling job's document has in addition to those of all jobs."""
    feed = Feed.of(job)
    outcomes = {name: number for name, number in feed.counts.items() if number}
    left = _lines_left(feed)
    rate = _shown_rate(feed) if job.status == "running" else 0.0
    eta = services.now() + left / rate if left is not None and rate else None
    return {
        "outcomes": outcomes,
        "codes": feed.codes,
        "on_their_way": feed.under_way,
        "cost": feed.micros / 1_000_000,
        "rate": round(rate, 2),
        "progress": None if left is None else round(feed.done / max(1, feed.done + left), 4),
        "ends_at": None if eta is None else _time(eta),
        "stopping": bool(feed.stop) and job.status == "running",
    }


def _time(moment: float) -> str:
    at = datetime.datetime.fromtimestamp(moment, tz=datetime.UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _shown_rate(feed: Feed) -> float:
    if len(feed.lately) < 2:
        return 0.0
    (begin, before), (end, after) = feed.lately[0], feed.lately[-1]
    return (after - before) / max(1.0, end - begin)


def _lines_left(feed: Feed) -> float | None:
    """How many lines are left, estimated from the size of the list; None if more lists follow."""
    if feed.exhausted:
        return feed.under_way
    if feed.listing is not None or feed.list is None or not feed.at:
        return None
    return feed.under_way + (feed.line - 1) * (float(feed.list["size"]) / feed.at - 1)
