"""A person knows better: corrections, renames, labelling again, and what became of it."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import api
from chalicelib.api.problems import answering

routes = Blueprint(__name__)
answer = answering(routes)


@routes.route("/images/{image_id}/labels/{name}", methods=["PUT"])
def put_label(image_id: str, name: str) -> Response:
    """A person says that it is there."""
    return answer(api.curation.put_label, image_id, name)


@routes.route("/images/{image_id}/labels/{name}", methods=["DELETE"])
def remove_label(image_id: str, name: str) -> Response:
    """A person says that it is not there."""
    return answer(api.curation.remove_label, image_id, name)


@routes.route("/images/{image_id}/corrections/{name}", methods=["DELETE"])
def undo_correction(image_id: str, name: str) -> Response:
    """The person takes it back."""
    return answer(api.curation.undo, image_id, name)


@routes.route("/images/{image_id}/xmp", methods=["PUT"])
def put_xmp(image_id: str) -> Response:
    """A person says it in a sidecar."""
    return answer(api.curation.put_xmp, image_id)


@routes.route("/images/{image_id}/caption", methods=["PUT"])
def put_caption(image_id: str) -> Response:
    """A person says what it shows."""
    return answer(api.curation.put_caption, image_id)


@routes.route("/images/{image_id}/caption", methods=["DELETE"])
def remove_caption(image_id: str) -> Response:
    """The person takes it back."""
    return answer(api.curation.remove_caption, image_id)


@routes.route("/images/labels", methods=["POST"])
def correct_images() -> Response:
    """The same corrections for many images."""
    return answer(api.curation.correct_many)


@routes.route("/labels/{name}/rename", methods=["POST"])
def rename_label(name: str) -> Response:
    """Call a label otherwise, now and from now on."""
    return answer(api.curation.rename, name)


@routes.route("/labels/{name}/rename", methods=["DELETE"])
def end_rename(name: str) -> Response:
    """Call it by its old name again from now on."""
    return answer(api.curation.end_rename, name)


@routes.route("/renames")
def list_renames() -> Response:
    return answer(api.curation.renames)


@routes.route("/vocabulary")
def show_vocabulary() -> Response:
    """The only terms that labels are shown by."""
    return answer(api.vocabulary.show)


@routes.route("/vocabulary", methods=["PUT"])
def put_vocabulary() -> Response:
    """Show these terms and no other."""
    return answer(api.vocabulary.put)


@routes.route("/images/{image_id}/relabel", methods=["POST"])
def relabel_image(image_id: str) -> Response:
    """Recognise an image again."""
    return answer(api.relabelling.relabel, image_id)


@routes.route("/relabel", methods=["POST"])
def relabel_images() -> Response:
    """Recognise again what a filter finds."""
    return answer(api.relabelling.relabel_many)


@routes.route("/jobs")
def list_jobs() -> Response:
    return answer(api.jobs.index)


@routes.route("/jobs", methods=["POST"])
def create_job() -> Response:
    """Label what is there already."""
    return answer(api.jobs.create)


@routes.route("/jobs/{job_id}/pause", methods=["POST"])
def pause_job(job_id: str) -> Response:
    return answer(api.jobs.pause, job_id)


@routes.route("/jobs/{job_id}/resume", methods=["POST"])
def resume_job(job_id: str) -> Response:
    return answer(api.jobs.resume, job_id)


@routes.route("/jobs/{job_id}/cancel", methods=["POST"])
def cancel_job(job_id: str) -> Response:
    return answer(api.jobs.cancel, job_id)


@routes.route("/jobs/{job_id}")
def show_job(job_id: str) -> Response:
    """How far work on many images has come."""
    return answer(api.jobs.show, job_id)


@routes.route("/images/{image_id}/history")
def show_history(image_id: str) -> Response:
    """An image's results, and what changed between them."""
    return answer(api.histories.show, image_id)


@routes.route("/images/{image_id}/why")
def show_why(image_id: str) -> Response:
    """Why an image has a label, or has not."""
    return answer(api.histories.why, image_id)
