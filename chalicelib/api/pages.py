"""The web page: two HTML documents and the files that they load, built from the folder ``page``."""

from __future__ import annotations

import functools
import hashlib
import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalice.app import Request, Response

from chalicelib.api import responses
from chalicelib.api.bundle import bundled
from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from chalicelib.wiring import Services

FOLDER = Path(__file__).parent / "page"
SCRIPTS = ("main.js", "docs.js")
STYLES = {
    "main.css": ("style.css", "photos.css", "panels.css"),
    "docs.css": ("style.css", "docs.css"),
}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_A_YEAR = "public, max-age=31536000, immutable"
_META = '<meta http-equiv="Content-Security-Policy" content="{}">\n'


@dataclass(frozen=True)
class PageContext:
    """What is filled into a document: its own address, the API's address, the other document's name.

    Both addresses end with a slash. ``policy`` is for a document that may be served without headers.
    """

    base: str
    api: str
    docs: str
    max_bytes: int
    bin_days: int
    policy: str = ""


def photos(request: Request, services: Services) -> Response:
    """``GET /``: the page of photos. It may load its own files and the bucket's photos, nothing else."""
    bucket = origin_of(services.objects.address())
    return _served("index.html", _beside(request, services), policy(bucket))


def docs(request: Request, services: Services) -> Response:
    """``GET /docs``: the API reference, made from the OpenAPI description."""
    return _served("docs.html", _beside(request, services), policy())


def file(request: Request, services: Services, version: str, name: str) -> Response:
    """``GET /page/{version}/{name}``: a file of the page, cached for ever, as its address changes with it."""
    content = files().get(name)
    if content is None or version != version_of_files():
        raise NotFound("There is no such file of the page; load the page again.")
    headers: responses.Headers = {
        "Content-Type": TYPES[Path(name).suffix],
        "Cache-Control": _A_YEAR,
    }
    return Response(body=content, headers=headers)


@functools.cache
def files() -> dict[str, str]:
    """The files that the documents load, by name: the icon, and a script and a style sheet for each."""
    parts = sources()
    scripts = {name: bundled(name, parts) for name in SCRIPTS}
    styles = {name: "".join(parts[one] for one in together) for name, together in STYLES.items()}
    return {"icon.svg": parts["icon.svg"], **scripts, **styles}


@functools.cache
def sources() -> dict[str, str]:
    """The source files of the folder, by name."""
    return {one.name: one.read_text("utf-8") for one in sorted(FOLDER.iterdir()) if one.suffix in TYPES}


@functools.cache
def version_of_files() -> str:
    """A version that changes when any of the files changes."""
    return hashlib.sha256(repr(sorted(files().items())).encode()).hexdigest()[:16]


def document(name: str, context: PageContext) -> str:
    """``index.html`` or ``docs.html``, filled in."""
    places = {
        "files": f"page/{version_of_files()}",
        "base": html.escape(context.base),
        "api": html.escape(context.api),
        "docs": context.docs,
        "max_bytes": str(context.max_bytes),
        "bin_days": str(context.bin_days),
        "policy": context.policy and _META.format(html.escape(context.policy)),
    }
    text = _text(name)
    for place, value in places.items():
        text = text.replace(f"{{{{{place}}}}}", value)
    return text


def policy(*origins: str) -> str:
    """The Content-Security-Policy of a document that may talk to the other ``origins`` and show their photos.

    Photos of a private stage and from the user's disk are ``blob:``.
    """
    others = "".join(f" {one}" for one in origins)
    allowed = {
        "default-src": "'self'",
        "img-src": f"'self' blob:{others}",
        "connect-src": f"'self'{others}",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",  # nothing here makes markup of a text
        "trusted-types": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in allowed.items())


def _beside(request: Request, services: Services) -> PageContext:
    base = f"{responses.path_of_base(request)}/"
    known = services.settings
    return PageContext(base, api=base, docs="docs", max_bytes=known.max_image_bytes, bin_days=known.bin_days)


def _served(name: str, context: PageContext, allowed: str) -> Response:
    headers: responses.Headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": allowed,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=document(name, context), headers=headers)


@functools.cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def origin_of(url: str) -> str:
    """The origin of a URL, ``https://host:port``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
