"""What a sidecar file would hold: an image's result as JSON, XML or XMP, or in Rekognition's format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.requests import owner_of, query_of
from chalicelib.delivery import xml_document
from chalicelib.errors import Conflict
from chalicelib.library.record import StoredImage
from chalicelib.model import in_rekognitions_words
from chalicelib.model.xmp import CONTENT_TYPE as XMP
from chalicelib.model.xmp import to_xmp

if TYPE_CHECKING:
    from chalicelib.wiring import Services

_XML = ("application/xml", "text/xml")


def metadata(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/metadata``: the result as JSON or XML, or in Rekognition's format."""
    form = query_of(request, ("format",)).choice("format", "sightline", "rekognition")
    image = _final(request, services, image_id)
    headers: responses.Headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if form == "sightline" and prefers_xml(request.headers.get("accept", "")):
        headers["Content-Type"] = "application/xml; charset=utf-8"
        return Response(body=xml_document.to_xml(image.image).decode(), headers=headers)
    headers["Content-Type"] = "application/json"
    shown = in_rekognitions_words(image.image) if form == "rekognition" else image.document
    return Response(body=json.dumps(shown, ensure_ascii=False, indent=2), headers=headers)


def xmp(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/xmp``: the labels as an XMP sidecar, for photo programs."""
    packet = to_xmp(_final(request, services, image_id).image)
    return Response(body=packet.decode(), headers={"Content-Type": XMP, "Cache-Control": "no-cache"})


def _final(request: Request, services: Services, image_id: str) -> StoredImage:
    """The image, if its status is final and it is not in the bin."""
    image = services.images.stored(owner_of(request), image_id)
    if image.binned:
        raise Conflict("The image is in the bin; restore it first.", code="binned")
    if not image.final:
        raise Conflict("The image has not been labelled yet.", code="not-labelled-yet")
    return image


def prefers_xml(accept: str) -> bool:
    """Whether the header ``accept`` prefers XML to JSON (RFC 9110 §12.5.1)."""
    ranked = dict(_ranges(accept))
    anything = ranked.get("application/*", ranked.get("*/*", 0.0))
    return max(ranked.get(one, 0.0) for one in _XML) > ranked.get("application/json", anything)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges with their qualities; a quality that is not a number counts as 0."""
    for part in accept.lower().split(","):
        media, *parameters = (one.strip() for one in part.split(";"))
        given = (one.partition("=") for one in parameters)
        quality = next((value.strip() for name, _, value in given if name.strip() == "q"), "1")
        try:
            yield media, float(quality)
        except ValueError:
            yield media, 0.0
