"""Jobs: work on many images, done in small steps; each job is one row with its request and its progress.

A small entry beside the row serves to list and filter jobs without reading their rows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from chalicelib.errors import NotFound, SightlineError, Superseded, TooManyRequests, Unavailable
from chalicelib.expressions import Delete, Item, Key, Put, Value
from chalicelib.ids import is_id, new_id, rfc3339
from chalicelib.model import Failure, Json
from chalicelib.quotas import alive, put_within
from chalicelib.table import ConditionFailed, Table

JobKind = Literal["label", "relabel", "rename", "correct", "delete", "restore", "zip", "vocabulary"]
JobStatus = Literal["running", "paused", "done", "cancelled", "failed"]
KINDS: tuple[JobKind, ...] = get_args(JobKind)
STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
ENDED = ("done", "cancelled", "failed")
NAMED_FAILURES = 100
SHARDS = ("job",)  # of the due index
KEPT_SECONDS = 90 * 86_400  # after the end of a job, as long as the delivery log
QUIET_SECONDS = 300.0  # without progress, after which the sweep sends a new message
MOST_RUNNING = 10  # of one owner: each occupies a worker
LONGEST_SECONDS = 7 * 86_400  # after which a job that never ends no longer counts as running
COME_BACK_SECONDS = 30.0
CHANGE_TRIES = 8
PAGE_BYTES = 3_500_000  # of an answer's 4 MB; the rest is for links
MOST_ENTRIES = 1000  # read for one page


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed for an image: a stable ``code`` and a sentence for a person."""

    image_id: str
    code: str
    detail: str

    @classmethod
    def of(cls, image_id: str, error: Exception) -> JobFailure:
        """The failure for an error; the details of an unexpected one are only in the log."""
        if isinstance(error, SightlineError):
            return cls(image_id, error.code, error.detail)
        return cls(image_id, "internal", "Something went wrong; the log of the service says what.")


@dataclass(frozen=True)
class Job:
    """A job: its ``request``, and how many images were ``looked_at``, ``changed``, and ``failed`` so far.

    ``failures`` are the first of the failed ones. Images are handled newest first; ``at`` is the cursor of
    the next step, ``state`` the private progress of the job's kind. ``error`` says why the job has failed or
    has paused itself.
    """

    id: str
    owner: str
    kind: JobKind
    request: Json
    created_at: str
    updated_at: str
    revision: str
    status: JobStatus = "running"
    at: str | None = None
    looked_at: int = 0
    changed: int = 0
    failed: int = 0
    failures: tuple[JobFailure, ...] = ()
    error: Failure | None = None
    state: Json = dataclasses.field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def message(self, revision: str = "") -> Json:
        """The queue message, which only names the row.

        A message with a ``revision`` is stale as soon as another worker has saved the job.
        """
        named = {"owner": self.owner, "id": self.id}
        return {"job": {**named, "revision": revision} if revision else named}

    @classmethod
    def from_item(cls, item: Item) -> Job:
        """The job as it is stored."""
        data = json.loads(str(item["job"]))
        error = Failure.from_json(data["error"]) if data.get("error") else None
        failures = tuple(JobFailure(**one) for one in data.get("failures", ()))
        return cls(**{**data, "failures": failures, "error": error})

    def with_failures(self, more: Sequence[JobFailure]) -> Job:
        """The job with more failed images."""
        failures = (*self.failures, *more)[:NAMED_FAILURES]
        return dataclasses.replace(self, failed=self.failed + len(more), failures=failures)

    def document(self) -> Json:
        """The job as its owner sees it."""
        hidden = {"owner", "revision", "at", "state"}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in hidden}


@dataclass(frozen=True)
class JobPage:
    """Jobs, newest first; ``next_after`` is the cursor of the next page, None after the last."""

    jobs: tuple[Job, ...]
    next_after: str | None


class Jobs:
    """Reads and writes jobs."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def create(self, owner: str, kind: JobKind, request: Json, job_id: str = "") -> Job:
        """Store a new job; the sweep starts it if no worker does.

        If there is a job with this id, a repeated request has created it: that one is returned.

        :raises TooManyRequests: ten jobs of this owner are running.
        """
        now = self._now()
        job = Job(job_id or new_id(), owner, kind, request, rfc3339(now), rfc3339(now), new_id())
        if job_id and (known := self._table.get(_key(owner, job_id))):
            return Job.from_item(known)
        running = _running_row(job, now)
        if put_within(self._table, running, MOST_RUNNING, now, *self._writes(job)):
            return self.get(owner, job.id)
        raise _too_many()

    def refuse_too_many(self, owner: str) -> None:
        """Check the limit before any other work is done for a new job.

        :raises TooManyRequests: ten jobs of this owner are running.
        """
        if len(alive(self._table, _running_of(owner), self._now())) >= MOST_RUNNING:
            raise _too_many()

    def get(self, owner: str, job_id: str) -> Job:
        """:raises NotFound: this owner has no such job."""
        item = self._table.get(_key(owner, job_id)) if is_id(job_id) else None
        if item is None:
            raise NotFound(f"There is no job {job_id}.")
        return Job.from_item(item)

    def page(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None = None,
        kind: JobKind | None = None,
        status: JobStatus | None = None,
    ) -> JobPage:
        """Jobs of an owner, of one ``kind`` and ``status`` if given.

        A page ends early if it becomes too long for an answer, or after :data:`MOST_ENTRIES` entries.
        """
        entries = self._table.query(_listing(owner), limit=MOST_ENTRIES, after=after, newest_first=True)
        fitting = [
            str(one["sk"])
            for one in entries
            if kind in (None, one["kind"]) and status in (None, one["status"])
        ]
        items = self._table.get_many([_key(owner, one) for one in fitting[:limit]])
        found: list[Job] = []
        last, room = after, PAGE_BYTES
        for job_id in fitting[:limit]:
            item = items.get(_key(owner, job_id))
            room -= len(json.dumps(str(item["job"]))) if item else 0  # escaped as in the answer
            if room < 0 and found:
                return JobPage(tuple(found), last)
            found += [Job.from_item(item)] if item else []
            last = job_id
        if len(fitting) > limit:
            return JobPage(tuple(found), last)
        return JobPage(tuple(found), str(entries[-1]["sk"]) if len(entries) == MOST_ENTRIES else None)

    def save(self, job: Job) -> Job:
        """Store the job's progress.

        :raises Superseded: another worker has saved the job meanwhile.
        """
        saved = dataclasses.replace(job, revision=new_id(), updated_at=rfc3339(self._now()))
        known: dict[str, Value | None] = {"revision": job.revision}
        row, entry = self._writes(saved, known)
        stops = saved.status != "running"
        try:
            self._table.transact([row, entry, Delete(_running(job))] if stops else [row])
        except ConditionFailed:
            raise Superseded(f"Job {job.id} is being worked on.") from None
        return saved

    def change(self, owner: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Store ``change(job)``; if another worker changes the job meanwhile, it is called again.

        :raises NotFound: this owner has no such job.
        :raises TooManyRequests: the job would run again, and ten are running.
        :raises Unavailable: the job keeps changing.
        """
        for _ in range(CHANGE_TRIES):
            job = self.get(owner, job_id)
            changed = change(job)
            if changed == job:
                return job
            with contextlib.suppress(Superseded):
                return self._resumed(job, changed) if _goes_on(changed) else self.save(changed)
        raise Unavailable(f"Job {job_id} keeps changing; ask again.")

    def _resumed(self, job: Job, changed: Job) -> Job:
        if job.status == "running":
            return self.save(changed)
        now = self._now()
        saved = dataclasses.replace(changed, revision=new_id(), updated_at=rfc3339(now))
        running = _running_row(job, now)
        writes = self._writes(saved, {"revision": job.revision})
        if put_within(self._table, running, MOST_RUNNING, now, *writes):
            return saved
        raise _too_many()

    def _writes(self, job: Job, known: Mapping[str, Value | None] | None = None) -> tuple[Put, Put]:
        now = self._now()
        stays: Item = {"expires_at": int(now + KEPT_SECONDS)}
        due: Item = {"due_shard": SHARDS[0], "due_at": rfc3339(now + QUIET_SECONDS)}
        text = json.dumps(dataclasses.asdict(job), ensure_ascii=False)
        row: Item = {"revision": job.revision, "job": text, **(due if job.status == "running" else stays)}
        entry: Item = {"kind": job.kind, "status": job.status, **stays}
        key = _key(job.owner, job.id)
        return Put(key, row, when=known or {}), Put(Key(_listing(job.owner), job.id), entry)


def _goes_on(job: Job) -> bool:
    """Whether the job continues its work, rather than only writing its end."""
    return job.status == "running" and not job.state.get("stop")


def _too_many() -> TooManyRequests:
    return TooManyRequests(
        f"{MOST_RUNNING} jobs are running, which is the maximum.",
        code="too-many-jobs",
        retry_after=COME_BACK_SECONDS,
    )


def _running_of(owner: str) -> str:
    return f"{owner}#running"


def _running_row(job: Job, now: float) -> Put:
    """The row that counts a job as running."""
    return Put(_running(job), {"expires_at": int(now + LONGEST_SECONDS)})


def _running(job: Job) -> Key:
    return Key(_running_of(job.owner), job.id)


def _listing(owner: str) -> str:
    return f"{owner}#jobs"


def _key(owner: str, job_id: str) -> Key:
    return Key(f"{owner}#job#{job_id}", "job")
