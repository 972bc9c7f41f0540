"""Jobs are worked on: a few images a message, the next message when they are done."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping

from chalicelib.errors import NotFound, Permanent, Superseded, Transient
from chalicelib.library.conditions import quoted
from chalicelib.library.jobs import Job, JobKind
from chalicelib.library.query import Query, parse
from chalicelib.library.search import Page
from chalicelib.library.streams import TOP
from chalicelib.model import Asked, Image, Json
from chalicelib.pipeline.batches import Message, each_message
from chalicelib.pipeline.curating import correct, revise, words_of
from chalicelib.pipeline.packing import pack_further
from chalicelib.pipeline.relabelling import relabel
from chalicelib.wiring import Services

log = logging.getLogger("sightline.working")

IMAGES_A_MESSAGE = 20  # each takes a tenth of a second or two of the worker's minute


def start(owner: str, kind: JobKind, request: Json, services: Services, job_id: str = "") -> Job:
    """Store a job and set it going; where the queue does not answer, the sweep will."""
    job = services.jobs.create(owner, kind, request, job_id)
    try:
        services.jobs_queue.send(job.message())
    except Transient as error:
        log.warning("left to the sweep: job %r: %s", job.id, error)
    return job


def work_on_jobs(event: Json, services: Services) -> Json:
    """Bring the jobs of an SQS event some images further; answers which messages failed and come again."""

    def work(message: Message) -> None:
        _work(message.body["job"], services)

    return each_message(event, work, services.jobs_queue, reports=services.settings.partial_batches)


def _work(message: Json, services: Services) -> None:
    """Bring one job further.

    Doing an image again changes nothing: a message that comes twice, or a worker that dies, costs time only.
    """
    try:
        job = services.jobs.get(message["owner"], message["id"])
    except NotFound:
        return
    if job.status == "done":
        return
    try:
        moved = services.jobs.save(_further(job, services))
    except Superseded as error:
        log.info("a message came twice: %s", error)
        return
    if moved.status == "running":
        services.jobs_queue.send(moved.message())


def rename_image(owner: str, image_id: str, services: Services) -> bool:
    """Give an image's labels the names that they have by now; whether any changed."""
    rules = services.renames.rules(owner)
    return revise(
        owner,
        image_id,
        lambda record: (rules.labels(record.seen), rules.corrections(record.image.corrections)),
        "renamed",
        services,
    )[1]


def _further(job: Job, services: Services) -> Job:
    if job.kind == "zip":
        return pack_further(job, services)
    page = _page(job, services)
    return _moved(job, page, sum(_done(job, image, services) for image in page.images))


def _page(job: Job, services: Services) -> Page:
    asked = quoted(job.request["from"]) if job.kind == "rename" else job.request["q"]
    query = parse(asked) if asked else Query()
    return services.search.page(job.owner, query, limit=IMAGES_A_MESSAGE, at=job.at or TOP)


def _moved(job: Job, page: Page, changed: int) -> Job:
    return dataclasses.replace(
        job,
        status="running" if page.next_at else "done",
        at=page.next_at,
        looked_at=job.looked_at + len(page.images),
        changed=job.changed + changed,
    )


def _done(job: Job, image: Image, services: Services) -> bool:
    """Do to an image what the job wants done; what cannot be done to it is not."""
    try:
        return _ACTS[job.kind](job, image, services)
    except Permanent as error:
        log.info("not done by job %r to image %r: %s", job.id, image.id, error)
        return False


def _relabel(job: Job, image: Image, services: Services) -> bool:
    if not image.final or not _is_wanted(job.request, image) or (image.completed_at or "") >= job.created_at:
        return False
    relabel(job.owner, image.id, Asked(**job.request["asked"]), services)
    return True


def _is_wanted(wanted: Json, image: Image) -> bool:
    version, before = wanted["model_version_other_than"], wanted["labelled_before"]
    other = version is None or image.model is None or image.model.version != version
    return other and (before is None or (image.completed_at or "") < before)


def _correct(job: Job, image: Image, services: Services) -> bool:
    words = words_of(job.request["add"], job.request["remove"])
    return correct(job.owner, image.id, words, services, lenient=True)[1]


def _rename(job: Job, image: Image, services: Services) -> bool:
    return rename_image(job.owner, image.id, services)


_ACTS: Mapping[JobKind, Callable[[Job, Image, Services], bool]] = {
    "relabel": _relabel,
    "rename": _rename,
    "correct": _correct,
}
