"""Photos come in, are looked at, found and counted."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import api
from chalicelib.api.problems import answering

routes = Blueprint(__name__)
answer = answering(routes)


@routes.route("/images", methods=["POST"])
def create_image() -> Response:
    """Announce an upload, or take an image from a URL or from the body."""
    return answer(api.uploads.create)


@routes.route("/images")
def list_images() -> Response:
    return answer(api.listing.index)


@routes.route("/images/known", methods=["POST"])
def known_images() -> Response:
    """Which of these bytes are here already."""
    return answer(api.uploads.known)


@routes.route("/images/{image_id}")
def show_image(image_id: str) -> Response:
    return answer(api.images.show, image_id)


@routes.route("/images/{image_id}", methods=["DELETE"])
def remove_image(image_id: str) -> Response:
    """Put an image into the bin, or erase it."""
    return answer(api.bin.remove, image_id)


@routes.route("/images/{image_id}/restore", methods=["POST"])
def restore_image(image_id: str) -> Response:
    """Take an image out of the bin."""
    return answer(api.bin.restore, image_id)


@routes.route("/images/delete", methods=["POST"])
def delete_images() -> Response:
    """Put many images into the bin, or erase them."""
    return answer(api.bin.delete_many)


@routes.route("/images/restore", methods=["POST"])
def restore_images() -> Response:
    """Take many images out of the bin."""
    return answer(api.bin.restore_many)


@routes.route("/images/{image_id}/content")
def show_content(image_id: str) -> Response:
    """Redirect to the photo in the bucket."""
    return answer(api.images.content, image_id)


@routes.route("/images/{image_id}/thumbnail")
def show_thumbnail(image_id: str) -> Response:
    """Redirect to a small JPEG of the photo."""
    return answer(api.images.thumbnail, image_id)


@routes.route("/images/{image_id}/metadata")
def show_metadata(image_id: str) -> Response:
    """The sidecar, as JSON or as XML."""
    return answer(api.sidecars.metadata, image_id)


@routes.route("/images/{image_id}/xmp")
def show_xmp(image_id: str) -> Response:
    """The labels as an XMP packet."""
    return answer(api.sidecars.xmp, image_id)


@routes.route("/labels")
def list_labels() -> Response:
    return answer(api.labels.index)


@routes.route("/months")
def list_months() -> Response:
    """How many photos were taken in each month."""
    return answer(api.labels.months)


@routes.route("/export")
def export() -> Response:
    """What a query finds, as a file of CSV or JSON Lines."""
    return answer(api.exports.show)


@routes.route("/export", methods=["POST"])
def export_originals() -> Response:
    """The originals of what a query finds, as one ZIP file, made by a job."""
    return answer(api.exports.create)


@routes.route("/usage")
def show_usage() -> Response:
    """Images, recogniser calls and their cost, day by day."""
    return answer(api.usage.show)
