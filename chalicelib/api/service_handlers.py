"""The service itself: its health, its OpenAPI description, its XML schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Request, Response

import chalicelib
from chalicelib.api import openapi, responses
from chalicelib.delivery import xml_document

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def health(request: Request, services: Services) -> Response:
    """``GET /health``: table and bucket were reachable a few seconds ago; ``auth`` says if tokens are needed.

    :raises Unavailable: table or bucket cannot be reached.
    """
    services.health.check()
    return responses.fresh(
        {"status": "ok", "version": chalicelib.__version__, "auth": services.settings.auth}
    )


def description(request: Request, services: Services) -> Response:
    """``GET /openapi.json``: the OpenAPI description of every route."""
    return responses.tagged(request, openapi.document(responses.base_of(request), services.settings.auth))


def schema(request: Request, services: Services) -> Response:
    """``GET /schemas/image-1.xsd``: the schema of the XML documents about images."""
    headers: responses.Headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "Cache-Control": "public, max-age=86400",
    }
    return Response(body=xml_document.SCHEMA.read_text("utf-8"), headers=headers)
