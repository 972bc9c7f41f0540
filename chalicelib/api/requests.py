"""Reading requests strictly: whatever is not understood is refused, with a pointer to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

from chalice.app import Request

from chalicelib.api.fields import Fields, Object, Parameters, shortened
from chalicelib.errors import BadRequest, Permanent, TooLarge, UnreadableBody
from chalicelib.model import DEFAULT_OWNER

# "Lambda quotas": 6 MB for the request of a synchronous invocation. It holds offline too, so that what works
# offline works when deployed.
MAX_BODY_BYTES = 6 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
MOST_IN_FORM = 100


@dataclass(frozen=True)
class Body:
    """What a route takes as a body: the media types (``*/*`` is any) and the largest size."""

    types: tuple[str, ...]
    max_bytes: int = MAX_BODY_BYTES


JSON = Body(("application/json",))
JSON_OR_FORM = Body((*JSON.types, FORM))
XMP = Body(("application/rdf+xml", "text/xml", "*/*"))


def owner_of(request: Request) -> str:
    """The owner that the authorizer found, or the default owner where there is no authorizer."""
    caller = request.context.get("authorizer") or {}
    return str(caller.get("owner", DEFAULT_OWNER))


def token_of(request: Request) -> tuple[str, tuple[str, ...]]:
    """The id and the scopes of the token; both empty where no token is needed."""
    caller = request.context.get("authorizer") or {}
    return str(caller.get("token", "")), tuple(str(caller.get("scopes", "")).split())


def check_body(request: Request, body: Body) -> None:
    """Refuse a body that a route does not take.

    :raises BadRequest: it cannot be read as bytes.
    :raises TooLarge: it has too many of them.
    :raises UnreadableBody: it is of another media type.
    """
    raw, media = raw_body_of(request), _media_type_of(request)
    if len(raw) > body.max_bytes:
        raise TooLarge(
            f"The body has {len(raw)} bytes and may have {body.max_bytes}. "
            "POST {} to /images and send the photo to the address that comes back."
        )
    if raw and not {media, "*/*"} & {*body.types}:
        raise UnreadableBody(
            f"The body is of the type {shortened(media)}. Send Content-Type: {body.types[0]}."
        )


def body_of(request: Request, known: Sequence[str], *, optional: bool = False) -> Fields:
    """The body's JSON object, with ``known`` fields only. If ``optional``, no body is the same as ``{}``.

    A body with the type of an HTML form is read as one, unless it looks like JSON: curl sends that type by
    default.

    Raises :exc:`BadRequest`.
    """
    raw = raw_body_of(request)
    if raw and _media_type_of(request) == FORM and not raw.lstrip().startswith(b"{"):
        return Fields(_of_form(raw), known)
    return Fields(_parsed(b"{}" if optional and not raw else raw), known)


def query_of(request: Request, known: Sequence[str]) -> Parameters:
    """The query parameters; raises :exc:`BadRequest` for any that is not ``known``."""
    given = request.query_params
    return Parameters({} if given is None else {name: given.getlist(name) for name in given}, known)


@contextmanager
def pointing_at(pointer: str) -> Iterator[None]:
    """Give errors that are raised inside a pointer to the part of the request that they are about."""
    try:
        yield
    except Permanent as error:
        error.pointer = error.pointer or pointer
        raise


@contextmanager
def pointing_inside(pointer: str) -> Iterator[None]:
    """Put ``pointer`` before the pointers of errors that are raised while an inner object is read."""
    try:
        yield
    except Permanent as error:
        error.pointer = pointer + (error.pointer or "")
        raise


def raw_body_of(request: Request) -> bytes:
    """The body as bytes; raises :exc:`BadRequest` if it cannot be decoded."""
    try:
        raw = request.raw_body
    except ValueError as error:  # the gateway sent bad base64, or text that has no bytes
        raise _not_json("it cannot be read as bytes") from error
    return raw.encode() if isinstance(raw, str) else raw


def _media_type_of(request: Request) -> str:
    """The media type of the body, without parameters; JSON where the request names none."""
    return str(request.headers.get("content-type", *JSON.types)).partition(";")[0].strip().lower()


def _parsed(raw: bytes) -> Object:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=Object.of_pairs)
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise _not_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except ValueError as error:  # Python refuses integers of more than 4300 digits
        raise _not_json("a number in it is too long") from error
    except RecursionError as error:
        raise _not_json("it is nested too deeply") from error
    if not isinstance(value, Object):
        raise BadRequest("The body must be a JSON object.", code="not-an-object", pointer="")
    return value


def _of_form(raw: bytes) -> Object:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_IN_FORM)
    except ValueError as error:  # not UTF-8, or too many
        raise BadRequest("The body is not readable as a form.", code="bad-form", pointer="") from error
    return Object.of_pairs(pairs)


def _not_json(why: str) -> BadRequest:
    return BadRequest(f"The body is not readable as JSON: {why}.", code="bad-json", pointer="")
