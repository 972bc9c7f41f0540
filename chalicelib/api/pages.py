"""The web page: two documents, and the files that they load, which are those of the folder ``page``."""

from __future__ import annotations

import functools
import hashlib
import html
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalice.app import Request, Response

from chalicelib.api import answers
from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from chalicelib.wiring import Services

FOLDER = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_A_YEAR = "public, max-age=31536000, immutable"


def photos(request: Request, services: Services) -> Response:
    """``GET /``: the page of photos, which may load its own files and the bucket's photos, nothing else."""
    bucket = _origin(services.objects.presigned_put("uploads/"))
    most = services.settings.max_image_bytes
    return _document("index.html", request, f" {bucket}", {"max_bytes": str(most), "preload": _preload()})


def docs(request: Request, services: Services) -> Response:
    """``GET /docs``: the API, shown from its own description."""
    return _document("docs.html", request, "", {})


def file(request: Request, services: Services, version: str, name: str) -> Response:
    """``GET /page/{version}/{name}``: a file, which is kept for good, as its address changes with it."""
    content = files().get(name)
    if content is None or version != version_of_files():
        raise NotFound("There is no such file of the page; load the page again.")
    headers: answers.Headers = {
        "Content-Type": TYPES[Path(name).suffix],
        "Cache-Control": _A_YEAR,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body=content, headers=headers)


@functools.cache
def files() -> dict[str, str]:
    """The files that the documents load, by name."""
    return {one.name: one.read_text("utf-8") for one in sorted(FOLDER.iterdir()) if one.suffix in TYPES}


@functools.cache
def version_of_files() -> str:
    """Changes when any of the files does: they load each other by relative addresses."""
    return hashlib.sha256(repr(sorted(files().items())).encode()).hexdigest()[:16]


def _document(name: str, request: Request, bucket: str, more: dict[str, str]) -> Response:
    places = {
        **more,
        "base": html.escape(f"{answers.path_of_base(request)}/"),
        "files": f"page/{version_of_files()}",
    }
    text = _text(name)
    for place, value in places.items():
        text = text.replace(f"{{{{{place}}}}}", value)
    headers: answers.Headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(bucket),
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=text, headers=headers)


@functools.cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@functools.cache
def _preload() -> str:
    """All modules at once, rather than each when the one that needs it has come."""
    return "\n".join(
        f'<link rel="modulepreload" href="{{{{files}}}}/{name}">'
        for name in files()
        if name.endswith(".js") and not name.startswith("docs")
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _policy(bucket: str) -> str:
    """What a document may load and do; photos of a private stage and of the reader's disk are ``blob:``."""
    allowed = {
        "default-src": "'self'",
        "img-src": f"'self' blob:{bucket}",
        "connect-src": f"'self'{bucket}",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",  # nothing here makes markup of a text
        "trusted-types": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in allowed.items())
