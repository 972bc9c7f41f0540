"""Jobs: work on many images, and how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import answers
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.idempotency import made_id
from chalicelib.api.requests import owner_of, query_of
from chalicelib.library.jobs import KINDS, STATUSES, Job, JobKind, JobStatus
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


MOST = 50
ANY = "any"


def index(request: Request, services: Services) -> Response:
    """``GET /jobs``: all of them, or those of a ``kind`` or ``status``, newest first."""
    query = query_of(request, ("kind", "status", "limit", "cursor"))
    kind, status = query.choice("kind", ANY, *KINDS), query.choice("status", ANY, *STATUSES)
    owner = owner_of(request)
    cursors = Cursors(services, owner, "jobs", kind, status)
    page = services.jobs.page(
        owner,
        limit=query.whole("limit", low=1, high=MOST, default=20),
        after=cursors.decode(query.line("cursor", longest=LONGEST)),
        kind=None if kind == ANY else cast(JobKind, kind),
        status=None if status == ANY else cast(JobStatus, status),
    )
    shown = [_shown(request, job, services) for job in page.jobs]
    return answers.fresh({"jobs": shown, "next_cursor": cursors.encode(page.next_after)})


def show(request: Request, services: Services, job_id: str) -> Response:
    """``GET /jobs/{id}``: how far it has come."""
    query_of(request, ())
    return answers.fresh(_shown(request, services.jobs.get(owner_of(request), job_id), services))


def started(request: Request, kind: JobKind, wanted: Json, services: Services) -> Response:
    """Start a job: ``202``, as the work goes on after the answer."""
    job = pipeline.start(owner_of(request), kind, wanted, services, made_id(request))
    shown = _shown(request, job, services)
    return answers.accepted(shown, shown["links"]["self"])


def _shown(request: Request, job: Job, services: Services) -> Json:
    links = {"self": f"{answers.base_of(request)}/jobs/{job.id}"}
    if job.kind != "zip" or job.status != "done":
        return {**job.document(), "links": links}
    archive = pipeline.archive_link(job, services)
    more = {"archive": archive} if archive else {}
    missing = pipeline.missing_from(job)
    complete = job.at is None and not missing
    return {**job.document(), "complete": complete, "missing": missing, "links": {**links, **more}}
