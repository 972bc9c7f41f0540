"""What clients of older services of this kind ask for."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import api
from chalicelib.api.problems import answering

routes = Blueprint(__name__)
answer = answering(routes, message=True)


@routes.route("/blobs", methods=["POST"])
@routes.route("/blobs/upload", methods=["POST"])
def create_blob() -> Response:
    """Announce an upload in the shape of older services."""
    return answer(api.legacy.create_blob)


@routes.route("/upload", methods=["POST"])
def upload_named() -> Response:
    """Store a base64 image under a file name, for clients of older services."""
    return answer(api.legacy.upload)


@routes.route("/blobs/{blob_id}")
def show_blob(blob_id: str) -> Response:
    """An image in the shape of older services."""
    return answer(api.legacy.show_blob, blob_id)


@routes.route("/blobs/get/{blob_id}")
def get_blob(blob_id: str) -> Response:
    """The same with its labels in lower case, as the oldest of them writes them."""
    return answer(api.legacy.get_blob, blob_id)


@routes.route("/predict")
def predict() -> Response:
    """What is on the latest image of a file name, for clients of older services."""
    return answer(api.legacy.predict)
