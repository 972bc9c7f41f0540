"""The web page: two documents, and the files that they load, made of those of the folder ``page``."""

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
class Where:
    """Where a document is read from (``base``), where the API begins, and what the other document is called.

    Both addresses end with a slash. A ``policy`` is written into a document that may come without headers.
    """

    base: str
    api: str
    docs: str
    max_bytes: int
    bin_days: int
    policy: str = ""


def photos(request: Request, services: Services) -> Response:
    """``GET /``: the page of photos, which may load its own files and the bucket's photos, nothing else."""
    bucket = origin_of(services.objects.address())
    return _served("index.html", _beside(request, services), policy(bucket))


def docs(request: Request, services: Services) -> Response:
    """``GET /docs``: the API, shown from its own description."""
    return _served("docs.html", _beside(request, services), policy())


def file(request: Request, services: Services, version: str, name: str) -> Response:
    """``GET /page/{version}/{name}``: a file, which is kept for good, as its address changes with it."""
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
    """The files that the documents load, by name: a script and a style sheet for each, put together here."""
    parts = sources()
    scripts = {name: bundled(name, parts) for name in SCRIPTS}
    styles = {name: "".join(parts[one] for one in together) for name, together in STYLES.items()}
    return {"icon.svg": parts["icon.svg"], **scripts, **styles}


@functools.cache
def sources() -> dict[str, str]:
    """The files of the folder, by name."""
    return {one.name: one.read_text("utf-8") for one in sorted(FOLDER.iterdir()) if one.suffix in TYPES}


@functools.cache
def version_of_files() -> str:
    """Changes when any of the files does."""
    return hashlib.sha256(repr(sorted(files().items())).encode()).hexdigest()[:16]


def document(name: str, where: Where) -> str:
    """``index.html`` or ``docs.html``, for one place."""
    places = {
        "files": f"page/{version_of_files()}",
        "base": html.escape(where.base),
        "api": html.escape(where.api),
        "docs": where.docs,
        "max_bytes": str(where.max_bytes),
        "bin_days": str(where.bin_days),
        "policy": where.policy and _META.format(html.escape(where.policy)),
    }
    text = _text(name)
    for place, value in places.items():
        text = text.replace(f"{{{{{place}}}}}", value)
    return text


def policy(*origins: str) -> str:
    """What a document may load and do, with which other ``origins`` it may talk and whose photos it may show.

    Photos of a private stage and of the reader's disk are ``blob:``.
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


def _beside(request: Request, services: Services) -> Where:
    base = f"{responses.path_of_base(request)}/"
    known = services.settings
    return Where(base, api=base, docs="docs", max_bytes=known.max_image_bytes, bin_days=known.bin_days)


def _served(name: str, where: Where, allowed: str) -> Response:
    headers: responses.Headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": allowed,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=document(name, where), headers=headers)


@functools.cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def origin_of(url: str) -> str:
    """``https://host:port`` of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
