"""Jobs: work on many images, and how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import answers
from chalicelib.api.idempotency import made_id
from chalicelib.api.requests import owner_of, query_of
from chalicelib.library.jobs import Job, JobKind
from chalicelib.model import Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


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
