"""The worker of jobs: each message does some steps of a job, then sends the message for the next ones.

Also starts, pauses, resumes and cancels jobs.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.errors import Conflict, NotFound, SightlineError, Superseded, Transient
from chalicelib.export.archives import forget_step, pack_further
from chalicelib.ids import millisecond_at
from chalicelib.library.conditions import HasStatus, quoted
from chalicelib.library.jobs import Job, JobFailure, JobKind
from chalicelib.library.query import Query, parse
from chalicelib.library.record import StoredImage
from chalicelib.library.search import ImagePage
from chalicelib.library.streams import TOP
from chalicelib.model import Asked, Failure, Image, Json
from chalicelib.pipeline.batches import Message, each_message
from chalicelib.pipeline.bin import delete_image, restore_image
from chalicelib.pipeline.curation import correct, fit_to_vocabulary, label_edits, relabel, rename_image
from chalicelib.pipeline.job_estimate import estimate_further
from chalicelib.pipeline.job_feed import WAITING, feed_further
from chalicelib.wiring import Services

log = logging.getLogger("sightline.jobs")

IMAGES_A_STEP = 20  # after which the job's progress is saved
STEPS_A_MESSAGE = 25
STEP_SECONDS = 35.0  # of the worker's 60: with less time left no step is begun
IN_BIN = Query(HasStatus("binned"))
STEP_EVERY = 1.0  # seconds between the steps of a labelling job
TWICE_SECONDS = 10.0  # within which a message with an old revision is a duplicate
MOST_TRIES = 5  # of a message: after as many receives its queue makes it a dead letter
PATIENCE = 3  # tries of a message with a transient error; then the image counts as failed


def start(owner: str, kind: JobKind, request: Json, services: Services, job_id: str = "") -> Job:
    """Store a job and send its first message; if the queue does not answer, the sweep sends it."""
    job = services.jobs.create(owner, kind, request, job_id)
    _send_message(job, services)
    return job


def work_on_jobs(event: Json, services: Services, time_left: TimeLeft = unhurried) -> Json:
    """Do the next steps of the jobs in an SQS event; returns the partial batch response.

    The message for the next steps goes to the same queue. Lambda would stop that loop after 16 rounds; only
    this function has permission for it (``RecursiveLoop: Allow``).
    """

    def work(message: Message) -> None:
        try:
            _run_steps(message, services, time_left)
        except Exception as error:
            if isinstance(error, Transient) or message.tries < MOST_TRIES:
                raise
            _fail(message, error, services)

    return each_message(event, work, services.jobs_queue, reports=services.settings.partial_batches)


def _fail(message: Message, error: Exception, services: Services) -> None:
    """End a job that meets an unexpected error each time; otherwise the sweep would restart it for ever."""
    named = message.body["job"]
    log.error("job %r has failed: %r", named["id"], error, exc_info=error)
    failure = Failure("internal", "An unexpected error stopped it; the log of the service names it.")

    def failed(job: Job) -> Job:
        return job if job.ended else dataclasses.replace(job, status="failed", error=failure)

    services.jobs.change(named["owner"], named["id"], failed)


def _run_steps(message: Message, services: Services, time_left: TimeLeft) -> None:
    """Do steps of one job for as long as the function may run.

    The work on an image is idempotent, so a repeated message or a crash costs only time.
    """
    named = message.body["job"]
    try:
        job = services.jobs.get(named["owner"], named["id"])
    except NotFound:
        return
    if job.kind == "label":
        _run_labelling_step(job, named.get("revision", ""), services, time_left)
        return
    patient = message.tries < PATIENCE
    for step in range(1 if job.kind == "zip" else STEPS_A_MESSAGE):
        if job.status != "running":
            return
        if step and time_left() < STEP_SECONDS:
            break
        further = _next_step(job, services, patient=patient)
        try:
            job = services.jobs.save(further)
        except Superseded as error:
            log.info("a message came twice: %s", error)
            if job.kind == "zip":
                forget_step(job, further, services)
            return
    if job.status == "running":
        services.jobs_queue.send(job.message())


def _run_labelling_step(job: Job, revision: str, services: Services, time_left: TimeLeft) -> None:
    """Do one step of a labelling job; the message for the next one is delayed by a second.

    A duplicate message ends here, because each message sends the next one.
    """
    idle = services.now() - millisecond_at(job.updated_at) / 1000
    if job.status != "running" or (revision not in ("", job.revision) and idle < TWICE_SECONDS):
        return
    counted = bool(job.request["dry_run"])
    further = estimate_further(job, services, time_left) if counted else feed_further(job, services)
    try:
        job = services.jobs.save(further)
    except Superseded as error:
        log.info("a message came twice: %s", error)
        return
    if job.status == "running":
        writes = counted or bool(job.state["results"])
        services.jobs_queue.send(job.message(job.revision), delay=0 if writes else STEP_EVERY)


def pause(owner: str, job_id: str, services: Services) -> Job:
    """Pause a job until it is resumed; lines in flight are still done.

    :raises Conflict: it has ended.
    """

    def paused(job: Job) -> Job:
        _refuse_ended(job)
        return dataclasses.replace(job, status="paused")

    return services.jobs.change(owner, job_id, paused)


def resume(owner: str, job_id: str, services: Services, max_cost: float | None = None) -> Job:
    """Resume a paused job, with a new ``max_cost`` (dollars) if given.

    :raises Conflict: it has ended.
    """

    def resumed(job: Job) -> Job:
        _refuse_ended(job)
        request = job.request if max_cost is None else {**job.request, "max_cost": max_cost}
        if job.state.get("stop") == "failed":  # it ends when the lines in flight have their results
            return dataclasses.replace(job, status="running")
        state = {**job.state, "stop": ""} if job.state.get("stop") in WAITING else job.state
        return dataclasses.replace(job, status="running", request=request, error=None, state=state)

    job = services.jobs.change(owner, job_id, resumed)
    _send_message(job, services)
    return job


def cancel(owner: str, job_id: str, services: Services) -> Job:
    """End a job early; nothing is undone. A labelling job writes its files of results first.

    :raises Conflict: it has ended.
    """

    def cancelled(job: Job) -> Job:
        if job.status == "cancelled":
            return job
        _refuse_ended(job)
        if job.kind == "label" and not job.request["dry_run"]:
            return dataclasses.replace(job, status="running", state={**job.state, "stop": "cancelled"})
        return dataclasses.replace(job, status="cancelled")

    job = services.jobs.change(owner, job_id, cancelled)
    if not job.ended:
        _send_message(job, services)
    return job


def _refuse_ended(job: Job) -> None:
    if job.ended:
        raise Conflict(f"The job is {job.status}.", code="job-has-ended")


def _send_message(job: Job, services: Services) -> None:
    try:
        services.jobs_queue.send(job.message(job.revision))
    except Transient as error:
        log.warning("left to the sweep: job %r: %s", job.id, error)


def _next_step(job: Job, services: Services, *, patient: bool) -> Job:
    if job.kind == "zip":
        return pack_further(job, services, patient=patient)
    page = _page(job, services)
    outcomes = [_handle(job, stored, services, patient=patient) for stored in page.stored]
    failures = [one for one in outcomes if not isinstance(one, bool)]
    return _advance(job, page, sum(one is True for one in outcomes)).with_failures(failures)


def _page(job: Job, services: Services) -> ImagePage:
    asked = quoted(job.request["from"]) if job.kind == "rename" else job.request["q"]
    query = parse(asked) if asked else Query()
    if job.kind == "restore":
        query &= IN_BIN
    return services.search.page(job.owner, query, limit=IMAGES_A_STEP, at=job.at or TOP)


def _advance(job: Job, page: ImagePage, changed: int) -> Job:
    return dataclasses.replace(
        job,
        status="running" if page.next_at else "done",
        at=page.next_at,
        looked_at=job.looked_at + len(page.stored),
        changed=job.changed + changed,
    )


def _handle(job: Job, stored: StoredImage, services: Services, *, patient: bool) -> bool | JobFailure:
    """Do the job's work on one image; returns whether that changed it, or why it failed.

    No image stops a job, even one whose record cannot be read. Only if ``patient``, a transient error is
    raised, so that the message is retried.
    """
    try:
        return _ACTS[job.kind](job, stored.image, services)
    except Exception as error:
        if isinstance(error, Transient) and patient:
            raise
        expected = isinstance(error, SightlineError)
        log.warning("not done by job %r to image %r: %r", job.id, stored.id, error, exc_info=not expected)
        return JobFailure.of(stored.id, error)


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
    words = label_edits(job.request["add"], job.request["remove"])
    return correct(job.owner, image.id, words, services, lenient=True)[1]


def _rename(job: Job, image: Image, services: Services) -> bool:
    return rename_image(job.owner, image.id, services)


def _fit(job: Job, image: Image, services: Services) -> bool:
    return fit_to_vocabulary(job.owner, image.id, services)


def _delete(job: Job, image: Image, services: Services) -> bool:
    permanent = bool(job.request["permanent"])
    delete_image(job.owner, image.id, services, permanent=permanent)
    return permanent or not image.binned


def _restore(job: Job, image: Image, services: Services) -> bool:
    return restore_image(job.owner, image.id, services)[1]


_ACTS: Mapping[JobKind, Callable[[Job, Image, Services], bool]] = {
    "relabel": _relabel,
    "rename": _rename,
    "correct": _correct,
    "delete": _delete,
    "restore": _restore,
    "vocabulary": _fit,
}
