"""Jobs: work on many images, started, watched and controlled; and labelling one image again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import responses
from chalicelib.api.cursors import LONGEST, Cursors
from chalicelib.api.fields import Fields, listed, required
from chalicelib.api.idempotency import made_id
from chalicelib.api.image_fields import asked_in
from chalicelib.api.query_parameters import query_in
from chalicelib.api.requests import body_of, owner_of, pointing_at, pointing_inside, query_of
from chalicelib.errors import BadRequest
from chalicelib.ids import millisecond_at
from chalicelib.library.jobs import KINDS, STATUSES, Job, JobKind, JobStatus
from chalicelib.model import ASKED, LONGEST_URL, Asked, Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


MOST = 50
ANY = "any"
SOURCES = ("manifest", "inventory", "prefix", "urls", "q")
MOST_URLS = 1000
LONGEST_URI = 1100  # characters: a key has 1,024 bytes
MOST_MONEY = 1_000_000.0  # dollars
FILTERS = ("q", "model_version_other_than", "labelled_before")  # for labelling again
LONGEST_VERSION = 255


def index(request: Request, services: Services) -> Response:
    """``GET /jobs``: all jobs, or those of a ``kind`` or ``status``, newest first."""
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
    return responses.fresh({"jobs": shown, "next_cursor": cursors.encode(page.next_after)})


def show(request: Request, services: Services, job_id: str) -> Response:
    """``GET /jobs/{id}``: a job and its progress."""
    query_of(request, ())
    return responses.fresh(_shown(request, services.jobs.get(owner_of(request), job_id), services))


def started(request: Request, kind: JobKind, wanted: Json, services: Services) -> Response:
    """Start a job: ``202``, as the work goes on after the response."""
    return _started(
        request, pipeline.start(owner_of(request), kind, wanted, services, made_id(request)), services
    )


def create(request: Request, services: Services) -> Response:
    """``POST /jobs``: label the photos of a bucket or a list of URLs, or estimate the cost of that."""
    fields = body_of(request, ("kind", "source", "options", "dry_run", "max_cost", "unchanged_since"))
    required(fields.choice("kind", ("label",)), "/kind")
    since = fields.moment("unchanged_since")
    wanted: Json = {
        "asked": _options_in(fields),
        "dry_run": bool(fields.flag("dry_run")),
        "max_cost": fields.number("max_cost", low=0, high=MOST_MONEY),
        "unchanged_since": None if since is None else millisecond_at(since) / 1000,
    }
    owner, job_id = owner_of(request), made_id(request)
    services.jobs.refuse_too_many(owner)
    wanted["source"] = source = _source_in(fields, owner, job_id, services)
    if source["kind"] == "q" and not wanted["dry_run"]:
        for name in ("max_cost", "unchanged_since"):
            if name in fields:
                raise BadRequest(f"{name} is not for images that are labelled again.", pointer=f"/{name}")
        again = {"model_version_other_than": None, "labelled_before": None}
        asked = {"q": source["at"], "asked": {**Asked().asked(), **wanted["asked"]}, **again}
        return _started(request, pipeline.start(owner, "relabel", asked, services, job_id), services)
    return _started(request, pipeline.start(owner, "label", wanted, services, job_id), services)


def pause(request: Request, services: Services, job_id: str) -> Response:
    """``POST /jobs/{id}/pause``: stop until it is resumed."""
    body_of(request, (), optional=True)
    return responses.fresh(_shown(request, pipeline.pause(owner_of(request), job_id, services), services))


def resume(request: Request, services: Services, job_id: str) -> Response:
    """``POST /jobs/{id}/resume``: go on, perhaps with a higher ``max_cost``."""
    fields = body_of(request, ("max_cost",), optional=True)
    money = fields.number("max_cost", low=0, high=MOST_MONEY)
    job = pipeline.resume(owner_of(request), job_id, services, money)
    return responses.fresh(_shown(request, job, services))


def cancel(request: Request, services: Services, job_id: str) -> Response:
    """``POST /jobs/{id}/cancel``: end it early."""
    body_of(request, (), optional=True)
    return responses.fresh(_shown(request, pipeline.cancel(owner_of(request), job_id, services), services))


def relabel(request: Request, services: Services, image_id: str) -> Response:
    """``POST /images/{id}/relabel``: label it again; options that are absent stay as they were."""
    asked = asked_in(body_of(request, ASKED, optional=True))
    image = pipeline.relabel(owner_of(request), image_id, asked, services)
    body = responses.image_json(request, image)
    return responses.accepted(body, body["links"]["self"])


def relabel_many(request: Request, services: Services) -> Response:
    """``POST /relabel``: the same by a job, for the images that fit every filter."""
    fields = body_of(request, (*FILTERS, *ASKED))
    if not any(name in fields for name in FILTERS):
        raise BadRequest(
            "Say which images: give q, model_version_other_than or labelled_before.",
            code="missing",
            pointer="",
        )
    wanted = {
        "q": query_in(fields),
        "model_version_other_than": fields.line("model_version_other_than", longest=LONGEST_VERSION),
        "labelled_before": fields.moment("labelled_before"),
        "asked": asked_in(fields).asked(),
    }
    return started(request, "relabel", wanted, services)


def export_originals(request: Request, services: Services) -> Response:
    """``POST /export``: the original photos that a query finds, as one ZIP file that a job makes."""
    wanted = {"q": query_in(body_of(request, ("q",), optional=True))}
    return started(request, "zip", wanted, services)


def _options_in(fields: Fields) -> Json:
    options = fields.inner("options", ASKED)
    if options is None:
        return {}
    with pointing_inside("/options"):
        return {name: value for name, value in asked_in(options).asked().items() if value is not None}


def _source_in(fields: Fields, owner: str, job_id: str, services: Services) -> Json:
    """The place of the photos, checked. URLs are stored as a list of the job's own."""
    inside = required(fields.inner("source", SOURCES), "/source")
    given = [name for name in SOURCES if name in inside]
    if len(given) != 1:
        raise BadRequest(f"A source has one of {listed(SOURCES)}.", code="bad-value", pointer="/source")
    [kind] = given
    with pointing_inside("/source"):
        if kind == "urls":
            urls = inside.lines("urls", most=MOST_URLS, longest=LONGEST_URL) or ()
            return {"kind": kind, **pipeline.list_of_addresses(urls, owner, job_id, services)}
        if kind == "q":
            return {"kind": kind, "at": query_in(inside)}
        uri = required(inside.line(kind, longest=LONGEST_URI), f"/{kind}")
        with pointing_at(f"/{kind}"):
            pipeline.check_source(kind, uri, owner, services)
        return {"kind": kind, "at": uri}


def _started(request: Request, job: Job, services: Services) -> Response:
    shown = _shown(request, job, services)
    return responses.accepted(shown, shown["links"]["self"])


def _shown(request: Request, job: Job, services: Services) -> Json:
    """A job as the API shows it: its document, and what jobs of its kind have besides."""
    links = {"self": f"{responses.base_of(request)}/jobs/{job.id}"}
    if job.kind == "label":
        told = {"estimate": pipeline.estimate_of(job, services)} if job.request["dry_run"] else {}
        files = pipeline.links_to_results(job, services)
        return {**job.document(), **pipeline.progress_of(job, services), **told, "links": {**links, **files}}
    if job.kind != "zip" or job.status != "done":
        return {**job.document(), "links": links}
    from chalicelib.export.archives import archive_link, missing_from  # late: other jobs need no archives

    archive = archive_link(job, services)
    more = {"archive": archive} if archive else {}
    missing = missing_from(job)
    complete = job.at is None and not missing
    return {**job.document(), "complete": complete, "missing": missing, "links": {**links, **more}}
