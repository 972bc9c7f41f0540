"""``If-Match``: an image is changed only if it still is what the client has seen (RFC 9110 §13.1.1)."""

from __future__ import annotations

from chalice.app import Request

from chalicelib.api import answers
from chalicelib.errors import Stale
from chalicelib.library.record import Record
from chalicelib.pipeline.bin import Check, anyhow


def precondition_of(request: Request) -> Check:
    """What an image's record has to fulfil for the request to be carried out; a weak tag fits nothing."""
    given = request.headers.get("if-match")
    if given is None:
        return anyhow
    tags = {one.strip() for one in given.split(",")}

    def check(record: Record) -> None:
        if "*" not in tags and answers.image_tag(request, record.text, record.image.id) not in tags:
            raise Stale("The image has changed since you saw it; fetch it again.")

    return check
