"""The service itself: its page, its description, its health, its tokens."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import api
from chalicelib.api.problems import answering

routes = Blueprint(__name__)
answer = answering(routes)


@routes.route("/tokens", methods=["POST"])
def create_token() -> Response:
    """Make a token; the answer alone shows it."""
    return answer(api.tokens.create)


@routes.route("/tokens")
def list_tokens() -> Response:
    return answer(api.tokens.index)


@routes.route("/tokens/{token_id}")
def show_token(token_id: str) -> Response:
    return answer(api.tokens.show, token_id)


@routes.route("/tokens/{token_id}", methods=["DELETE"])
def revoke_token(token_id: str) -> Response:
    return answer(api.tokens.remove, token_id)


@routes.route("/")
def show_page() -> Response:
    """The web page."""
    return answer(api.pages.photos)


@routes.route("/docs")
def show_docs() -> Response:
    """The API, to read."""
    return answer(api.pages.docs)


@routes.route("/page/{version}/{name}")
def show_page_file(version: str, name: str) -> Response:
    return answer(api.pages.file, version, name)


@routes.route("/health")
def show_health() -> Response:
    return answer(api.service.health)


@routes.route("/openapi.json")
def show_description() -> Response:
    return answer(api.service.description)


@routes.route("/schemas/image-1.xsd")
def show_schema() -> Response:
    """The contract of the XML about an image."""
    return answer(api.service.schema)
