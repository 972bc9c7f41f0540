"""``If-Match``: a thing is changed only if it still is what the client has seen (RFC 9110 §13.1.1)."""

from __future__ import annotations

from chalice.app import Request

from chalicelib.api import answers
from chalicelib.errors import Stale
from chalicelib.pipeline.bin import Check, anyhow


def precondition_of(request: Request) -> Check:
    """What an image's record has to fulfil for the request to be carried out; a weak tag fits nothing."""
    if request.headers.get("if-match") is None:
        return anyhow
    return lambda record: refuse_stale(
        request, "image", answers.image_tag(request, record.text, record.image.id)
    )


def refuse_stale(request: Request, what: str, tag: str) -> None:
    """:raises Stale: the request wants something else changed than what now has this entity tag."""
    given = request.headers.get("if-match", "*")
    if not {"*", tag} & {one.strip() for one in given.split(",")}:
        raise Stale(f"The {what} has changed since you saw it; fetch it again.")
