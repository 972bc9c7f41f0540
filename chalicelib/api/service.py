"""The service itself: is it there, how is it spoken to, and its page."""

from __future__ import annotations

import functools
import html
import secrets
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalice.app import Request, Response

import chalicelib
from chalicelib.api import answers, openapi
from chalicelib.delivery import documents

if TYPE_CHECKING:
    from chalicelib.wiring import Services

_PAGE = Path(__file__).parent / "page" / "index.html"


def health(request: Request, services: Services) -> Response:
    """``GET /health``: this process answers; nothing else is asked, so that it costs nothing."""
    return answers.fresh({"status": "ok", "version": chalicelib.__version__})


def description(request: Request, services: Services) -> Response:
    """``GET /openapi.json``: the description of every route."""
    return answers.tagged(request, openapi.document(answers.base_of(request)))


def page(request: Request, services: Services) -> Response:
    """``GET /``: the web page, which may load its own parts and the bucket's photos and nothing else."""
    nonce = secrets.token_urlsafe(16)
    text = _page().replace("{{nonce}}", nonce).replace("{{base}}", html.escape(answers.base_of(request)))
    bucket = _origin(services.objects.presigned_put("uploads/"))
    headers: answers.Headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(nonce, bucket),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=text, headers=headers)


def schema(request: Request, services: Services) -> Response:
    """``GET /schemas/image-1.xsd``: what the XML about an image holds to."""
    headers: answers.Headers = {
        "Content-Type": "application/xml; charset=utf-8",
        "Cache-Control": "public, max-age=86400",
    }
    return Response(body=documents.SCHEMA.read_text("utf-8"), headers=headers)


@functools.cache
def _page() -> str:
    return _PAGE.read_text("utf-8")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _policy(nonce: str, bucket: str) -> str:
    allowed = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": f"'nonce-{nonce}'",
        "img-src": f"'self' data: {bucket}",
        "connect-src": f"'self' {bucket}",
        "base-uri": "'self'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in allowed.items())
