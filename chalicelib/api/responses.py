"""Responses: JSON bodies, entity tags, preconditions; links that work behind a stage, a domain or a port."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib.errors import Stale
from chalicelib.library.record import Record, StoredImage
from chalicelib.model import Image, Json

Headers = dict[str, str | list[str]]  # as Chalice has them
_JSON: Headers = {"Content-Type": "application/json"}
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def base_of(request: Request) -> str:
    """The base URL of the API as this client sees it, without a slash at the end.

    For example ``https://x.execute-api.eu-west-1.amazonaws.com/api`` behind API Gateway's stage, or
    ``http://127.0.0.1:8000`` from the local server. Without a valid Host header it is the path only.
    """
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return path_of_base(request)
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else "http"
    return f"{scheme}://{host}{path_of_base(request)}"


def path_of_base(request: Request) -> str:
    """The path of the base URL, without a slash at the end: a stage, a base path, or nothing.

    ``requestContext.path`` of API Gateway has it in front of the route's path, which has as many segments as
    its template in ``requestContext.resourcePath``.
    """
    segments = [one for one in request.context.get("path", "").split("/") if one]
    own = len([one for one in request.path.split("/") if one])
    return "".join(f"/{one}" for one in segments[: len(segments) - own])


def image_tag(request: Request, stored_text: str, image_id: str) -> str:
    """The strong entity tag of an image, computed from its stored document."""
    return _tag_of(_with_links(base_of(request), stored_text, image_id))


def image_json(request: Request, image: Image) -> Json:
    """An image as the API shows it: its document and its links."""
    return {**image.document(), "links": _links(base_of(request), image.id)}


def image_text(base: str, stored: StoredImage, **more: object) -> str:
    """The same as JSON text, made of the stored text without parsing it; ``more`` fields follow the document.

    ``base`` is the base URL of the API (:func:`base_of`).
    """
    return _with_links(base, stored.text, stored.id, **more)


def _with_links(base: str, text: str, image_id: str, **more: object) -> str:
    behind = json.dumps({"links": _links(base, image_id), **more}, separators=(",", ":"))
    return f"{text[:-1]},{behind[1:]}"


def _links(base: str, image_id: str) -> Json:
    here = f"{base}/images/{image_id}"
    return {"self": here, **{part: f"{here}/{part}" for part in ("content", "metadata", "thumbnail")}}


def created(location: str, body: Json) -> Response:
    """``201`` for something that was created at ``location``."""
    return Response(body=body, status_code=201, headers={**_JSON, "Location": location})


def accepted(body: Json, location: str | None = None) -> Response:
    """``202`` for work that goes on after the response; ``location`` shows its progress."""
    found = {"Location": location} if location else {}
    return Response(body=body, status_code=202, headers={**_JSON, "Cache-Control": "no-store", **found})


def fresh(body: Json) -> Response:
    """``200`` with a body that must not be cached."""
    return Response(body=body, headers={**_JSON, "Cache-Control": "no-store"})


def changed(body: Json) -> Response:
    """``200`` with something that has been changed, and its new entity tag."""
    answer = fresh(body)
    answer.headers["ETag"] = tag(body)
    return answer


def tag(body: Json) -> str:
    """The strong entity tag of a body."""
    return _tag_of(json.dumps(body, separators=(",", ":")))


def tagged(request: Request, body: Json | str, *, alike: object = None) -> Response:
    """``200`` with the entity tag of the body, or ``304`` if the client has it (RFC 9110 §13.1.2).

    A ``body`` that is a string is JSON already. The tag is strong, unless ``alike`` is given: then bodies
    with the same ``alike`` are equally good, and the tag is a weak one made of that.
    """
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    tag = _tag_of(text) if alike is None else f"W/{_tag_of(json.dumps(alike))}"
    headers: Headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if _holds(request, tag):
        return Response(body="", status_code=304, headers=headers)
    return Response(body=text, headers={**_JSON, **headers})


def precondition_of(request: Request) -> Callable[[Record], None]:
    """``If-Match`` as a check of an image's record, to be called right before the record is changed."""
    return lambda record: refuse_stale(
        request, "image", lambda: image_tag(request, record.text, record.image.id)
    )


def refuse_stale(request: Request, what: str, tag: Callable[[], str]) -> None:
    """Refuse a request whose ``If-Match`` does not hold the current ``tag`` (RFC 9110 §13.1.1).

    Without the header nothing is refused. A weak tag never matches.

    :raises Stale: something has changed since the client saw it.
    """
    given = request.headers.get("if-match")
    if given is not None and not {"*", tag()} & {one.strip() for one in given.split(",")}:
        raise Stale(f"The {what} has changed since you saw it; fetch it again.")


def _tag_of(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _holds(request: Request, tag: str) -> bool:
    held = (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(","))
    return any(one in ("*", tag.removeprefix("W/")) for one in held)
