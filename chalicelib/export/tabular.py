"""The formats of exported lists: CSV for spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Literal

from chalicelib.model import Image

Format = Literal["csv", "jsonl"]
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
COLUMNS = (
    "id",
    "status",
    "filename",
    "created_at",
    "completed_at",
    "content_type",
    "size",
    "width",
    "height",
    "labels",
    "caption",
    "alt",
    "error",
)
# Characters that begin a formula in a spreadsheet, also in full width, wherever a cell may begin: at the
# start, or after a separator of another country's CSV (a semicolon, a tab), also inside a quoted value.
_FORMULA = re.compile(r"(^|[,;|\t\r\n])([ \u00a0\u3000\"']*)(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def head(form: Format) -> bytes:
    """The first line of a file: in CSV (RFC 4180) the names of the columns."""
    return f"{','.join(COLUMNS)}\r\n".encode() if form == "csv" else b""


def written(images: Iterable[Image], form: Format) -> bytes:
    """The images in UTF-8, one in a line.

    A JSON line is the image's document. In CSV, ``labels`` has ``name confidence`` of each label, separated
    by ``; ``.
    """
    return _csv(images) if form == "csv" else _jsonl(images)


def _jsonl(images: Iterable[Image]) -> bytes:
    lines = (json.dumps(image.document(), ensure_ascii=False) + "\n" for image in images)
    return "".join(lines).encode("utf-8", "replace")


def _csv(images: Iterable[Image]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([_cell(image, column) for column in COLUMNS] for image in images)
    return text.getvalue().encode("utf-8", "replace")


def _cell(image: Image, column: str) -> object:
    match column:
        case "labels":
            return cell("; ".join(f"{label.name} {label.confidence:.2f}" for label in image.labels))
        case "caption":
            return cell(image.caption.text) if image.caption else ""
        case "alt":
            return cell(image.caption.alt) if image.caption else ""
        case "error":
            return image.error.code if image.error else ""
    value = getattr(image, column)
    return cell(value) if isinstance(value, str) else value


def cell(value: str) -> str:
    """The text of a cell, escaped so that no spreadsheet reads it as a formula (OWASP, "CSV Injection")."""
    return _FORMULA.sub(r"\1'\2", value)
